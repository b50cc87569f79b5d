#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Undoes nouveau's repairs, one at a time, and sees whether the software chip's tests notice.

Each file of tests/mutants/nouveau/ undoes what one patch repaired, and is named by its title.
The changed file is compiled as kbuild did it; in a copy of the kernel's directory kbuild links
it to a kernel, which runs the cases that the mutant names. To be called by mutants.sh.
"""

import argparse
import dataclasses
import email
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import time

import mutants

NAME = 'nouveau'
# What there is, but for what nvkm warns of, and allocations that fail.
WHOLE = ('', '--vm', '--sleep', '--unbind-channel', '--rebind', '--unbind-open')
VERDICT = re.compile(r'^(ok|not ok) \d+ - (.*?)( # SKIP.*)?$', re.M)


@dataclasses.dataclass
class Place:
    """Where things are: ours, the patched source, and the kernel as it was built."""
    root: pathlib.Path
    base: pathlib.Path
    out: pathlib.Path
    name: str = NAME

    @property
    def directory(self):
        return self.root / 'build/mutants'

    @property
    def tool(self):
        return self.root / 'build/tools/nouveau-test/nouveau-test'


def program(run):
    return f'nouveau-test {run}'.strip()


def slugs(root):
    """The titles of nouveau's patches, as they stand in names of files."""
    found = set()
    for path in root.glob('patches/*-nouveau/*.patch'):
        subject = email.message_from_bytes(path.read_bytes())['Subject']
        title = re.sub(r'\s+', ' ', subject).removeprefix('[PATCH] ').partition(': ')[2]
        found.add(re.sub(r'[^A-Za-z0-9._]+', '-', title).strip('-'))
    return found


def read_mutants(place):
    """All of them; each is named by a patch, and names what is to be run."""
    found, titles = mutants.named(place), slugs(place.root)
    for mutant in found:
        if mutant.id not in titles:
            sys.exit(f'error: tests/mutants/{NAME}/{mutant.id}.mutant is no title of a patch')
        if not mutant.run:
            sys.exit(f'error: tests/mutants/{NAME}/{mutant.id}.mutant must have Run:')
    return found


class Kernel:
    """A copy of the kernel's directory, in which one object file may be another."""

    def __init__(self, place, jobs):
        self.place, self.jobs = place, jobs
        self.copy = place.directory / NAME
        shutil.rmtree(self.copy, ignore_errors=True)
        subprocess.run(['cp', '-a', '--reflink=auto', place.out, self.copy], check=True)

    def build(self, path, apply):
        """With that file changed. Returns errors, or none."""
        source = self.place.base / path
        changed = self.copy / 'mutant' / source.name
        changed.parent.mkdir(exist_ok=True)
        changed.write_text(apply(source.read_text(encoding='utf-8')), encoding='utf-8')
        return self.compile(path, source, changed) or self.link()

    def compile(self, path, source, changed):
        """As kbuild did."""
        record = self.place.out / pathlib.Path(path).with_name(f'.{source.stem}.o.cmd')
        command = re.match(r'savedcmd_\S+ := (.*)', record.read_text()).group(1)
        if f' {source}' not in command:
            sys.exit(f'error: the command for {source.stem}.o does not name {source}')
        command = command.replace(f' {source}', f' {changed}')
        command = re.sub(r'-Wp,-MMD,\S+', f'-fmacro-prefix-map={changed.parent}=.', command)
        return self.run(command)

    def link(self):
        return self.run(f'make --no-print-directory -C {self.place.base} O={self.copy} '
                        f'ARCH=um -j {self.jobs} linux')

    def run(self, command):
        result = subprocess.run(command, shell=True, cwd=self.copy, capture_output=True,
                                text=True, check=False, stdin=subprocess.DEVNULL)
        return result.stderr if result.returncode else None

    def restore(self, path):
        """The object as it was; but newer than what was linked of the other."""
        name = pathlib.Path(path).with_suffix('.o')
        shutil.copyfile(self.place.out / name, self.copy / name)


