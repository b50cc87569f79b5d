#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# report-test.sh: in a guest with the software GPU, two recordings are replayed at once;
# the report must have each client's own time, and that of the whole, and with the kernel's
# the distribution of frames and allocations. Then two of a recording with an address space.

stats=/run/replay.json
says=/run/replay.log
space=$ROOT/traces/nvk-vulkan-churn.trace.xz

"$ROOT/build/tools/replay/replay" --limit 4000 --progress --stats "$stats" \
	"$ROOT"/traces/{mpv-720p60,weston-compositor}.trace.xz 2>"$says" || {
	cat "$says"
	exit 1
}
for trace in mpv-720p60 weston-compositor; do
	grep "^replay: .*/$trace.trace.xz: 4000 of 4000 events, [0-9.]* s$" "$says" || {
		echo "not ok - $trace has a time of its own"
		exit 1
	}
done
python3 - "$stats" <<'END' || exit 1
import json
import sys

report = json.load(open(sys.argv[1]))
walls = [client["wall_ns"] for client in report["clients"]]
# They start at random, and one ends before the other.
good = len(walls) == 2 and min(walls) > 0 and walls[0] != walls[1] and \
    report["wall_ns"] >= max(walls)
print(f"{'' if good else 'not '}ok - each client's own time, {walls}, in {report['wall_ns']}")
if not good:
    sys.exit(1)

def lines(name):
    return [[int(word) for word in line.split()]
            for line in open("/sys/kernel/debug/dri/0/" + name)]

frames = [sum(count for _, count in client["frame_times"]) for client in report["clients"]]
good = any(frames) and frames == [client["frames"] for client in report["clients"]]
print(f"{'' if good else 'not '}ok - each frame is in one class, {frames}")
if not good:
    sys.exit(1)

stats = dict(line.split(": ") for line in open("/sys/kernel/debug/dri/0/stats"))
times = lines("alloc_times")
good = len(times) > 1 and times == sorted(times) and \
    sum(count for _, count in times) == int(stats["allocs"]) and \
    times[-1][0] <= int(stats["alloc_max_ns"]) < 2 * times[-1][0]
print(f"{'' if good else 'not '}ok - each allocation is in one class, {len(times)} classes")
if not good:
    sys.exit(1)

memory = lines("memory")
good = 1 < len(memory) <= 512 and memory == sorted(memory) and \
    all(held >= dead for _, held, dead in memory) and any(held for _, held, _ in memory)
print(f"{'' if good else 'not '}ok - memory over time, {len(memory)} samples")
sys.exit(0 if good else 1)
END

# count <name>: of the kernel's.
count()
{
	sed -n "s/^$1: //p" /sys/kernel/debug/dri/0/stats
}

# Jobs that take long: buffers of the same address space are closed meanwhile.
deaths=$(count deferred_deletes)
if ! "$ROOT/build/tools/replay/replay" --limit 3000 --job-speed 0.05 "$space" "$space" ||
	[ "$(count deferred_deletes)" -le "$deaths" ] || [ "$(count tag_errors)" != 0 ]; then
	echo "not ok - address spaces are replayed"
	exit 1
fi
echo "ok - address spaces are replayed, $(($(count deferred_deletes) - deaths)) buffers died busy"
