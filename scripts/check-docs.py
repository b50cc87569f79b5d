#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Checks what the documents say of the code that Sphinx would not notice.

Every literalinclude must find its markers, once each, with something in between. Every
KUnit case that promises.rst, locking.rst or driver-guide.rst names must exist, in the suite
it is named with. Every DOC section of the engine, of TTM's patches and of the software GPU
must be included, once. Every file that README links to must be there. Every row of the demo's
tables must be explained, and the changes be those of this version.
"""

import glob
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
wrong = []


def read(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


def check_include(doc, target, options):
    """One literalinclude: its markers must hold something between them."""
    path = os.path.normpath(os.path.join(os.path.dirname(doc), target))
    if not os.path.exists(path):
        return f'there is no {target}'
    start, end = options.get('start-after'), options.get('end-before')
    text = read(path)
    for marker in (start, end):
        if not marker or text.count(marker) != 1:
            return f'{target}: "{marker}" is not there once'
    if not text.partition(start)[2].partition(end)[0].strip():
        return f'{target}: nothing after "{start}" and before "{end}"'
    return None


def check_includes(doc, text):
    for match in re.finditer(r'^\.\. literalinclude:: (\S+)\n((?: +:.*\n)*)', text, re.M):
        options = dict(re.findall(r'^ +:([a-z-]+): *(.*?) *$', match[2], re.M))
        problem = check_include(doc, match[1], options)
        if problem:
            wrong.append(f'{os.path.relpath(doc, ROOT)}: {problem}')


def suites():
    """The cases of each suite, by the name of the suite."""
    found = {}
    for path in glob.glob(f'{ROOT}/kunit/*.c'):
        text = read(path)
        tables = {name: re.findall(r'KUNIT_CASE(?:_[A-Z]+)?\(\s*(\w+)', body)
                  for name, body in
                  re.findall(r'struct kunit_case (\w+)\[\] = \{(.*?)\n\};', text, re.S)}
        for body in re.findall(r'struct kunit_suite \w+ = \{(.*?)\n\};', text, re.S):
            name = re.search(r'\.name = "(\w+)"', body)[1]
            found[name] = tables[re.search(r'\.test_cases = (\w+)', body)[1]]
    return found


def check_cases(doc, text, known):
    """Cases are named as ``suite.case``, without what all suites have in common."""
    for suite, case in re.findall(r'``(\w+)\.(\w+)``', text):
        if suite.endswith(('.c', '.h')) or case in ('c', 'h', 'rst', 'sh'):
            continue
        if not any(case in known.get(prefix + suite, [])
                   for prefix in ('', 'ttm_fence_lru_')):
            wrong.append(f'{os.path.relpath(doc, ROOT)}: no case {suite}.{case}')


def doc_sections():
    """The DOC sections of ours, as (name of the file, name of the section)."""
    found = set()
    for path in glob.glob(f'{ROOT}/ttm_fence_lru/*.[ch]') + glob.glob(f'{ROOT}/swgpu/*.[ch]'):
        found |= {(os.path.basename(path), name)
                  for name in re.findall(r'^ \* DOC: (.+)$', read(path), re.M)}
    for path in glob.glob(f'{ROOT}/patches/*/*.patch'):
        for file, hunks in re.findall(r'^\+\+\+ b/(\S+)\n(.*?)(?=^diff |\Z)', read(path),
                                      re.M | re.S):
            found |= {(os.path.basename(file), name)
                      for name in re.findall(r'^\+ \* DOC: (.+)$', hunks, re.M)}
    return found


def check_sections(docs):
    """Each is included once."""
    included = [(os.path.basename(path), name) for doc in docs for path, name in
                re.findall(r'^\.\. kernel-doc:: (\S+)\n +:doc: (.+)$', read(doc), re.M)]
    for section in sorted(doc_sections()):
        if included.count(section) != 1:
            wrong.append(f'{section[0]}: its DOC section "{section[1]}" is included '
                         f'{included.count(section)} times')


def check_links(path):
    """What a page in Markdown links to, within the repository."""
    for target in re.findall(r'\]\(([^)#:]+)(?:#[^)]*)?\)', read(path)):
        if not os.path.exists(os.path.join(os.path.dirname(path), target)):
            wrong.append(f'{os.path.relpath(path, ROOT)}: there is no {target}')


def check_rows(script, doc):
    """Rows of a table that a script prints: each is a term of the page, or one of several."""
    terms = {term.strip() for line in re.findall(r'^(\S.*)\n  \S', read(doc), re.M)
             for term in line.split(';')}
    for row in re.findall(r'^    \("([^"]+)", \(', read(script), re.M):
        if row.strip() not in terms:
            wrong.append(f'{os.path.relpath(doc, ROOT)}: does not explain "{row.strip()}"')


def check_version(source, doc):
    """The changes begin with those of the version that the modules report."""
    version = re.search(r'^MODULE_VERSION\("(.+)"\);', read(source), re.M)[1]
    changes = read(doc).partition('\nChanges\n=======\n')[2]
    if re.search(r'^(\S+), .*\n  \* ', changes, re.M)[1] != version:
        wrong.append(f'{os.path.relpath(doc, ROOT)}: version {version} does not come first')


def main():
    known = suites()
    docs = glob.glob(f'{ROOT}/Documentation/*.rst')
    check_sections(docs)
    check_links(f'{ROOT}/README.md')
    check_version(f'{ROOT}/ttm_fence_lru/lru.c', f'{ROOT}/Documentation/carrying-on.rst')
    check_rows(f'{ROOT}/scripts/demo-report.py', f'{ROOT}/Documentation/output.rst')
    for doc in docs:
        text = read(doc)
        check_includes(doc, text)
        if os.path.basename(doc) in ('promises.rst', 'locking.rst', 'driver-guide.rst'):
            check_cases(doc, text, known)
    for line in wrong:
        print(f'error: {line}')
    return bool(wrong)


sys.exit(main())
