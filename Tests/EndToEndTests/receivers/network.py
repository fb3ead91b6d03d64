"""A network of a test's own, with names of its own: to be run by `unshare --mount --net`.

    network.py FOLDER PUBLIC   gives the loopback interface the address PUBLIC too, answers names at 127.0.0.1 port 53, and
                               has the system's resolver ask there; FOLDER is for the files that this takes

It says `ready` on its first line. Each line of its standard input is an order, answered by a line when it is in force:

    {"name": "a.test", "addresses": ["192.0.2.1", "::1"]}   what the name has from now on
    {"name": "a.test", "addresses": null}                   a name whose look-up is never answered

Other names do not exist. It ends with its standard input."""

import asyncio
import fcntl
import ipaddress
import json
import os
import socket
import struct
import subprocess
import sys

SIOCSIFFLAGS, SIOCSIFADDR, SIOCSIFNETMASK = 0x8914, 0x8916, 0x891C
UP = 0x1 | 0x40  # and running
A, AAAA = 1, 28
names = {}


def prepare_interface(public):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:

        def order(request, interface, data):
            fcntl.ioctl(control, request, struct.pack('16s24s', interface, data))

        def address(text):
            return struct.pack('=HH4s', socket.AF_INET, 0, ipaddress.ip_address(text).packed)

        order(SIOCSIFFLAGS, b'lo', struct.pack('=H', UP))
        order(SIOCSIFADDR, b'lo:1', address(public))
        order(SIOCSIFNETMASK, b'lo:1', address('255.255.255.255'))


def prepare_resolver(folder):
    """Only this mount namespace sees it. Where the system has no such file the C library's defaults will do."""
    files = {'resolv.conf': 'nameserver 127.0.0.1\n', 'nsswitch.conf': 'hosts: files dns\n'}
    for name, text in files.items():
        target = os.path.realpath('/etc/' + name)
        if not os.path.exists(target):
            continue
        own = os.path.join(folder, name)
        with open(own, 'w') as file:
            file.write(text)
        subprocess.run(['mount', '--bind', own, target], check=True)


class NameServer(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, query, sender):
        labels, place = [], 12
        while length := query[place]:
            labels.append(query[place + 1:place + 1 + length].decode('ascii').lower())
            place += 1 + length
        kind = struct.unpack_from('>H', query, place + 1)[0]
        question = query[12:place + 5]
        name = '.'.join(labels)
        addresses = names.get(name, [])
        if addresses is None:
            return
        packed = [address.packed for address in addresses if (A if address.version == 4 else AAAA) == kind]
        # a pointer to the question's name, class IN, and no life at all
        answers = [struct.pack('>HHHIH', 0xC00C, kind, 1, 0, len(value)) + value for value in packed]
        flags = 0x8580 if name in names else 0x8583
        head = query[:2] + struct.pack('>HHHHH', flags, 1, len(answers), 0, 0)
        self.transport.sendto(head + question + b''.join(answers), sender)


async def main():
    folder, public = sys.argv[1:]
    prepare_interface(public)
    prepare_resolver(folder)
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(NameServer, local_addr=('127.0.0.1', 53))
    print('ready', flush=True)
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        order = json.loads(line)
        addresses = order['addresses']
        names[order['name']] = None if addresses is None else [ipaddress.ip_address(address) for address in addresses]
        print(json.dumps({'done': order['name']}), flush=True)


asyncio.run(main())
