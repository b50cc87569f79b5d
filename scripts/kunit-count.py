#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Counts the results of KUnit: ours and TTM's own apart.

Reads what kunit.py parse --json wrote. A result that is missing is a failure.
"""

import argparse
import json
import sys

OURS = 'ttm_fence_lru'


def leaves(group, path=()):
    """Every single result below a group, parameters of a test counted each."""
    for case in group['test_cases']:
        yield '.'.join(path + (case['name'],)), case['status']
    for sub in group['sub_groups']:
        yield from leaves(sub, path + (sub['name'],))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--expect-ttm', type=int, metavar='N',
                        help="how many results TTM's own suites must have")
    parser.add_argument('--count-ttm', action='store_true',
                        help="print only how many results TTM's own suites have")
    parser.add_argument('--complaint', type=int, default=0,
                        help='1: the kernel log holds a complaint')
    parser.add_argument('json', nargs='+')
    args = parser.parse_args()

    root = {'sub_groups': [], 'test_cases': []}
    for path in args.json:
        with open(path, encoding='utf-8') as file:
            one = json.load(file)
        root['sub_groups'] += one['sub_groups']
        root['test_cases'] += one['test_cases']
    count = {'PASS': 0, 'FAIL': 0, 'SKIP': 0}
    total = {'ours': 0, 'ttm': 0}
    # A suite without subtests (it was empty or crashed) is a failed case here.
    for suite in root['sub_groups'] + [{'name': case['name'], 'sub_groups': [],
                                        'test_cases': [case]}
                                       for case in root['test_cases']]:
        results = list(leaves(suite, (suite['name'],)))
        passed = sum(status == 'PASS' for _, status in results)
        skipped = sum(status == 'SKIP' for _, status in results)
        owner = 'ours' if suite['name'].startswith(OURS) else 'ttm'
        total[owner] += len(results)
        if not args.count_ttm:
            print(f"  {suite['name']}: {passed} of {len(results)} passed"
                  + (f', {skipped} skipped' if skipped else ''))
        for name, status in results:
            status = status if status in count else 'FAIL'
            count[status] += 1
            if status == 'FAIL' and not args.count_ttm:
                print(f'not ok {name}')
    if args.count_ttm:
        print(total['ttm'])
        return 0

    def require(truth, text):
        if truth:
            count['PASS'] += 1
        else:
            count['FAIL'] += 1
            print(f'not ok {text}')

    require(total['ours'] > 0, 'our own suites ran')
    if args.expect_ttm is not None:
        require(total['ttm'] == args.expect_ttm,
                f"TTM's own suites have {args.expect_ttm} results (here: {total['ttm']})")
    require(not args.complaint, 'the kernel did not complain')
    skipped = f", {count['SKIP']} skipped" if count['SKIP'] else ''
    print(f"{count['PASS']} passed, {count['FAIL']} failed{skipped}")
    return 1 if count['FAIL'] or not count['PASS'] else 0


sys.exit(main())
