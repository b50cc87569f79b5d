#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# report-test.sh: in a guest with the software GPU, two recordings are replayed at once;
# the report must have each client's own time, and that of the whole.

stats=/run/replay.json
says=/run/replay.log

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
python3 - "$stats" <<'END'
import json
import sys

report = json.load(open(sys.argv[1]))
walls = [client["wall_ns"] for client in report["clients"]]
# They start at random, and one ends before the other.
good = len(walls) == 2 and min(walls) > 0 and walls[0] != walls[1] and \
    report["wall_ns"] >= max(walls)
print(f"{'' if good else 'not '}ok - each client's own time, {walls}, in {report['wall_ns']}")
sys.exit(0 if good else 1)
END
