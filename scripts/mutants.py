#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Breaks the engine and its glue, one small change at a time, and sees whether their tests
notice.

Mechanical mutants are generated from the present source by pattern; named ones are
files in tests/mutants/. Each is compiled into a copy of its module, which a guest loads
together with the KUnit suites for it. To be called by mutants.sh, which builds the kernel.
"""

import argparse
import collections
import concurrent.futures
import dataclasses
import difflib
import hashlib
import json
import os
import pathlib
import queue
import random
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
import threading
import time

# ---------------------------------------------------------------- reading C

LOOP_MACRO = re.compile(r'\w*for_each\w*$')
DECLARATION = re.compile(
    r'(static|const|struct|union|enum|unsigned|signed|int|long|char|bool|void|size_t|'
    r'[us](8|16|32|64)|va_list|[a-z]\w*_t|DECLARE_\w+|DEFINE_\w+|LIST_HEAD)\b')
ASSIGNMENT = re.compile(r'(?<![=!<>])(\|=|&=|\+=|-=|\*=|/=|%=|\^=|<<=|>>=|=)(?!=)')
COMPARISON = re.compile(r'(==|!=|<=|>=|(?<![<-])(?<!-)<(?![<=])|(?<![->])>(?![>=]))')
OPPOSITE = {'==': '!=', '!=': '==', '<': '>=', '>=': '<', '>': '<=', '<=': '>'}
OFF_BY_ONE = {'<': '<=', '<=': '<', '>': '>=', '>=': '>'}
LIMIT = re.compile(r'(max|MAX|size|SIZE|count|quota|budget|limit|BATCH|HOLD)')

LOCKS = {'spin_lock': 'spin_unlock', 'spin_lock_nested': 'spin_unlock',
         'mutex_lock_nested': 'mutex_unlock', 'spin_lock_bh': 'spin_unlock_bh',
         'spin_lock_irq': 'spin_unlock_irq', 'mutex_lock': 'mutex_unlock',
         'rcu_read_lock': 'rcu_read_unlock', 'write_lock': 'write_unlock',
         'read_lock': 'read_unlock', 'down_read': 'up_read', 'down_write': 'up_write',
         'write_seqcount_begin': 'write_seqcount_end',
         'fs_reclaim_acquire': 'fs_reclaim_release'}
UNLOCKS = set(LOCKS.values())
# These only look, or are the tests' own door into the engine.
NO_STATEMENT = re.compile(r'(lockdep_\w+|might_\w+|WARN\w*|KUNIT_\w+|va_start|va_end|'
                          r'static_assert|BUILD_BUG\w*|trace_ttm_\w+)\b')
TAILS = {'list_add': 'list_add_tail', 'list_move': 'list_move_tail',
         'list_splice_init': 'list_splice_tail_init', 'list_splice': 'list_splice_tail',
         'list_for_each_entry': 'list_for_each_entry_reverse',
         'list_for_each_entry_safe': 'list_for_each_entry_safe_reverse',
         'list_first_entry': 'list_last_entry'}
TAILS.update({tail: head for head, tail in list(TAILS.items())})
BARRIERS = [(re.compile(r'\bsmp_store_release\('), 'WRITE_ONCE(*'),
            (re.compile(r'\bsmp_load_acquire\('), 'READ_ONCE(*'),
            (re.compile(r'\bsmp_store_mb\('), 'WRITE_ONCE('),
            (re.compile(r'\batomic_inc_return\b'), 'atomic_inc'),
            (re.compile(r'\batomic_read_acquire\b'), 'atomic_read'),
            (re.compile(r'\batomic_set_release\b'), 'atomic_set'),
            (re.compile(r'\bhash_add_rcu\b'), 'hash_add'),
            (re.compile(r'\bhash_del_rcu\b'), 'hash_del'),
            (re.compile(r'\bkfree_rcu\((\w+), \w+\)'), r'kfree(\1)'),
            (re.compile(r'\bsmp_(mb|rmb|wmb|mb__\w+)\(\)'), 'barrier()')]


def mask(text):
    """The same text, with blanks for comments, strings and what the preprocessor reads."""
    def blank(match):
        return re.sub(r'[^\n]', ' ', match.group())

    text = re.sub(r'/\*.*?\*/|//[^\n]*', blank, text, flags=re.S)
    text = re.sub(r'"(\\.|[^"\\\n])*"|\'(\\.|[^\'\\\n])*\'',
                  lambda match: '"' + '_' * (len(match.group()) - 2) + '"', text)
    return re.sub(r'^[ \t]*#([^\n]*\\\n)*[^\n]*', blank, text, flags=re.M)


@dataclasses.dataclass
class Mutant:
    """One change: the edits are (start, end, new text) in the file."""
    path: str
    line: int
    kind: str
    function: str
    edits: list
    id: str = ''
    text: str = ''
    breaks: str = ''
    run: str = ''

    def apply(self, source):
        for start, end, new in sorted(self.edits, reverse=True):
            # Lines keep their numbers, which warnings name.
            lines = source[start:end].count('\n') - new.count('\n')
            source = source[:start] + new + '\n' * max(lines, 0) + source[end:]
        return source


class Function:
    """Finds the mutants of one function by reading its statements."""

    def __init__(self, path, source, code, name, returns, start, end):
        self.path, self.source, self.code = path, source, code
        self.name, self.returns = name, returns
        self.mutants = []
        self.calls = []
        self.block(start, end)
        self.pairs()

    def add(self, kind, at, *edits):
        line = self.source.count('\n', 0, at) + 1
        self.mutants.append(Mutant(self.path, line, kind, self.name, list(edits)))

    # -- positions

    def skip(self, pos, end):
        while pos < end and self.code[pos].isspace():
            pos += 1
        return pos

    def trim(self, start, end):
        start = self.skip(start, end)
        while end > start and self.code[end - 1].isspace():
            end -= 1
        return start, end

    def close(self, pos):
        """After the bracket that closes the one at pos."""
        pairs = {'(': ')', '[': ']', '{': '}'}
        stack = []
        while True:
            char = self.code[pos]
            if char in pairs:
                stack.append(pairs[char])
            elif stack and char == stack[-1]:
                stack.pop()
                if not stack:
                    return pos + 1
            pos += 1

    def level(self, start, end):
        """The text from start to end with all that is in brackets blanked."""
        out = []
        pos = start
        while pos < end:
            if self.code[pos] in '([{':
                close = self.close(pos)
                out.append('(' + ' ' * (close - pos - 2) + ')')
                pos = close
            else:
                out.append(self.code[pos])
                pos += 1
        return ''.join(out)

    def semicolon(self, pos, end):
        while self.code[pos] != ';':
            pos = self.close(pos) if self.code[pos] in '([{' else pos + 1
            if pos >= end:
                raise ValueError(f'{self.path}: {self.name}: a statement has no end')
        return pos

    # -- statements

    def block(self, start, end):
        pos = self.skip(start, end)
        while pos < end:
            pos = self.skip(self.statement(pos, end), end)

    def statement(self, pos, end):
        """Reads one statement; returns where it ends."""
        pos = self.skip(pos, end)
        if self.code[pos] == '{':
            close = self.close(pos)
            self.block(pos + 1, close - 1)
            return close
        if self.code[pos] == ';':
            return pos + 1
        word = re.compile(r'\w+').match(self.code, pos)
        word = word.group() if word else ''
        after = self.skip(pos + len(word), end)
        if word in ('if', 'while', 'switch'):
            close = self.close(after)
            if word != 'switch':
                self.condition(after + 1, close - 1)
            else:
                self.expression(after + 1, close - 1)
            return self.statement(close, end)
        if word == 'else':
            return self.statement(after, end)
        if word == 'do':
            pos = self.skip(self.statement(after, end), end)
            paren = self.code.index('(', pos)
            close = self.close(paren)
            self.condition(paren + 1, close - 1)
            return self.semicolon(close, end) + 1
        if word == 'for':
            return self.for_loop(after, end)
        if word == 'return':
            stop = self.semicolon(pos, end)
            if after < stop:
                self.returned(after, stop)
            return stop + 1
        if word in ('goto', 'break', 'continue'):
            return self.semicolon(pos, end) + 1
        if word == 'case':
            return self.code.index(':', pos) + 1
        if word and self.code[after] == ':':
            return self.skip(after + 1, end)
        if LOOP_MACRO.match(word) and self.code[after] == '(':
            close = self.close(after)
            self.call_patterns(pos, close)
            self.expression(after + 1, close - 1)
            return self.statement(close, end)
        stop = self.semicolon(pos, end)
        if DECLARATION.match(self.code, pos):
            self.call_patterns(pos, stop)
            self.expression(pos, stop)
        else:
            self.simple(pos, stop, (pos, stop))
        return stop + 1

    def for_loop(self, paren, end):
        close = self.close(paren)
        first = self.semicolon(paren + 1, close)
        second = self.semicolon(first + 1, close)
        start, stop = self.trim(paren + 1, first)
        if start < stop:
            self.simple(start, stop, (start, stop))
        start, stop = self.trim(first + 1, second)
        if start < stop:
            self.condition(start, stop)
        at = second + 1
        level = self.level(at, close - 1)
        for part in re.finditer(r'[^,]+', level):
            start, stop = self.trim(at + part.start(), at + part.end())
            if start < stop:
                self.simple(start, stop, (start, stop), '(void)0')
        return self.statement(close, end)

    def simple(self, start, stop, whole, nothing=''):
        """An expression that is a statement: drop it, and look into it."""
        text = self.code[start:stop]
        call = re.match(r'(\w+)\s*\(', text)
        name = call.group(1) if call else ''
        if name in LOCKS or name in UNLOCKS:
            # Of a nested lock the first argument is the lock.
            lock = re.sub(r'\s', '', text[len(name):]).split(',', maxsplit=1)[0].rstrip(')')
            self.calls.append((name, lock, whole))
            return
        self.call_patterns(start, stop)
        self.expression(start, stop)
        if NO_STATEMENT.match(text):
            return
        kind = 'drop'
        if re.search(r'ops->resurrect\b', text):
            kind = 'get'
        elif re.search(r'ops->put\b', text) or name == 'dma_fence_put':
            kind = 'put'
        elif name == 'synchronize_rcu':
            kind = 'barrier'
        self.add(kind, start, (*whole, nothing))
        # A flag that collects.
        sign = re.search(r'(\|=|&=)', self.level(start, stop))
        if sign:
            at = start + sign.start()
            self.add('logic', at, (at, at + 2, '='))

    def returned(self, start, stop):
        self.call_patterns(start, stop)
        text = self.code[start:stop].strip()
        if self.returns != 'bool':
            self.expression(start, stop)
        elif text in ('true', 'false'):
            self.add('negate', start, (start, stop, 'false' if text == 'true' else 'true'))
        else:
            self.condition(start, stop)

    def pairs(self):
        """Each lock with its unlocks; what is locked or unlocked elsewhere, alone."""
        calls = list(self.calls)
        while calls:
            name, argument, (start, stop) = calls.pop(0)
            edits = [(start, stop, '')]
            if name in LOCKS:
                rest = []
                done = False
                for call in calls:
                    if call[0] == name and call[1] == argument:
                        done = True
                    if not done and call[0] == LOCKS[name] and call[1] == argument:
                        edits.append((*call[2], ''))
                    else:
                        rest.append(call)
                calls = rest
            self.add('rcu' if name.startswith('rcu') else 'lock', start, *edits)

    # -- expressions

    def condition(self, start, stop):
        self.call_patterns(start, stop)
        self.negate(start, stop)
        self.expression(start, stop, negated=True)

    def negate(self, start, stop):
        """The opposite, written so that no two mutants mean the same."""
        start, stop = self.trim(start, stop)
        level = self.level(start, stop)
        plain = not re.search(r'&&|\|\||\?', level) and not ASSIGNMENT.search(level)
        sign = COMPARISON.search(level)
        if plain and sign:
            at = start + sign.start()
            self.add('negate', at, (at, at + len(sign.group()), OPPOSITE[sign.group()]))
        elif plain and level.startswith('!'):
            self.add('negate', start, (start, start + 1, ''))
        else:
            self.add('negate', start, (start, stop, f'!({self.source[start:stop]})'))

    def split(self, start, stop, level, pattern):
        """Where the operands of an operator at this level are, and the operators."""
        signs = [(start + m.start(), start + m.end()) for m in re.finditer(pattern, level)]
        edges = [start] + [edge for sign in signs for edge in sign] + [stop]
        return [self.trim(edges[i], edges[i + 1]) for i in range(0, len(edges), 2)], signs

    def expression(self, start, stop, negated=False):
        """Looks for conditions and comparisons; the caller may have negated the whole."""
        start, stop = self.trim(start, stop)
        if start >= stop:
            return
        level = self.level(start, stop)
        parts, signs = self.split(start, stop, level, ',')
        if signs:
            for part in parts:
                self.expression(*part)
            return
        sign = ASSIGNMENT.search(level)
        if sign:
            self.expression(start + sign.end(), stop)
            self.inner(start, start + sign.start())
            return
        mark = level.find('?')
        if mark >= 0:
            self.ternary(start, stop, level, mark)
            return
        for pattern, other in ((r'\|\|', '&&'), ('&&', '||')):
            parts, signs = self.split(start, stop, level, pattern)
            if not signs:
                continue
            for sign in signs:
                self.add('logic', sign[0], (*sign, other))
            for part in parts:
                if not re.search(r'&&|\|\|', self.level(*part)):
                    self.negate(*part)
                self.expression(*part, negated=True)
            return
        sign = COMPARISON.search(level)
        if sign:
            self.comparison(start, stop, sign, negated)
        elif level.startswith('!') and not negated:
            self.negate(start, stop)
        self.inner(start, stop)

    def ternary(self, start, stop, level, mark):
        depth = 0
        for colon in range(mark + 1, len(level)):
            depth += {'?': 1, ':': -1}.get(level[colon], 0)
            if depth < 0:
                break
        cond = self.trim(start, start + mark)
        if colon == mark + 1:
            kept = self.source[slice(*cond)]
            rest = self.source[start + colon + 1:stop].strip()
            self.add('negate', start, (start, stop, f'!({kept}) ? {kept} : {rest}'))
        else:
            self.negate(*cond)
            self.expression(start + mark + 1, start + colon)
        self.expression(*cond, negated=True)
        self.expression(start + colon + 1, stop)

    def comparison(self, start, stop, sign, negated):
        at, end, text = start + sign.start(), start + sign.end(), sign.group()
        if not negated:
            self.negate(start, stop)
        if text in OFF_BY_ONE:
            self.add('bound', at, (at, end, OFF_BY_ONE[text]))
            if 'seq' in self.code[start:at] and 'seq' in self.code[end:stop]:
                other = {'<': '>', '<=': '>=', '>': '<', '>=': '<='}[text]
                self.add('order', at, (at, end, other))
        elif LIMIT.search(self.code[end:stop]):
            self.add('bound', at, (stop, stop, ' - 1'))

    def inner(self, start, stop):
        """What is in brackets."""
        pos = start
        while pos < stop:
            if self.code[pos] in '([{':
                close = self.close(pos)
                self.expression(pos + 1, close - 1)
                pos = close
            else:
                pos += 1

    # -- patterns of calls

    def call_patterns(self, start, stop):
        text = self.code[start:stop]
        for match in re.finditer(r'\b(list_\w+)\s*\(', text):
            at = start + match.start(1)
            if match.group(1) in TAILS:
                self.add('tail', at, (at, start + match.end(1), TAILS[match.group(1)]))
            elif match.group(1) == 'list_first_entry_or_null':
                paren = start + match.end() - 1
                close = self.close(paren)
                head = self.source[paren + 1:close].split(',')[0]
                self.add('tail', at, (at, start + match.end(1),
                                      f'list_empty({head}) ? NULL : list_last_entry'))
        for match in re.finditer(r'\bdma_fence_get(_rcu)?\s*\(', text):
            at = start + match.start()
            self.add('get', at, (at, start + match.end() - 1, ''))
        for pattern, weaker in BARRIERS:
            for match in pattern.finditer(text):
                at = start + match.start()
                self.add('barrier', at, (at, start + match.end(), match.expand(weaker)))


def functions(path, source):
    """Every function of a file, kernel style: its braces stand in the first column."""
    code = mask(source)
    for brace in re.finditer(r'^\{', code, flags=re.M):
        head = code[:brace.start()].rstrip()
        if not head.endswith(')'):
            continue
        depth, pos = 0, len(head)
        while True:
            pos -= 1
            depth += {')': 1, '(': -1}.get(head[pos], 0)
            if not depth:
                break
        name = re.search(r'(\w+)\s*$', head[:pos])
        before = head[:name.start()]
        returns = re.split(r'[;}]', before)[-1].strip()
        returns = re.sub(r'\b(static|inline|__\w+)\b', '', returns).strip()
        end = code.index('\n}', brace.start())
        yield Function(path, source, code, name.group(1), returns, brace.end(), end + 1)


def squeeze(text):
    return re.sub(r'\s+', ' ', text).strip()


class Part:
    """What is broken, and by which tests it is tried: the engine, or TTM's glue."""

    def __init__(self, name, root, tree, pristine):
        self.name, self.root = name, root
        self.own = name == 'engine'
        if self.own:
            self.base, self.pristine = root, None
            self.directory = root / 'ttm_fence_lru'
            self.inside = 'drivers/gpu/drm/ttm_fence_lru/ttm_fence_lru'
            self.module, self.tests = 'ttm_fence_lru', 'ttm_fence_lru_test'
        else:
            self.base, self.pristine = tree, pristine
            self.directory = tree / 'drivers/gpu/drm/ttm'
            self.inside = 'drivers/gpu/drm/ttm'
            self.module, self.tests = 'ttm', 'ttm_fence_lru_ttm_test'
        # The suites of the glue sleep most of the time; here that takes none.
        self.arguments = [] if self.own else ['time-travel']

    def paths(self):
        return sorted(self.directory.glob('*.[ch]'))

    def is_ours(self, path, source):
        """Tells whether a line, counted from 1, is one that the patches added."""
        if self.own:
            return lambda line: True
        before = self.pristine / path.relative_to(self.base)
        if not before.exists():
            return lambda line: True
        matcher = difflib.SequenceMatcher(None, before.read_text(encoding='utf-8').split('\n'),
                                          source.split('\n'), autojunk=False)
        ours = {line + 1 for tag, _, _, start, end in matcher.get_opcodes() if tag != 'equal'
                for line in range(start, end)}
        return ours.__contains__


