"""Runs a program under the system call rules of a systemd unit, as systemd 252 would (src/shared/seccomp-util.c).

    confined.py UNIT PROGRAM ARGUMENT…

SystemCallFilter, RestrictAddressFamilies, RestrictRealtime, RestrictNamespaces, LockPersonality, MemoryDenyWriteExecute,
NoNewPrivileges and the empty CapabilityBoundingSet. What needs mounts of its own (ProtectSystem and the like) is left out.
"""

import ctypes
import os
import subprocess
import sys

import seccomp
from seccomp import EQ, MASKED_EQ, Arg

EPERM, ENOSYS, EAFNOSUPPORT = 1, 38, 97


def settings(path):
    found = {}
    for line in open(path):
        name, mark, value = line.strip().partition('=')
        if mark and not name.startswith('#'):
            found.setdefault(name, []).append(value)
    return found


def calls(group):
    """The system calls of a group, groups in it too."""
    listed = subprocess.run(['systemd-analyze', 'syscall-filter', '--no-pager', group], capture_output=True, text=True, check=True).stdout
    for word in (line.strip() for line in listed.splitlines()[1:]):
        if word.startswith('@'):
            yield from calls(word)
        elif word and not word.startswith('#'):
            yield word


def allowed(filters):
    names = set()
    for words in filters:
        for word in words.removeprefix('~').split():
            group = set(calls(word)) if word.startswith('@') else {word}
            names = names - group if words.startswith('~') else names | group
    # What systemd itself always lets through, to start the program at all.
    return names | set(calls('@default')) | {'execve', 'exit', 'exit_group', 'rt_sigreturn', 'sigreturn'}


def known(name):
    try:
        return seccomp.resolve_syscall(seccomp.Arch(), name) >= 0
    except (ValueError, RuntimeError):
        return False


def main():
    unit = settings(sys.argv[1])
    for name, value in {'NoNewPrivileges': 'yes', 'CapabilityBoundingSet': '', 'RestrictRealtime': 'yes', 'RestrictNamespaces': 'yes',
                        'LockPersonality': 'yes', 'MemoryDenyWriteExecute': 'yes', 'SystemCallErrorNumber': 'EPERM'}.items():
        assert unit[name] == [value], f'{name} is {unit.get(name)}: teach this script what that means'
    rules = seccomp.SyscallFilter(seccomp.ERRNO(EPERM))
    names = {name for name in allowed(unit['SystemCallFilter']) if known(name)}
    special = {'socket', 'sched_setscheduler', 'personality', 'mmap', 'mprotect', 'pkey_mprotect', 'clone', 'clone3', 'unshare', 'setns'}
    for name in names - special:
        rules.add_rule(seccomp.ALLOW, name)
    families = [getattr(__import__('socket'), name) for name in unit['RestrictAddressFamilies'][0].split()]
    for family in families:
        rules.add_rule(seccomp.ALLOW, 'socket', Arg(0, EQ, family))
    for policy in (0, 3, 5):  # SCHED_OTHER, SCHED_BATCH, SCHED_IDLE
        rules.add_rule(seccomp.ALLOW, 'sched_setscheduler', Arg(1, EQ, policy))
    rules.add_rule(seccomp.ALLOW, 'personality', Arg(0, EQ, 0))
    write_and_execute, execute = 2 | 4, 4
    for held in (0, 2, 4):
        rules.add_rule(seccomp.ALLOW, 'mmap', Arg(2, MASKED_EQ, write_and_execute, held))
    for name in ('mprotect', 'pkey_mprotect'):
        rules.add_rule(seccomp.ALLOW, name, Arg(2, MASKED_EQ, execute, 0))
    namespaces = 0x7E020080  # CLONE_NEW…
    rules.add_rule(seccomp.ALLOW, 'clone', Arg(0, MASKED_EQ, namespaces, 0))
    # Its flags are in memory, where no filter sees them.
    rules.add_rule(seccomp.ERRNO(ENOSYS), 'clone3')

    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() == 0:
        for capability in range(64):
            libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP
    libc.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
    rules.load()
    os.execv(sys.argv[2], sys.argv[2:])


if __name__ == '__main__':
    main()
