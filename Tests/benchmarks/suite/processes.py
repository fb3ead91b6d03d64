"""Servers and commands that the suite starts, each ended by its own process id, also on Ctrl-C."""

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time


class Broken(Exception):
    """Something did not work, or an answer was wrong: the suite ends with exit code 1."""


RUNNING = []


def progress(text):
    print(f"  … {text}", file=sys.stderr, flush=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def end(process, patience=10):
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process in RUNNING:
        RUNNING.remove(process)


def end_all():
    for process in list(RUNNING):
        end(process, patience=3)


def install_cleanup():
    atexit.register(end_all)

    def stop(number, _):
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGHUP, stop)


def start(command, **options):
    """A process in a session of its own: a Ctrl-C at the terminal is ours to pass on, in order."""
    process = subprocess.Popen([str(part) for part in command], start_new_session=True, **options)
    RUNNING.append(process)
    return process


def finish(process, command, timeout):
    """The process's standard output, once it has ended well within `timeout` seconds."""
    try:
        out, errors = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        raise Broken(f"{command[0]} {command[1]}: not done after {timeout} s") from None
    finally:
        end(process, patience=3)
    if process.returncode != 0:
        tail = ((errors or "") + (out or ""))[-2000:]
        raise Broken(f"{' '.join(map(str, command))}: exit code {process.returncode}\n{tail}")
    return out


def run(command, timeout=600, **options):
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **options}
    return finish(start(command, **options), command, timeout)


def wait_for_port(port, process, timeout=30):
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise Broken(f"{process.args[0]} ended at its start with exit code {process.returncode}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise Broken(f"{process.args[0]}: nothing listens on port {port} after {timeout} s")


def read_line(process, timeout):
    """One line of the process's standard output, without waiting longer than `timeout` seconds."""
    deadline, line = time.monotonic() + timeout, b""
    descriptor = process.stdout.fileno()
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([descriptor], [], [], max(0, deadline - time.monotonic()))
        byte = os.read(descriptor, 1) if ready else b""
        if not byte:
            raise Broken(f"{process.args[0]} said nothing more after {line!r}")
        line += byte
    return line.decode()


class Hirewire:
    """A running `hirewire serve`."""

    def __init__(self, binary, database, log, *flags):
        self.log = open(log, "ab")
        self.started = time.perf_counter()
        self.process = start(
            [binary, "serve", "--database", database, "--port", 0, "--operator-port", 0, "--json", *flags],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log,
        )
        try:
            ready = json.loads(read_line(self.process, 120))
            self.port = int(ready["public"].rstrip("/").rsplit(":", 1)[1])
            self.operator_port = int(ready["operator"].rstrip("/").rsplit(":", 1)[1])
        except (Broken, ValueError, KeyError) as error:
            self.stop()
            raise Broken(f"hirewire serve is not ready ({error}); its log is {log}") from error

    def memory(self):
        """What `/proc` says, in MB: resident now, the most ever, and the part that belongs to no file."""
        fields = {}
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            for line in status:
                name, _, value = line.partition(":")
                fields[name] = value.split()
        return {name: int(fields[name][0]) * 1024 / 1e6 for name in ("VmRSS", "VmHWM", "RssAnon", "RssFile")}

    def forget_peak(self):
        """From now on `VmHWM` is the most from now on (proc(5), clear_refs)."""
        with open(f"/proc/{self.process.pid}/clear_refs", "w", encoding="ascii") as file:
            file.write("5")

    def stop(self):
        end(self.process)
        self.process.stdout.close()
        self.log.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