def mechanical(part):
    """All mechanical mutants of the present source, with stable names."""
    mutants = []
    for path in part.paths():
        source = path.read_text(encoding='utf-8')
        name = str(path.relative_to(part.base))
        is_ours = part.is_ours(path, source)
        found = [m for f in functions(name, source) for m in f.mutants if is_ours(m.line)]
        seen, count = set(), collections.Counter()
        for mutant in sorted(found, key=lambda m: (m.line, m.kind, m.edits)):
            changed = mutant.apply(source)
            if changed in seen or changed == source:
                continue
            seen.add(changed)
            where = f'{path.name}:{mutant.line}:{mutant.kind}'
            count[where] += 1
            mutant.id = where + (f'.{count[where]}' if count[where] > 1 else '')
            mutant.text = summary_line(mutant, source, changed)
            mutants.append(mutant)
    return mutants


def summary_line(mutant, source, changed):
    """What a mutant is known by in the document: the line as it is then, or was."""
    start, end, new = mutant.edits[0]
    if new in ('', '(void)0') and mutant.kind not in ('negate', 'tail'):
        return squeeze(source[start:end]) + (
            '(...)' if mutant.kind == 'get' and source[end] == '(' else '')
    return squeeze(changed.split('\n')[mutant.line - 1])


def named(part):
    """The mutants that somebody thought of: tests/mutants/<part>/*.mutant."""
    mutants, root = [], part.base
    for path in sorted((part.root / 'tests/mutants' / part.name).glob('*.mutant')):
        text = path.read_text(encoding='utf-8')
        match = re.fullmatch(r'(?:#[^\n]*\n)*Breaks: (.*?)\n(?:Run: ([^\n]*)\n)?'
                             r'File: (\S+)\n((?:Old:\n.*?\nNew:\n.*)+)', text, flags=re.S)
        if not match:
            sys.exit(f'error: {path}: must have Breaks:, File:, Old:, New:')
        breaks, run, name, changes = match.groups()
        source = (root / name).read_text(encoding='utf-8')
        edits = []
        for change in re.split(r'^Old:\n', changes, flags=re.M)[1:]:
            old, new = re.split(r'^New:\n', change, flags=re.M)
            if source.count(old) != 1:
                sys.exit(f'error: {path}: its old text stands {source.count(old)} times, '
                         f'not once, in {name}:\n{old}')
            start = source.index(old)
            edits.append((start, start + len(old), new))
        mutants.append(Mutant(name, source.count('\n', 0, edits[0][0]) + 1, 'named', '',
                              edits, id=path.stem, breaks=squeeze(breaks), run=run or ''))
    return mutants


