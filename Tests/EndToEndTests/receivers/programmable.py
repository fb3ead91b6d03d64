"""A receiver of webhooks that does as it is told.

    programmable.py SETTINGS   a JSON object: {"log": file, "checks": folder of receiver.py and receiver.mjs,
                               "tls": {listener: [certificate, key]}, "public": address or null}

It listens on free ports of the loopback, and for `public` on the port of `http` at that address, and says them on its first line: {listener: port}. Each line of its standard
input is an order, answered by a line when it is in force:

    {"path": "/a", "do": "answer", "status": 200, "headers": {}, "body": "", "delay": 0}   or another of DEEDS
    {"path": "/a", "check": {"dialect": "standard", "secret": "whsec_…"}}                  judges what comes from now on

Every request is in the log, a JSON object a line, before it is answered. A checked one that is not accepted gets a 401.
It ends with its standard input."""

import asyncio
import base64
import functools
import gzip
import itertools
import json
import os
import ssl
import subprocess
import sys
import time

settings = json.loads(sys.argv[1])
sys.path.insert(0, settings['checks'])
sys.dont_write_bytecode = True

import receiver  # noqa: E402  the checks that the services publish

try:
    from standardwebhooks.webhooks import Webhook, WebhookVerificationError
except ImportError:
    Webhook = None

HOUR = 3_600
orders = {}
checks = {}
log = open(settings['log'], 'a', buffering=1)
connections = itertools.count(1)


def note(entry):
    log.write(json.dumps(entry) + '\n')


# Judging


def other(secret):
    """Another secret of the same form."""
    if secret.startswith('whsec_') and len(secret) > 30:
        return 'whsec_' + base64.b64encode(bytes(32)).decode()
    return secret + 'x'


def variants(request, check):
    """What should be accepted, and what should not."""
    job = {
        'dialect': check['dialect'], 'headers': request['headers'], 'body': request['body'], 'secret': check['secret'],
        'now': int(time.time()),
    }
    body = bytearray(base64.b64decode(request['body']))
    body[len(body) // 2] ^= 1
    changed = base64.b64encode(bytes(body)).decode()
    return {
        'accepted': job, 'changed body': job | {'body': changed}, 'changed secret': job | {'secret': other(check['secret'])},
        'old': job | {'now': job['now'] + HOUR}, 'ahead': job | {'now': job['now'] - HOUR},
    }


class Node:
    """The checks in Node, in a process of their own."""

    process = None

    @classmethod
    def judge(cls, job):
        if cls.process is None:
            command = ['node', os.path.join(settings['checks'], 'receiver.mjs')]
            try:
                cls.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
            except FileNotFoundError:
                cls.process = False
        if not cls.process:
            return None
        cls.process.stdin.write(json.dumps(job) + '\n')
        return json.loads(cls.process.stdout.readline())['accepted']


def library(job):
    """The Standard Webhooks library; it looks at its own clock."""
    if Webhook is None or job['dialect'] != 'standard' or abs(job['now'] - time.time()) > HOUR / 2:
        return None
    try:
        Webhook(job['secret']).verify(base64.b64decode(job['body']).decode('utf-8', 'replace'), job['headers'])
        return True
    except WebhookVerificationError:
        return False


def verdicts(request, check):
    judges = {'python': receiver.judge, 'node': Node.judge, 'library': library}
    jobs = variants(request, check)
    return {name: {variant: judge(job) for variant, job in jobs.items()} for name, judge in judges.items()}


# Answering


def head(status, fields):
    lines = [f'HTTP/1.1 {status} Told'] + [f'{name}: {value}' for name, value in fields.items()]
    return ('\r\n'.join(lines) + '\r\n\r\n').encode()


async def answer(order, reader, writer):
    await asyncio.sleep(order.get('delay', 0))
    body = order.get('body', '').encode()
    writer.write(head(order.get('status', 200), {'Content-Length': len(body)} | order.get('headers', {})) + body)
    await writer.drain()
    return True


async def echo(order, reader, writer):
    return await answer({'body': base64.b64decode(order['heard']).decode()}, reader, writer)


async def hang(order, reader, writer):
    while await reader.read(1 << 16):
        pass


async def drip(order, reader, writer):
    writer.write(head(200, {'Content-Length': 1_000}))
    while not reader.at_eof():
        writer.write(b'.')
        await writer.drain()
        await asyncio.sleep(1)


async def endless_body(order, reader, writer):
    writer.write(head(200, {'Transfer-Encoding': 'chunked'}))
    while True:
        writer.write(b'10000\r\n' + b'.' * 0x10000 + b'\r\n')
        await writer.drain()


@functools.cache
def bomb_body():
    return gzip.compress(bytes(200_000_000), 1)


async def bomb(order, reader, writer):
    body = bomb_body()
    writer.write(head(200, {'Content-Encoding': 'gzip', 'Content-Length': len(body)}) + body)
    await writer.drain()


async def endless_head(order, reader, writer):
    writer.write(b'HTTP/1.1 200 OK\r\n')
    while True:
        writer.write(b'X-More: ' + b'.' * 100 + b'\r\n')
        await writer.drain()


async def close(order, reader, writer):
    writer.write(head(200, {'Content-Length': 100}) + b'half of')
    await writer.drain()


DEEDS = {
    'answer': answer, 'echo': echo, 'hang': hang, 'drip': drip, 'endless body': endless_body, 'bomb': bomb, 'endless head': endless_head,
    'close': close,
}


async def read_request(reader):
    lines = (await reader.readuntil(b'\r\n\r\n')).decode('latin-1').split('\r\n')
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(':') for line in lines[1:] if line)}
    body = await reader.readexactly(int(headers.get('content-length', 0)))
    return {'path': lines[0].split(' ')[1], 'headers': headers, 'body': base64.b64encode(body).decode()}


async def serve(listener, reader, writer):
    number = next(connections)
    note({'listener': listener, 'connection': number})
    try:
        while True:
            request = {'listener': listener, 'connection': number} | await read_request(reader)
            request['at'] = time.time()
            order = orders.get(request['path'], {'do': 'answer'})
            if check := checks.get(request['path']):
                request['verdicts'] = verdicts(request, check)
                if not all(judged['accepted'] is not False for judged in request['verdicts'].values()):
                    order = {'do': 'answer', 'status': 401}
            note(request)
            if not await DEEDS[order['do']](order | {'heard': request['body']}, reader, writer):
                break
    except (OSError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


# Orders


async def take_orders():
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1 << 20)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        order = json.loads(line)
        if 'check' in order:
            checks[order['path']] = order['check']
        else:
            orders[order['path']] = order
            if order['do'] == 'bomb':
                bomb_body()  # made before somebody waits for it
        print(json.dumps({'done': order['path']}), flush=True)


async def main():
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
    ports = {}

    async def listen(name, host, context=None, port=0):
        server = await asyncio.start_server(lambda r, w: serve(name, r, w), host, port, ssl=context, backlog=1024)
        ports[name] = server.sockets[0].getsockname()[1]
        return server

    servers = [await listen('http', '127.0.0.1')]
    try:
        servers.append(await listen('http6', '::1'))
    except OSError:
        pass
    if public := settings.get('public'):
        servers.append(await listen('public', public, port=ports['http']))
    for name, (certificate, key) in settings.get('tls', {}).items():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        servers.append(await listen(name, '127.0.0.1', context))
    print(json.dumps(ports), flush=True)
    await take_orders()
    os._exit(0)


asyncio.run(main())
