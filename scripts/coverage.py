#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Reads what gcov has counted in the engine, and says what its tests do not reach.

Usage: coverage.py <root> <directory>, which holds data/*.gcov.json.gz.

A branch is one way out of a condition, as the compiler sees it: so "a && b" has four, and
the loop of a list macro two. Not counted are the ways that lead nowhere but to a warning
(WARN_ON) or to the stub of a test.
"""

import collections
import gzip
import json
import pathlib
import re
import sys

LEAST = 90
# The engine's own conditions these are not: assertions, and the tests' own door.
ASIDE = re.compile(r'\b(KUNIT_STATIC_STUB_REDIRECT|WARN_ON(_ONCE)?|lockdep_assert\w*)\b')


def read(directory):
    """Per file and line: the function, how often it ran, and each branch's count."""
    lines = collections.defaultdict(dict)
    for path in sorted((directory / 'data').glob('*.gcov.json.gz')):
        with gzip.open(path, 'rt', encoding='utf-8') as file:
            data = json.load(file)
        for one in data['files']:
            name = '/'.join(pathlib.PurePath(one['file']).parts[-2:])
            if not re.fullmatch(r'ttm_fence_lru/\w+\.[ch]', name) or 'include/' in one['file']:
                continue
            for line in one['lines']:
                add(lines[name], line)
    return lines


def add(lines, line):
    """An inline function of a header counts once, for all files that include it."""
    branches = [branch['count'] for branch in line['branches']]
    old = lines.get(line['line_number'])
    if old is None:
        lines[line['line_number']] = {'function': line.get('function_name', ''),
                                      'count': line['count'], 'branches': branches}
        return
    old['count'] += line['count']
    if len(old['branches']) == len(branches):
        old['branches'] = [a + b for a, b in zip(old['branches'], branches)]
    else:
        old['branches'] += branches


def read_reasons(path):
    """The rows of three cells: function, line, reason."""
    rows, reason = {}, ''
    text = path.read_text(encoding='utf-8') if path.exists() else ''
    for row in re.findall(r'^   \* - (.*?)(?=^   \* - |^\S|\Z)', text, flags=re.S | re.M):
        cells = [re.sub(r'\s+', ' ', cell).strip().strip('`')
                 for cell in re.split(r'^     - ', row, flags=re.M)]
        if len(cells) == 3:
            reason = reason if cells[2] == 'Likewise.' else cells[2]
            rows[tuple(cells[:2])] = reason
    return rows


def judge(name, source, lines, reasons):
    """What is counted in a file, and what of it is not reached."""
    total = collections.Counter()
    missed = []
    for number, line in sorted(lines.items()):
        text = re.sub(r'\s+', ' ', source[number - 1]).strip()
        total['lines'] += 1
        total['lines reached'] += line['count'] > 0
        branches = [] if ASIDE.search(text) else line['branches']
        never = sum(count == 0 for count in branches)
        total['branches'] += len(branches)
        total['branches taken'] += len(branches) - never
        if not line['count'] or never:
            missed.append({
                'file': name, 'line': number, 'function': line['function'], 'text': text,
                'what': f'{never} of {len(branches)} branches never taken' if line['count']
                        else 'not reached',
                'reason': reasons.get((line['function'], text)) or
                reasons.get((line['function'], '*'))})
    return total, missed


def percent(part, whole):
    return 100 * part / whole if whole else 100.0


def main():
    root, directory = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    reasons = read_reasons(root / 'Documentation/mutants.rst')
    total, missed, files = collections.Counter(), [], {}
    print(f'\n  {"file":32}{"lines":>8}{"reached":>9}{"branches":>10}{"taken":>8}')
    every = read(directory)
    for name in sorted(every) + ['total']:
        if name != 'total':
            source = (root / name).read_text(encoding='utf-8').split('\n')
            count, lost = judge(name, source, every[name], reasons)
            total += count
            missed += lost
            files[name] = dict(count)
        else:
            count = total
        print(f'  {name:32}{count["lines"]:8}'
              f'{percent(count["lines reached"], count["lines"]):8.1f}%'
              f'{count["branches"]:10}'
              f'{percent(count["branches taken"], count["branches"]):7.1f}%')

    share = percent(total['branches taken'], total['branches'])
    unexplained = [one for one in missed if not one['reason']]
    print()
    for one in missed:
        print(f'{one["file"]}:{one["line"]}: {one["what"]}, in {one["function"]}()')
        print(f'    {one["text"]}')
        print(f'      {one["reason"] or "NOT EXPLAINED"}')
    good = bool(total['lines']) and share >= LEAST and not unexplained
    (directory / 'results.json').write_text(json.dumps({
        'files': files, 'total': dict(total), 'branch_percent': round(share, 1),
        'missed': missed, 'unexplained': len(unexplained), 'passed': good},
        indent=1) + '\n', encoding='utf-8')
    print(f'\n{total["lines reached"]} of {total["lines"]} lines reached '
          f'({percent(total["lines reached"], total["lines"]):.1f} %), '
          f'{total["branches taken"]} of {total["branches"]} branches taken ({share:.1f} %; '
          f'at least {LEAST} % are wanted)')
    print(f'{len(missed)} lines with something not reached, {len(unexplained)} of them '
          f'unexplained')
    print(f'coverage: {"passed" if good else "failed"}; see build/coverage/results.json')
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