def diff(mutant, root):
    """Only the lines that differ."""
    source = (root / mutant.path).read_text(encoding='utf-8')
    lines = difflib.unified_diff(source.splitlines(), mutant.apply(source).splitlines(),
                                 n=0, lineterm='')
    return [line for line in list(lines)[2:]
            if not line.startswith('@@') and line not in ('+', '-')]


# ---------------------------------------------------------------- what a log says

CASE = re.compile(r'^(?:\[[ 0-9.]*\])? {4,}(not ok|ok) \d+ (\w+)', re.M)
SUITE = re.compile(r'# Subtest: (\w+)')
LOCKING = re.compile(
    r'possible (circular|recursive|irq) lock|inconsistent lock state|suspicious RCU usage|'
    r'bad unlock balance|lock held when returning|held lock freed|Invalid wait context|'
    r'sleeping function called|scheduling while atomic|'
    r'DEBUG_LOCKS_WARN_ON|still has locks held|lock.*already unlocked|'
    r'Voluntary context switch within RCU|nested lock was not taken|'
    r'spinlock (recursion|already unlocked|wrong|bad)|workqueue leaked lock|'
    r'context imbalance|exited with irqs disabled|trying to register non-static key')
REPORT = re.compile(
    r'KASAN:|Kernel panic|Oops|kernel BUG at|WARNING: at|\bBUG:|list_(add|del) corruption|'
    r'refcount_t:|UBSAN:|detected stall|INFO: task .* blocked|segfault|Out of memory|'
    r'has \d+ allocated at module unload')
