#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""interrupt.py <signal> <text> <command> ...

Runs a command on a terminal of its own. Once that has said the text, presses Ctrl-C
(INT), or sends the signal to the command alone. Prints what the command said, and what
of its session is left when it has ended. The exit status is the command's, as a shell
has it; 1 if something is left.
"""

import os
import pathlib
import pty
import select
import signal
import sys
import time

# Without this, a command that does not end would have to be ended by hand.
PATIENCE = 60


def session(leader):
    """The processes of a session that run: number and name."""
    found = []
    for stat in pathlib.Path('/proc').glob('[0-9]*/stat'):
        try:
            head, tail = stat.read_text(errors='replace').rsplit(')', 1)
        except OSError:
            continue
        state, _, _, of = tail.split()[:4]
        if of == str(leader) and state != 'Z':
            found.append(head.replace('(', '', 1))
    return found


def read(terminal, seconds):
    """What was said meanwhile; None if nobody can say more."""
    if not select.select([terminal], [], [], seconds)[0]:
        return ''
    try:
        return os.read(terminal, 65536).decode('utf-8', 'replace') or None
    except OSError:
        return None


def main():
    name, text, command = sys.argv[1], sys.argv[2], sys.argv[3:]
    leader, terminal = pty.fork()
    if not leader:
        # A shell that runs this in the background may have them ignored.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        os.execvp(command[0], command)
    said, status, end, sent = '', None, time.monotonic() + PATIENCE, False
    while status is None and time.monotonic() < end:
        said += read(terminal, 0.05) or ''
        if text in said and not sent:
            if name == 'INT':
                os.write(terminal, b'\x03')
            else:
                os.kill(leader, getattr(signal, f'SIG{name}'))
            sent, end = True, time.monotonic() + PATIENCE
        ended, code = os.waitpid(leader, os.WNOHANG)
        if ended:
            status = os.waitstatus_to_exitcode(code)
    left = session(leader)
    while more := read(terminal, 0):
        said += more
    sys.stdout.write(said.replace('\r', ''))
    for process in left:
        print(f'left: {process}')
        os.kill(int(process.split()[0]), signal.SIGKILL)
    if left or status is None:
        return 1
    return 128 - status if status < 0 else status


sys.exit(main())
