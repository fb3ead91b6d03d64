"""A plain keep-alive HTTP/1.1 client: little of its own time in what it measures."""

import json
import socket
import time

from .processes import Broken


class Answer:
    __slots__ = ("status", "head", "body", "seconds")

    def __init__(self, status, head, body, seconds):
        self.status, self.head, self.body, self.seconds = status, head, body, seconds

    def header(self, name):
        wanted = name.lower().encode() + b":"
        for line in self.head.split(b"\r\n"):
            if line.lower().startswith(wanted):
                return line[len(wanted) :].strip().decode()
        return None

    @property
    def size(self):
        """Every byte of the answer as it went over the wire."""
        return len(self.head) + 4 + len(self.body)

    def page(self, target=""):
        if self.status != 200:
            raise Broken(f"{target}: status {self.status}, {self.body[:300]!r}")
        return json.loads(self.body)


def request(target, key=None, *headers):
    lines = [f"GET {target} HTTP/1.1", "Host: 127.0.0.1"]
    if key:
        lines.append(f"Authorization: Bearer {key}")
    return "\r\n".join([*lines, *headers, "", ""]).encode()


class Client:
    def __init__(self, port, timeout=60):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, raw):
        """Sends one prepared request and reads its whole answer; the time is from the first byte out to the last in."""
        receive = self.socket.recv
        began = time.perf_counter()
        self.socket.sendall(raw)
        received = receive(1 << 20)
        while (split := received.find(b"\r\n\r\n")) < 0:
            more = receive(1 << 20)
            if not more:
                raise Broken(f"the connection closed in the answer's head: {raw[:200]!r}")
            received += more
        head = received[:split]
        status = int(head[9:12])
        length = 0 if status in (204, 304) else self.length(head)
        parts, missing = [received[split + 4 :]], length - (len(received) - split - 4)
        while missing > 0:
            more = receive(1 << 20)
            if not more:
                raise Broken(f"the connection closed {missing} bytes before the body's end: {raw[:200]!r}")
            parts.append(more)
            missing -= len(more)
        seconds = time.perf_counter() - began
        return Answer(status, head, b"".join(parts), seconds)

    @staticmethod
    def length(head):
        at = head.lower().find(b"\r\ncontent-length:")
        if at < 0:
            raise Broken(f"an answer without Content-Length: {head!r}")
        return int(head[at + 17 :].split(b"\r\n", 1)[0])

    def get(self, target, key=None, *headers):
        return self.send(request(target, key, *headers))

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def percentile(values, share):
    """Nearest rank: the smallest value that `share` of all do not pass."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * share // 100) - 1)]