AT = re.compile(r'WARNING: (?:CPU: \d+ PID: \d+ )?at (\S+):(\d+)')


class Sources:
    """Tells a failed assertion of lockdep from other warnings, by its source line."""

    def __init__(self, *directories):
        self.directories = directories

    def line(self, path, number):
        for directory in self.directories:
            file = directory / os.path.basename(path)
            if file.exists():
                lines = file.read_text(encoding='utf-8').split('\n')
                return lines[number - 1] if number <= len(lines) else ''
        return ''

    def is_locking(self, line):
        if LOCKING.search(line):
            return True
        at = AT.search(line)
        return bool(at) and ('kernel/locking/' in at.group(1) or
                             'lockdep_assert' in self.line(at.group(1), int(at.group(2))))


def read_cases(log):
    """The verdict of each KUnit case: suite.case -> ok."""
    cases, suite = {}, ''
    for line in log.split('\n'):
        found = SUITE.search(line)
        if found:
            suite = found.group(1)
        found = CASE.match(line)
        if found:
            cases[f'{suite}.{found.group(2)}'] = found.group(1) == 'ok'
    return cases


def heading(line):
    """What a report says, wherever the file was compiled, and however long a function is."""
    text = re.sub(r'^\[[ 0-9.]*\] *', '', line)
    text = re.sub(r'CPU: \d+ PID: \d+ at', 'at', text)
    text = re.sub(r'[\w./-]*/([\w-]+\.[ch]:\d+)', r'\1', text)
    return re.sub(r'\+0x[0-9a-f]+/0x[0-9a-f]+', '', text)


