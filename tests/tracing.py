#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""tracing.py <directory> ...

Checks what events of the engine and of TTM say of a replay, in the directories that
scripts/tracing-guest.sh filled: that it is true, by itself and beside the software GPU's
counters. Every event that the kernel offers must have been met in one of them.
"""

import collections
import json
import pathlib
import re
import sys

LINE = re.compile(r' *(?P<task>.*-\d+) +\[\d+\] [^ ]+ +[\d.]+: (?P<name>\w+): (?P<text>.*)')
# Numbers and words: nothing that may be an address.
VALUE = re.compile(r'-?\d{1,20}|[a-z]+[0-9]?(\.\d)?')
FREED = {'reclaim': 'freed_at_reclaim', 'owner': 'freed_at_eviction'}


class Wrong(Exception):
    """What an event says is not so."""


def expect(condition, what):
    if not condition:
        raise Wrong(what)


def parse(line):
    """The task, the name and the fields of an event."""
    match = LINE.fullmatch(line)
    expect(match, f'no event: {line}')
    fields = {}
    for part in match['text'].split(' '):
        key, _, value = part.partition('=')
        expect(re.fullmatch('[a-z_]+', key) and VALUE.fullmatch(value),
               f'neither number nor word: {line}')
        fields[key] = int(value) if re.fullmatch(r'-?\d+', value) else value
    return match['task'], match['name'], fields


class Replay:
    """What events have told so far."""

    def __init__(self):
        self.met = collections.Counter()
        self.nodes = {}
        self.last_seq = 0
        self.last = {}
        self.dead = collections.Counter()
        self.freed = collections.Counter()
        self.evicted = 0
        self.rooms = collections.defaultdict(list)

    # The engine ---------------------------------------------------------------------

    def ttm_fence_lru_node(self, _, event):
        channel, seqno, seq = event['channel'], event['seqno'], event['seq']
        last = self.last.get(channel, (0, 0))
        expect(seqno > last[0] and seq > last[1], 'it is not the newest of its channel')
        self.last[channel] = seqno, seq
        self.last_seq = max(self.last_seq, seq)
        self.nodes[channel, seq] = seqno

    def known(self, event):
        expect(self.nodes.get((event['channel'], event['seq'])) == event['seqno'],
               'there is no such node')

    def ttm_fence_lru_node_gone(self, _, event):
        self.known(event)
        del self.nodes[event['channel'], event['seq']]

    def ttm_fence_lru_attach(self, _, event):
        self.known(event)
        expect(0 < event['buffers'] >= event['joined'], 'not so many buffers')

    def ttm_fence_lru_retire(self, _, event):
        self.known(event)
        expect(event['alive'] + event['dead'] > 0, 'nothing was retired')

    def ttm_fence_lru_release(self, _, event):
        self.dead[event['type'], event['bytes']] += 1

    def is_dead(self, event):
        expect(self.dead[event['type'], event['bytes']] > 0, 'there is no such zombie')

    def ttm_fence_lru_ripe(self, _, event):
        self.is_dead(event)
        expect(event['channels'] == 0, 'it is on a channel')

    def ttm_fence_lru_leftover(self, _, event):
        self.is_dead(event)
        expect((event['why'] == 'blocked') == (event['context'] > 0), 'why?')

    def ttm_fence_lru_cleaned(self, _, event):
        self.is_dead(event)
        self.dead[event['type'], event['bytes']] -= 1
        self.freed[event['site']] += event['bytes']

    # TTM ----------------------------------------------------------------------------

    def ttm_room_begin(self, task, event):
        self.rooms[task].append({'begin': event, 'waits': 0})

    def room(self, task, event):
        """The allocation that a decision is made for."""
        expect(self.rooms[task], 'no allocation has begun')
        room = self.rooms[task][-1]
        expect(room['begin']['type'] == event['type'], 'the allocation is of another type')
        expect(room['begin']['dev'] == event['dev'], 'of another device')
        return room

    def ttm_room_end(self, task, event):
        room = self.room(task, event)
        expect(event['bytes'] == room['begin']['bytes'], 'another allocation ends')
        expect(event['waited_ns'] == 0 or room['waits'], 'it waited for nothing')
        expect(event['waited_ns'] > 0 or not room['waits'], 'it waited for no time')
        self.evicted += event['evicted']
        self.rooms[task].pop()

    def ttm_room_reclaim(self, task, event):
        self.room(task, event)
        expect(event['bytes'] > 0 or event['result'] != 0, 'there is room out of nothing')

    def wait(self, task, event):
        self.room(task, event)['waits'] += 1
        expect(event['within_ns'] > 0, 'for no time')

    def ttm_room_wait_zombies(self, task, event):
        self.wait(task, event)
        expect(event['bytes'] >= self.room(task, event)['begin']['bytes'],
               'that would not be enough')

    def ttm_room_wait_turn(self, task, event):
        self.wait(task, event)

    def ttm_room_wait_fence(self, task, event):
        self.wait(task, event)
        expect(event['context'] > 0, 'no fence')

    def ttm_room_wait_busy(self, task, event):
        self.wait(task, event)
        expect(0 < event['seq'] <= self.last_seq, 'it was used in the future')

    def ttm_room_evict(self, task, event):
        expect(self.room(task, event)['begin']['may_evict'], 'it must not evict')
        expect(event['seq'] <= event['emitted'] <= self.last_seq, 'used in the future')

    def add(self, line):
        task, name, event = parse(line)
        self.met[name] += 1
        try:
            getattr(self, name)(task, event)
        except (Wrong, KeyError, AttributeError) as error:
            raise Wrong(f'{error}: {line.strip()}') from None


def same(what, events, counter):
    expect(events == counter, f'{what}: {events} by the events, {counter} by the counters')


def count(replay, counters):
    """What the device has counted by itself."""
    zombies = replay.met['ttm_fence_lru_release']
    # What is copied leaves a ghost, which may be a zombie, too.
    ghosts = min(counters['copies'], max(0, zombies - counters['deferred_deletes']))
    same('zombies', zombies - ghosts, counters['deferred_deletes'])
    for site, counter in FREED.items():
        same(f'bytes freed: {site}', replay.freed[site], counters[counter])


def check(directory):
    """One replay. Returns how often each event was met."""
    expect(int((directory / 'lost').read_text()) == 0, 'events were lost')
    replay = Replay()
    for line in (directory / 'trace').read_text().splitlines():
        replay.add(line)
    met = replay.met
    expect(not replay.nodes, f'{len(replay.nodes)} nodes are not gone')
    expect(not +replay.dead, f'{replay.dead.total()} zombies were not cleaned')
    expect(not any(replay.rooms.values()), 'an allocation has no end')
    # Without: there was more than one device.
    if (directory / 'counters').exists():
        count(replay, json.loads((directory / 'counters').read_text()))
    print(f'# {directory.name}: ' + ', '.join(f'{n} {e}' for e, n in sorted(met.items())))
    return met


def main():
    met = collections.Counter()
    failed = False
    for name in sys.argv[1:]:
        directory = pathlib.Path(name)
        try:
            met += check(directory)
            print(f'ok - events tell what happened: {directory.name}')
        except Wrong as error:
            print(f'not ok - events tell what happened: {directory.name}: {error}')
            failed = True
    for event in sorted(set((directory / 'events').read_text().split())):
        print(f'{"ok" if met[event] else "not ok"} - {event}: {met[event]} times')
        failed = failed or not met[event]
    return failed


sys.exit(main())
