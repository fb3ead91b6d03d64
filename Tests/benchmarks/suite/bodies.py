"""Bodies of any length, read into one buffer and thrown away: lines are counted, and the ends are kept to be checked."""

from .processes import Broken

"""Bytes taken from a socket or a pipe at once."""
SIZE = 1 << 18
"""Bytes of a body's beginning and end that are kept: more than the longest row."""
KEPT = 1 << 14


class Body:
    def __init__(self):
        self.lines, self.size, self.first, self.last = 0, 0, b"", b""

    def take(self, buffer, start, end):
        self.lines += buffer.count(b"\n", start, end)
        self.size += end - start
        if len(self.first) < KEPT:
            self.first += buffer[start : min(end, start + KEPT)]
        self.last = (self.last + buffer[max(start, end - KEPT) : end])[-KEPT:]

    def first_lines(self, count):
        return self.first.split(b"\n")[:count]

    def last_line(self):
        """The last line that has an end."""
        return self.last.rsplit(b"\n", 2)[-2]


class Stream:
    """What comes from a socket or a pipe: whoever sends, to read it costs the same."""

    def __init__(self, receive):
        """`receive` fills a part of a buffer and says how much of it."""
        self.receive = receive
        self.buffer = bytearray(SIZE)
        self.view = memoryview(self.buffer)
        self.at = self.filled = 0

    def fill(self):
        """Whether there is more."""
        if self.at == self.filled:
            self.at, self.filled = 0, self.receive(self.view)
        return self.filled > 0

    def line(self):
        out = bytearray()
        while not out.endswith(b"\r\n"):
            if not self.fill():
                raise Broken(f"the connection closed behind {bytes(out)!r}")
            end = self.buffer.find(b"\n", self.at, self.filled)
            end = self.filled if end < 0 else end + 1
            out += self.buffer[self.at : end]
            self.at = end
        return bytes(out[:-2])

    def part(self, most, body):
        """Gives what is there to `body`, `most` bytes at most. Returns how many."""
        end = min(self.filled, self.at + most)
        body.take(self.buffer, self.at, end)
        taken, self.at = end - self.at, end
        return taken

    def to_the_end(self, body):
        while self.fill():
            self.part(SIZE, body)

    def chunks(self, body):
        """RFC 9112, 7.1: a body without its last chunk, or with a chunk that is cut, is none."""
        while True:
            line = self.line()
            left = int(line, 16)
            if left == 0:
                if self.line():
                    raise Broken("there is something behind the last chunk")
                return
            while left > 0:
                if not self.fill():
                    raise Broken(f"the connection closed in a chunk, after {body.lines:,} lines")
                left -= self.part(left, body)
            if self.line():
                raise Broken("a chunk without its end")