def read_reports(log, sources, provoked=None):
    """The headings of what the kernel complained about: of locking, and all others.

    What is provoked, so often, is left out.
    """
    locking, others = [], []
    left = collections.Counter(provoked)
    for line in log.split('\n'):
        text = heading(line)
        if left[text]:
            left[text] -= 1
        elif sources.is_locking(line):
            locking.append(text)
        elif REPORT.search(text):
            others.append(text)
    if 'Call Trace:' in log and not locking and not others and not provoked:
        others.append('a call trace without a heading')
    return locking, others


def classify(log, status, sound, sources, provoked=None):
    """How a mutant ended, and by what; None if nobody noticed."""
    cases = read_cases(log)
    failed = [name for name, passed in cases.items() if not passed]
    locking, others = read_reports(log, sources, provoked)
    if failed:
        return 'kunit', failed
    if others:
        return 'report', others[:3]
    if status == 124:
        return 'hang', [next((name for name in sound if name not in cases), 'at the end')]
    if locking:
        return 'lockdep', locking[:3]
    if status in (130, 137, 143):
        raise RuntimeError('the guest was stopped from outside')
    # 99 is that the kernel complained.
    if status not in (0, 99 if provoked else 0):
        return 'report', [f'the guest ended with {status}']
    missing = [name for name in sound if name not in cases]
    if missing:
        return 'report', ['no verdict: ' + missing[0]]
    return None, []


# ---------------------------------------------------------------- building and running

