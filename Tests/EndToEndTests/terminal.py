"""A person at a terminal: runs a shell, types, and looks whether what should show does.

    terminal.py '["bash", "-i"]' '[["text to type", "what then shows"], …]'

Prints all that was on the screen; exits with 1 and the step that showed nothing in ten seconds.
"""

import json
import os
import pty
import select
import signal
import sys
import time


def main():
    command, steps = json.loads(sys.argv[1]), json.loads(sys.argv[2])
    child, terminal = pty.fork()
    if child == 0:
        os.environ.update(TERM='dumb', PS1='> ', INPUTRC='/dev/null')
        os.execvp(command[0], command)
    screen, failed = '', None
    for text, expected in steps:
        os.write(terminal, text.encode())
        seen, end = '', time.monotonic() + 10
        while expected not in seen and time.monotonic() < end:
            if select.select([terminal], [], [], 0.1)[0]:
                seen += os.read(terminal, 65536).decode(errors='replace')
        screen += seen
        if expected not in seen:
            failed = f'{text!r} did not show {expected!r}, but {seen!r}'
            break
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    print(screen)
    if failed:
        sys.exit(failed)


if __name__ == '__main__':
    main()
