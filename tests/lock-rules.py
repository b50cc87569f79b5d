#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""lock-rules.py <log> <case>: whether breaking a lock rule was reported as expected.

The case says in the log which reports must follow (see kunit/lock_rules.h). There must
be these, in this order, none before the rule is broken, and no other.
"""

import re
import sys

TIME = re.compile(r'^\[ *\d+\.\d+\] ?')
HEAD = re.compile(r'\bBUG: |WARNING: |Kernel panic|Oops|INFO: (task|rcu)')
# What WARN() begins with: where it stands comes first on later kernels.
WARN = re.compile(r'WARNING: (CPU: |\S+\.[ch]:\d+ at )')
SAYS = '    # '
BROKEN = 'from here on the rule is broken'


def follows(body, *before):
    """The line after one of these."""
    for line, after in zip(body, body[1:] + ['']):
        if line.strip().endswith(before):
            return after
    return ''


def is_headed(line, head):
    """Whether a report begins as expected."""
    return bool(WARN.search(line)) if head == 'WARNING: CPU: ' else head in line


def holds(body, condition):
    """Whether a report is what one condition of an expectation says."""
    verb, _, what = condition.partition(' ')
    if verb == 'takes':
        return f'({what})' in follows(body, 'is trying to acquire lock:',
                                      'is trying to lock:', ' takes:')
    if verb == 'holding':
        return f'({what})' in follows(body, 'but task is already holding lock:')
    if verb == 'in':
        # Not what is only an address of the function: it begins at +0x0.
        return any(re.search(rf'\b{what}\+0x(?!0/)', line) for line in body)
    raise SystemExit(f'unknown condition: {condition}')


def main():
    log, case = sys.argv[1:]
    with open(log, encoding='utf-8', errors='replace') as file:
        lines = [TIME.sub('', line.rstrip()) for line in file]

    expected = [line.partition('expect: ')[2] for line in lines
                if line.startswith(SAYS) and 'expect: ' in line]
    broken = next((i for i, line in enumerate(lines) if BROKEN in line), None)
    heads = [i for i, line in enumerate(lines)
             if HEAD.search(line) and not line.startswith(SAYS)]
    passed = any(re.fullmatch(rf' *ok \d+ {case}', line) for line in lines)
    wrong = []
    if broken is None or not expected:
        wrong.append('the case did not come to break its rule')
    elif heads and heads[0] < broken:
        wrong.append(f'reported before the rule was broken: {lines[heads[0]]}')
    if not passed:
        wrong.append('the case itself failed')
    if len(heads) != len(expected):
        wrong.append(f'{len(heads)} reports, not {len(expected)}')

    for start, end, report in zip(heads, heads[1:] + [len(lines)], expected):
        head, *conditions = report.split('; ')
        if not is_headed(lines[start], head):
            wrong.append(f'expected: {head}')
        wrong += [f'expected: {condition}' for condition in conditions
                  if not holds(lines[start:end], condition)]
    for line in wrong + ([lines[i] for i in heads] if wrong else []):
        print(f'  {line}')
    return bool(wrong)


sys.exit(main())