class Kernel:
    """The kernel that is there, and how kbuild made the module of it."""

    def __init__(self, part, tree, out):
        self.part, self.tree, self.out = part, tree, out
        self.inside = part.inside
        self.tests = out / f'drivers/gpu/drm/ttm_fence_lru/kunit/{part.tests}.ko'
        objects = (out / self.inside / f'{part.module}.mod').read_text().split()
        self.objects = [pathlib.Path(name) for name in objects]

    def command(self, target):
        file = self.out / self.inside / f'.{target}.cmd'
        return re.match(r'savedcmd_\S+ := (.*)', file.read_text()).group(1)

    def run(self, command):
        return subprocess.run(command, shell=True, cwd=self.out, capture_output=True,
                              text=True, check=False)

    def compile(self, scratch, name):
        """Compile a file of the scratch copy as kbuild did. Returns errors, or none."""
        command = self.command(f'{name}.o')
        source = f'{self.tree}/{self.inside}/{name}.c'
        if source not in command:
            sys.exit(f'error: the command for {name}.o does not name {source}')
        command = command.replace(f' {source}', f' {scratch}/{name}.c')
        command = command.replace(f'-o {self.inside}/{name}.o', f'-o {scratch}/{name}.o')
        command = re.sub(r'-Wp,-MMD,\S+', f'-fmacro-prefix-map={scratch}=.', command)
        # A variable that a mutant leaves unset is not to be right by chance.
        command = command.replace('-ftrivial-auto-var-init=zero',
                                  '-ftrivial-auto-var-init=pattern')
        result = self.run(command)
        return result.stderr if result.returncode else None

    def link(self, scratch):
        """The module, of what is in the scratch copy and else of kbuild's objects."""
        objects = [scratch / path.name if (scratch / path.name).exists()
                   else self.out / path for path in self.objects]
        name = self.part.module
        whole, module = scratch / 'all.o', scratch / f'{name}.ko'
        command = self.command(f'{name}.o')
        command = re.sub(r'-o \S+ @\S+', f'-o {whole} ' + ' '.join(map(str, objects)), command)
        result = self.run(command)
        if not result.returncode:
            command = self.command(f'{name}.ko')
            command = command.replace(f'{self.inside}/{name}.ko', str(module))
            command = command.replace(f'{self.inside}/{name}.o', str(whole))
            result = self.run(command)
        return result.stderr if result.returncode else None

    def code(self, path):
        """What is in an object file, names and debug information aside."""
        flat = path.with_suffix('.bin')
        subprocess.run(['objcopy', '--strip-debug', '-R', '.comment', path, flat], check=True)
        digest = hashlib.sha256(flat.read_bytes()).hexdigest()
        flat.unlink()
        return digest


class Lab:
    """Runs mutants, each worker in a scratch directory of its own."""

    def __init__(self, args, part, kernel, directory):
        self.args, self.part, self.kernel = args, part, kernel
        self.memory = Memory(directory / f'verdicts-{part.name}.jsonl', kernel, args.seed)
        self.logs = directory / 'logs'
        self.logs.mkdir(parents=True, exist_ok=True)
        self.sources = Sources(part.directory, part.root / 'ttm_fence_lru',
                               part.root / 'kunit')
        self.workers = queue.Queue()
        for number in range(args.jobs):
            scratch = directory / f'worker-{number}'
            shutil.rmtree(scratch, ignore_errors=True)
            scratch.mkdir()
            self.workers.put((number, scratch))
        self.sound, self.provoked, self.limit, self.codes = [], None, 120, {}

    def boot(self, number, module, limit):
        """Boots the guest; returns its exit status and its log."""
        name = f'mutant-{number}'
        scripts = self.part.root / 'scripts'
        command = [scripts / 'boot.sh', '-t', str(limit), '-m', '256M', '-l', name,
                   'um-mutants', 'kunit.enable=1', 'kunit.autorun=1', *self.part.arguments, '--',
                   scripts / 'mutants-guest.sh', self.part.name, module, self.kernel.tests,
                   str(self.args.seed)]
        result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True,
                                check=False)
        log = self.part.root / f'build/logs/boot-{name}.log'
        with open(log, 'rb') as file:
            text = file.read(4 << 20).decode('utf-8', 'replace')
        return result.returncode, text

    def run_sound(self):
        """The module as it is must pass; and its time is the measure for hangs."""
        number, scratch = self.workers.get()
        self.fill(scratch)
        names = [path.stem for path in self.kernel.objects]
        start = time.monotonic()
        for name in names:
            error = self.kernel.compile(scratch, name)
            if error:
                sys.exit(f'error: {name}.c does not compile:\n{error}')
            self.codes[name] = self.kernel.code(scratch / f'{name}.o')
        built = time.monotonic()
        if self.kernel.link(scratch):
            sys.exit('error: the module cannot be linked')
        status, log = self.boot(number, scratch / f'{self.part.module}.ko', 600)
        took = time.monotonic() - built
        (self.logs / f'sound-{self.part.name}.log').write_text(log, encoding='utf-8')
        self.sound = list(read_cases(log))
        if not self.part.own:
            locking, others = read_reports(log, self.sources)
            self.provoked = collections.Counter(locking + others)
        end, by = classify(log, status, self.sound, self.sources, self.provoked)
        if end or not self.sound:
            sys.exit(f'error: the sound {self.part.name} does not pass: {end}: '
                     f'{"; ".join(by)}\n'
                     f'       See build/mutants/logs/sound-{self.part.name}.log')
        # The machine may be busier later.
        self.limit = max(20, int(took * 10))
        print(f'  the sound {self.part.name} passes {len(self.sound)} cases in {took:.1f} s '
              f'({(built - start) / len(names):.1f} s to compile a file); '
              f'what takes longer than {self.limit} s hangs', flush=True)
        self.workers.put((number, scratch))

    def fill(self, scratch):
        shutil.rmtree(scratch)
        scratch.mkdir()
        for path in self.part.paths():
            shutil.copy(path, scratch)

    def try_mutant(self, mutant):
        """Compiles, loads and judges one mutant, unless that was done before."""
        changes = diff(mutant, self.part.base)
        verdict = self.memory.recall(mutant, changes)
        if verdict:
            return verdict
        number, scratch = self.workers.get()
        start = time.monotonic()
        try:
            end, by = self.judge(mutant, number, scratch)
        finally:
            self.workers.put((number, scratch))
        verdict = {'id': mutant.id, 'kind': mutant.kind, 'function': mutant.function,
                   'file': mutant.path, 'line': mutant.line, 'text': mutant.text,
                   'result': end, 'by': by, 'seconds': round(time.monotonic() - start, 1),
                   'diff': changes}
        self.memory.remember(verdict)
        return verdict

    def judge(self, mutant, number, scratch):
        self.fill(scratch)
        source = (self.part.base / mutant.path).read_text(encoding='utf-8')
        name = pathlib.Path(mutant.path).name
        (scratch / name).write_text(mutant.apply(source), encoding='utf-8')
        names = [name[:-2]] if name.endswith('.c') else [p.stem for p in self.kernel.objects]
        same = True
        for one in names:
            error = self.kernel.compile(scratch, one)
            if error:
                return 'stillborn', [line for line in error.split('\n') if 'error:' in line][:1]
            same = same and self.kernel.code(scratch / f'{one}.o') == self.codes[one]
        if same:
            return 'same code', []
        error = self.kernel.link(scratch)
        if error:
            return 'stillborn', [error.strip().split('\n')[-1]]
        status, log = self.boot(number, scratch / f'{self.part.module}.ko', self.limit)
        (self.logs / f'{mutant.id}.log').write_text(log, encoding='utf-8')
        end, by = classify(log, status, self.sound, self.sources, self.provoked)
        return end or 'survived', by