class Lab:
    """Boots kernels with the software chip, and judges what came of it."""

    def __init__(self, place, whole):
        self.place, self.whole = place, whole
        self.logs = place.directory / 'logs'
        self.logs.mkdir(parents=True, exist_ok=True)
        gpu = place.base / 'drivers/gpu/drm'
        self.sources = mutants.Sources(gpu / 'nouveau', gpu / 'ttm',
                                       place.root / 'ttm_fence_lru', place.root / 'nvsw')
        self.limits = {}

    def runs(self, mutant):
        return WHOLE if self.whole else (mutant.run,)

    def boot(self, kernel, run, name, limit):
        """Returns the exit status, what was printed, and the kernel's log."""
        log = f'mutant-{NAME}'
        environment = {**os.environ, 'NVSW_KERNEL': str(kernel), 'NVSW_LOG': log,
                       'BOOT_TIMEOUT': str(limit), 'VRAM_MB': '32'}
        result = subprocess.run([self.place.root / 'scripts/nvsw.sh', 'nouveau.fence_lru=1',
                                 '--', self.place.tool, *shlex.split(run)],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, env=environment, check=False)
        said = result.stdout.decode('utf-8', 'replace')
        with open(self.place.root / f'build/logs/boot-{log}.log', 'rb') as file:
            text = file.read(4 << 20).decode('utf-8', 'replace')
        (self.logs / f'{name}.log').write_text(f'{said}\n{text}', encoding='utf-8')
        return result.returncode, said, text

    def judge(self, status, said, log):
        """How a run ended, and by what; None if all is well."""
        failed = [name for word, name, _ in VERDICT.findall(said) if word == 'not ok']
        locking, others = mutants.read_reports(log, self.sources)
        if failed:
            return 'case', failed + others[:1]
        if others:
            return 'report', others[:3]
        if status == 124:
            return 'hang', ['took too long']
        if locking:
            return 'lockdep', locking[:3]
        if status in (130, 137, 143):
            raise RuntimeError('the guest was stopped from outside')
        if status:
            return 'report', [f'the guest ended with {status}']
        return None, []

    def run_sound(self, kernel, run):
        """What is built of sound sources must pass; and its time is the measure for hangs."""
        start = time.monotonic()
        status, said, log = self.boot(kernel.copy, run, f'sound-{NAME}', 900)
        took = time.monotonic() - start
        end, by = self.judge(status, said, log)
        passed = sum(word == 'ok' and not skipped for word, _, skipped in VERDICT.findall(said))
        if end or not passed:
            sys.exit(f'error: sound, {program(run)} does not pass: '
                     f'{end or "no case was run"}: {"; ".join(by)}\n'
                     f'       See build/mutants/logs/sound-{NAME}.log')
        # The machine may be busier later.
        self.limits[run] = max(120, int(took * 10))
        print(f'  sound, {program(run)} passes {passed} in {took:.0f} s', flush=True)

    def try_mutant(self, kernel, mutant):
        start = time.monotonic()
        end, by = None, []
        error = kernel.build(mutant.path, mutant.apply)
        if error:
            end, by = 'stillborn', [line for line in error.split('\n') if 'error:' in line][:1]
        for run in self.runs(mutant):
            if not end:
                end, by = self.judge(*self.boot(kernel.copy, run, mutant.id,
                                                self.limits[run]))
        kernel.restore(mutant.path)
        return {'id': mutant.id, 'breaks': mutant.breaks, 'file': mutant.path,
                'line': mutant.line, 'result': end or 'survived', 'by': by,
                'seconds': round(time.monotonic() - start, 1),
                'diff': mutants.diff(mutant, self.place.base)}


def try_all(lab, kernel, chosen):
    """Returns the results."""
    results = []
    error = kernel.build(chosen[0].path, lambda text: text)
    if error:
        sys.exit(f'error: the sound sources cannot be built:\n{error}')
    for run in dict.fromkeys(run for mutant in chosen for run in lab.runs(mutant)):
        lab.run_sound(kernel, run)
    for mutant in chosen:
        result = lab.try_mutant(kernel, mutant)
        word = 'ok' if result['result'] in mutants.KILLED else 'not ok'
        print(f'{word} {result["id"]}: {result["result"]}: {"; ".join(result["by"][:2])}',
              flush=True)
        results.append(result)
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--root', type=pathlib.Path, required=True)
    parser.add_argument('--tree', type=pathlib.Path, required=True, help='with the patches')
    parser.add_argument('--out', type=pathlib.Path, help='where the kernel was built')
    parser.add_argument('--jobs', type=int, default=2)
    parser.add_argument('--mutant', help='only this one')
    parser.add_argument('--whole', action='store_true', help='run all cases on each')
    parser.add_argument('--list', action='store_true', help='show all, run none')
    args = parser.parse_args()

    place = Place(args.root, args.tree, args.out)
    chosen = [m for m in read_mutants(place) if args.mutant in (None, m.id)]
    if args.list:
        for mutant in chosen:
            mutants.show(mutant, place)
        return 0

    place.directory.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    print(f'  {NAME}:')
    results = try_all(Lab(place, args.whole), Kernel(place, args.jobs), chosen)
    seconds = time.monotonic() - start
    killed = sum(r['result'] in mutants.KILLED for r in results)
    good = killed == len(results)
    if args.mutant:
        mutants.show(chosen[0], place)
        print(f'The log is build/mutants/logs/{args.mutant}.log')
        return 0 if good else 1
    (place.directory / f'results-{NAME}.json').write_text(json.dumps({
        'named': len(results), 'named_killed': killed, 'seconds': round(seconds),
        'passed': good, 'mutants': results}, indent=1) + '\n', encoding='utf-8')
    print(f'\n{killed} of {len(results)} named mutants killed\n\n'
          f'mutants of {NAME}: {"passed" if good else "failed"} in {seconds / 60:.0f} minutes; '
          f'see build/mutants/results-{NAME}.json\n')
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
