#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# tests/record.sh: the recorder writes what a program does, with a GPU that lags behind, and
# the replay takes it; cut in the middle, too. Needs neither a GPU nor Mesa: what stands for
# the kernel answers the program.

# shellcheck disable=SC2317 # functions are called by their names
. "$(dirname "$0")/../scripts/lib.sh"
. "$ROOT/scripts/result-lib.sh"
. "$ROOT/scripts/virtual-lib.sh"

SCRATCH=$BUILD/test-record
TOOLS=$BUILD/tools/record

# record <GPU> <rounds>
record()
{
	rm -f "$SCRATCH"/raw.*
	env RECORD_TO="$SCRATCH/raw" RECORD_GPU="$1" \
		LD_PRELOAD="$TOOLS/record.so:$TOOLS/test-shim.so" "$TOOLS/test-program" "$2" &&
		mv "$SCRATCH"/raw.* "$SCRATCH/trace"
}

# A GPU that is there: nothing is modelled. Of two processes the child has the longer recording.
record_space()
{
	rm -f "$SCRATCH"/raw.*
	env RECORD_TO="$SCRATCH/raw" RECORD_GPU=10000,1 RECORD_CHIP=1 \
		LD_PRELOAD="$TOOLS/record.so:$TOOLS/test-shim.so" "$TOOLS/test-space" &&
		mv "$(find "$SCRATCH" -name 'raw.*' -size +400c | head -n 1)" "$SCRATCH/trace"
}

# count <pattern> <wanted>
count()
{
	local found

	found=$(grep -cE "$1" "$SCRATCH/trace" || true)
	[ "$found" = "$2" ] || { say "$found lines of $1, not $2"; return 1; }
}

# By the model, each push begins when it is made: nothing is queued then.
gpu_takes()
{
	awk -v ns="$1" '$2 == "push" { begun[$5] = $1 }
		$2 == "done" { done++; if ($1 - begun[$5] != ns) { bad = 1; print } }
		END { exit bad || !done }' "$SCRATCH/trace"
}

# As a program that was interrupted: its buffer is written when it is full.
ends_amid()
{
	{ cat "$SCRATCH/trace"; printf '%s' "$(tail -n 1 "$SCRATCH/trace" | cut -c 1-30)"; } >"$SCRATCH/amid" &&
		"$ROOT/scripts/trim-recording.py" "$SCRATCH/amid" "$SCRATCH/cut" &&
		cmp "$SCRATCH/trace" "$SCRATCH/cut"
}

not()
{
	! "$@"
}

"$ROOT/scripts/packages.sh" build record
build_tool record UAPI="$(kernel_source)" test
run_step replay "building the replay" "Is libc's static library there?" build_tools
rm -rf "$SCRATCH"
mkdir -p "$SCRATCH"
quiet_result "a program is recorded, and sees its semaphores when the GPU is done" record 1000000000,0 3
quiet_result "the replay takes the recording" "$REPLAY" --check "$SCRATCH/trace"
quiet_result "each buffer is there" count '^[0-9]+ new ' 6
quiet_result "each push is there, with its buffers" count '^[0-9]+ push [0-9]+ 1 [1-3] 3 1 24 0 [0-9]+( [0-9]+:0:[24]:[24]){3}$' 3
quiet_result "each is done" count '^[0-9]+ done ' 3
quiet_result "a buffer that was closed too early was busy" count '^[0-9]+ close [0-9]+ [0-9]+ [1-3] 1 ' 3
quiet_result "one that was not used was not" count '^[0-9]+ close [0-9]+ [0-9]+ 0 0 ' 1
quiet_result "maps are there" count '^[0-9]+ map [0-9]+ [12] 4096$' 2
quiet_result "each took as long as the model says" gpu_takes 1000000000
quiet_result "a GPU without a lag has no semaphore written" not record "" 1
quiet_result "a last line that is not complete is left out" ends_amid
quiet_result "a long program is recorded" record 10000,1 300
quiet_result "its recording can be cut" "$ROOT/scripts/trim-recording.py" "$SCRATCH/trace" "$SCRATCH/cut" 101 203
quiet_result "it is shorter" test "$(grep -vc '^#' "$SCRATCH/cut")" -lt 400
quiet_result "the replay takes what is left" "$REPLAY" --check "$SCRATCH/cut"
quiet_result "a program with an address space is recorded, as a child of another one" record_space
quiet_result "the replay takes that, too" "$REPLAY" --check "$SCRATCH/trace"
quiet_result "its buffer is private" count '^[0-9]+ new [0-9]+ 1 4096 22 ' 1
quiet_result "it is bound, with a kind of page" count '^[0-9]+ vmbind [0-9]+ 1 0 [0-9]+ 0:6:1:0:100000:1000$' 1
quiet_result "and unbound after a job" count '^[0-9]+ vmbind [0-9]+ 1 1 [0-9]+ 1:0:0:0:100000:1000 2$' 1
quiet_result "somebody else's buffer has a size" count '^[0-9]+ info [0-9]+ 2 4096 2$' 1
quiet_result "it comes from outside, and goes there" count '^[0-9]+ (import [0-9]+ 99 2|export [0-9]+ 2 100)$' 2
quiet_result "it is bound" count '^[0-9]+ vmbind [0-9]+ 1 0 [0-9]+ 0:0:2:0:100000:1000$' 1
quiet_result "a job waits for that of another channel" count '^[0-9]+ exec [0-9]+ 3 2 1 64 1 [0-9]+ 1$' 1
quiet_result "or for what a bind waits for" count '^[0-9]+ exec [0-9]+ 2 3 1 64 1 [0-9]+ 2$' 1
quiet_result "the program waits for a point of a timeline" count '^[0-9]+ wait [0-9]+ 1 [0-9]+ 0 [0-9]+$' 1
quiet_result "and looks at what came from another syncobj" count '^[0-9]+ wait [0-9]+ 2 [0-9]+ 62 [0-9]+$' 1
quiet_result "only the start of a long one is kept" "$ROOT/scripts/trim-recording.py" "$SCRATCH/trace" "$SCRATCH/cut" 4 3
quiet_result "the replay takes its start" "$REPLAY" --check "$SCRATCH/cut"
[ $FAILED = 0 ]