class Memory:
    """Verdicts of earlier runs, which may have been interrupted.

    The same mutant of the same sources, tried by the same tests, ends the same.
    """

    def __init__(self, path, kernel, seed):
        digest = hashlib.sha256(str(seed).encode())
        part = kernel.part
        files = sorted({*(part.root / 'ttm_fence_lru').glob('*.[ch]'), *part.paths()})
        files += sorted((part.root / 'include').rglob('*.h'))
        for file in files + [kernel.tests, kernel.out / '.config', pathlib.Path(__file__),
                             part.root / 'scripts/mutants-guest.sh']:
            digest.update(file.read_bytes())
        self.path, self.same, self.verdicts = path, digest.hexdigest(), {}
        self.recalled, self.lock = 0, threading.Lock()
        if path.exists():
            for line in path.read_text(encoding='utf-8').splitlines():
                verdict = json.loads(line)
                if verdict.pop('same') == self.same:
                    self.verdicts[verdict['id'], tuple(verdict['diff'])] = verdict

    def recall(self, mutant, changes):
        verdict = self.verdicts.get((mutant.id, tuple(changes)))
        with self.lock:
            self.recalled += verdict is not None
        return verdict

    def remember(self, verdict):
        with self.lock, open(self.path, 'a', encoding='utf-8') as file:
            file.write(json.dumps({'same': self.same, **verdict}) + '\n')


# ---------------------------------------------------------------- survivors and their reasons

class Explained:
    """The survivors that Documentation/mutants.rst gives a reason for."""

    def __init__(self, path):
        self.rows, self.used = [], set()
        text = path.read_text(encoding='utf-8') if path.exists() else ''
        for row in re.findall(r'^   \* - (.*?)(?=^   \* - |^\S|\Z)', text, flags=re.S | re.M):
            cells = [squeeze(cell).strip('`') for cell in re.split(r'^     - ', row, flags=re.M)]
            if len(cells) == 4 and cells[1] != 'kind':
                if cells[3] == 'Likewise.' and self.rows:
                    cells[3] = self.rows[-1][3]
                self.rows.append(cells)

    def reason(self, result):
        for number, (function, kind, text, reason) in enumerate(self.rows):
            if function == result['function'] and kind in ('*', result['kind']) and \
                    text in ('*', squeeze(result['text'])):
                self.used.add(number)
                return reason
        return None

    def stale(self):
        return [' | '.join(row[:3]) for number, row in enumerate(self.rows)
                if number not in self.used]


# ---------------------------------------------------------------- reporting

KILLED = ('kunit', 'case', 'report', 'lockdep', 'hang')
NOT_COUNTED = ('stillborn', 'same code')


def table(results):
    kinds = sorted({result['kind'] for result in results})
    columns = ('kunit', 'report', 'lockdep', 'hang', 'survived', 'stillborn', 'same code')
    print(f'\n  {"kind":10}{"tried":>7}' + ''.join(f'{name:>11}' for name in columns))
    for kind in kinds + ['all']:
        rows = [r for r in results if kind in ('all', r['kind'])]
        count = collections.Counter(r['result'] for r in rows)
        print(f'  {kind:10}{len(rows):7}' + ''.join(f'{count[name]:11}' for name in columns))
    print()


def wrap(text, indent):
    return textwrap.fill(text, 96, initial_indent=indent, subsequent_indent=indent)


def report(part, results, total, explained, args, directory, seconds):
    """Prints the result of one part; returns whether it is good enough."""
    mechanical_results = [r for r in results if r['kind'] != 'named']
    named_results = [r for r in results if r['kind'] == 'named']
    for result in mechanical_results:
        if result['result'] == 'survived':
            result['reason'] = explained.reason(result)
    counted = [r for r in mechanical_results if r['result'] not in NOT_COUNTED]
    killed = [r for r in counted if r['result'] in KILLED]
    survivors = [r for r in counted if r['result'] == 'survived']
    alone = sum(r['result'] == 'lockdep' for r in killed)
    hangs = sum(r['result'] == 'hang' for r in killed)
    share = 100 * len(killed) / len(counted) if counted else 100.0
    named_killed = sum(r['result'] in KILLED for r in named_results)
    unexplained = [r for r in survivors if not r['reason']]
    good = (share >= args.least and not unexplained and
            named_killed == len(named_results))
    directory.joinpath(f'results-{part.name}.json').write_text(json.dumps({
        'seed': args.seed, 'generated': total, 'tried': len(mechanical_results),
        'counted': len(counted), 'killed': len(killed), 'percent': round(share, 1),
        'killed_by_lockdep_alone': alone, 'killed_by_hang': hangs,
        'survived': len(survivors), 'unexplained': len(unexplained),
        'named': len(named_results), 'named_killed': named_killed,
        'seconds': round(seconds), 'passed': good, 'mutants': results}, indent=1) + '\n',
        encoding='utf-8')

    table(results)
    for result in named_results:
        word = 'ok' if result['result'] in KILLED else 'not ok'
        print(f'{word} {result["id"]}: {result["result"]}: {"; ".join(result["by"][:2])}')
    print(f'\n{len(mechanical_results)} of {total} mechanical mutants tried, '
          f'{len(mechanical_results) - len(counted)} of them not counted: they do not '
          f'compile, or to the same code')
    print(f'{len(killed)} of {len(counted)} mechanical mutants killed ({share:.1f} %), '
          f'of these {alone} by lockdep alone and {hangs} by a hang')
    print(f'{named_killed} of {len(named_results)} named mutants killed')
    print(f'{len(survivors)} survived, {len(unexplained)} of them unexplained'
          + (':' if survivors else ''))
    for result in survivors:
        print(f'  {result["id"]} in {result["function"]}()')
        for line in result['diff']:
            print(f'    {line}')
        print(wrap(result['reason'] or 'NOT EXPLAINED', '      '))
    return good


def show(mutant, part):
    print(f'{mutant.id}  {mutant.function or mutant.breaks}')
    for line in diff(mutant, part.base):
        print(f'  {line}')


def progress(done, total, result):
    by = result['by'][0] if result['by'] else ''
    print(f'  {done:4}/{total} {result["result"]:9} {result["id"]:32} {by}'[:110], flush=True)


def choose(args, part):
    """The mutants to run, and how many mechanical ones there are."""
    every = mechanical(part)
    extra = named(part)
    if args.mutant:
        return [m for m in every + extra if m.id == args.mutant], len(every)
    if args.mutants < len(every):
        picked = set(random.Random(args.seed).sample(range(len(every)), args.mutants))
        return extra + [m for i, m in enumerate(every) if i in picked], len(every)
    return extra + every, len(every)


def try_part(args, part, chosen, total, explained, directory):
    """Tries the chosen mutants of one part; returns whether its tests are good enough."""
    lab = Lab(args, part, Kernel(part, args.tree, args.out), directory)
    start = time.monotonic()
    print(f'  {part.name}:')
    lab.run_sound()
    count = sum(m.kind != 'named' for m in chosen)
    print(f'  {count} of {total} mechanical mutants, seed {args.seed}; '
          f'{len(chosen) - count} named ones', flush=True)
    results = []
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for number, result in enumerate(pool.map(lab.try_mutant, chosen), 1):
            results.append(result)
            progress(number, len(chosen), result)
    seconds = time.monotonic() - start
    if lab.memory.recalled:
        print(f'  {lab.memory.recalled} were tried in an earlier run, with the same sources '
              f'and tests')
    if args.mutant:
        show(chosen[0], part)
        result = results[0]
        print(f'{result["result"]}: ' + '; '.join(result['by']))
        print(f'The log is build/mutants/logs/{result["id"]}.log')
        return result['result'] in KILLED
    good = report(part, results, total, explained, args, directory, seconds)
    print(f'\nmutants of the {part.name}: {"passed" if good else "failed"} in '
          f'{seconds / 60:.0f} minutes; see build/mutants/results-{part.name}.json\n', flush=True)
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--root', type=pathlib.Path, required=True)
    parser.add_argument('--tree', type=pathlib.Path, required=True, help='with the patches')
    parser.add_argument('--source', type=pathlib.Path, required=True, help='without them')
    parser.add_argument('--out', type=pathlib.Path, help='where the kernel was built')
    parser.add_argument('--part', choices=('engine', 'glue'), help='only this one')
    parser.add_argument('--jobs', type=int, default=2)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--mutants', type=int, default=1000, help='at most so many of a part')
    parser.add_argument('--mutant', help='only this one')
    parser.add_argument('--least', type=float, default=90, help='percent to be killed')
    parser.add_argument('--list', action='store_true', help='show all, run none')
    args = parser.parse_args()

    parts = [Part(name, args.root, args.tree, args.source)
             for name in ([args.part] if args.part else ['engine', 'glue'])]
    work = [(part, *choose(args, part)) for part in parts]
    if args.mutant:
        work = [item for item in work if item[1]]
        if not work:
            ids = [m.id for part in parts for m in mechanical(part) + named(part)]
            near = difflib.get_close_matches(args.mutant, ids, 5, 0.3)
            sys.exit(f'error: there is no mutant {args.mutant}; near it: {", ".join(near)}')
    if args.list:
        for part, chosen, _ in work:
            for mutant in chosen:
                show(mutant, part)
        return 0

    directory = args.root / 'build/mutants'
    shutil.rmtree(directory / 'logs', ignore_errors=True)
    directory.mkdir(parents=True, exist_ok=True)
    explained = Explained(args.root / 'Documentation/mutants.rst')
    good = [try_part(args, *item, explained, directory) for item in work]
    if len(work) == 2 and args.mutants >= max(total for _, _, total in work):
        for line in explained.stale():
            print(f'explained in Documentation/mutants.rst, but no survivor: {line}')
    return 0 if all(good) else 1


if __name__ == '__main__':
    sys.exit(main())
