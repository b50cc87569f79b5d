#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# demo.sh: recorded programs on the software GPU, under today's TTM and under
# the fence-ordered LRU, in one kernel. Each phase has a boot of its own, so what was done
# before, and with which shell, makes no difference to modelled time. Prints both side by side;
# writes report.json and report.svg in build/demo/, or build/demo-6.12/.
#
# SEED=<n>            of the interleaving of the clients; default: 1
# VRAM_MB=<MiB>       VRAM under pressure; default: from what the traces want
# JOB_SPEED=<factor>  of the GPU; default: 1, that of the recordings
# TRACES=<names>      recordings in traces/, or files; each is a client
# PRICES=<settings>   what costs how much, as interrupt_ns=4000

. "$(dirname "$0")/lib.sh"
. "$ROOT/scripts/virtual-lib.sh"

# What was given: figures of other settings are not README's.
SETTINGS=
for variable in SEED VRAM_MB JOB_SPEED TRACES PRICES; do
	[ -z "${!variable:-}" ] || SETTINGS+="${SETTINGS:+ }$variable=${!variable}"
done
SEED=${SEED:-1}
JOB_SPEED=${JOB_SPEED:-1}
VRAM_MB=${VRAM_MB:-}
PRICES=${PRICES:-}
# Chosen for the buffers that they free while the GPU still uses them.
TRACES=${TRACES:-openarena-gl1-mapcycle supertuxkart-race openarena-gl2-mapcycle
	piglit-streaming-texture-leak weston-compositor}
RESULTS=$(kernel_out demo)
# As it is called in what is said.
SHORT=${RESULTS#"$ROOT/"}
# How much of the VRAM that the traces want together they get under pressure.
PERCENT=40
HUNG_MB=128

compile_clients()
{
	local name client

	files=()
	clients=()
	for name in $TRACES; do
		client=$(compile_client "$name")
		files+=("$client")
		clients+=("$(basename "$name" .trace.xz)")
	done
}

# Together, and the largest jobs, which must fit at once; in MiB.
wanted_vram()
{
	"$REPLAY" --check --job-speed "$JOB_SPEED" "${files[@]}" |
		sed -n -E 's/.* VRAM at most ([0-9.]+) MiB, in one job ([0-9.]+) MiB.*/\1 \2/p' |
		awk '{ all += $1; jobs += $2 } END { printf "%d %d\n", all + 1, jobs + 1 }'
}

choose_vram()
{
	local wanted all jobs

	wanted=$(wanted_vram) || die "the traces cannot be replayed"
	all=${wanted% *}
	jobs=${wanted#* }
	PLENTY_MB=$((all * 2))
	if [ -z "$VRAM_MB" ]; then
		VRAM_MB=$((all * PERCENT / 100))
		[ "$VRAM_MB" -ge "$jobs" ] || VRAM_MB=$jobs
	fi
	[ "$VRAM_MB" -ge "$jobs" ] ||
		refuse "VRAM_MB=$VRAM_MB: the largest jobs of these traces take $jobs MiB together" "Give at least $jobs."
	[ "$VRAM_MB" -le "$PLENTY_MB" ] ||
		refuse "VRAM_MB=$VRAM_MB: the traces want $all MiB; that would be no pressure" \
			"Give at most $PLENTY_MB."
	say "  the traces want $all MiB of VRAM together, and get $PLENTY_MB MiB, then $VRAM_MB MiB"
}

# boot_guest <phase> <design> <VRAM MiB>: leaves its results in a directory of its own.
boot_guest()
{
	local directory=$RESULTS/$1.$2 fence_lru=1 script=pressure-guest.sh
	local arguments=("$SEED" "$JOB_SPEED" --timeline "$directory/vram.csv" "${files[@]}")

	[ "$2" != today ] || fence_lru=0
	if [ "$1" = hung_channel ]; then
		script=hung-guest.sh
		arguments=()
	fi
	mkdir "$directory"
	say "-- ${1/_/ }, $2: $3 MiB of VRAM"
	"$ROOT/scripts/boot.sh" -v -t 1200 -m $(($3 + 1536))M -l "demo-$1-$2" um-demo -- \
		"$ROOT/scripts/$script" "$directory" "$MODULES" \
		"fence_lru=$fence_lru vram_mb=$3 $PRICES" "${arguments[@]}"
}

# What there is of results when one fails is still to be shown.
run_guests()
{
	local phase design

	MODULES=$(swgpu_modules)
	rm -rf "$RESULTS"
	mkdir -p "$RESULTS"
	say "$KEY" "$SETTINGS" >"$RESULTS/made-of"
	cp "$(kernel_out um-demo)/include/config/kernel.release" "$RESULTS/kernel"
	for phase in "no_pressure $PLENTY_MB" "pressure $VRAM_MB" "hung_channel $HUNG_MB"; do
		for design in today fence_lru; do
			boot_guest "${phase% *}" $design "${phase#* }" || return
		done
	done
}

plot()
{
	gnuplot -c "$ROOT/scripts/demo-plot.gnuplot" "$RESULTS" \
		"VRAM of ${#files[@]} replayed programs: room for all ($PLENTY_MB MiB), and $VRAM_MB MiB"
}

"$ROOT/scripts/packages.sh" build demo
KEY=$("$ROOT/scripts/sources-key.sh" demo)
run_step tools "building the programs of the demo" "Is libc's static library there?" build_tools
compile_clients
choose_vram
"$ROOT/scripts/build.sh" um-demo
GUEST_STATUS=0
run_guests || GUEST_STATUS=$?
[ -e "$RESULTS/no_pressure.today/status" ] || exit "$GUEST_STATUS"
[ $GUEST_STATUS = 0 ] || say "demo: the guest ended with status $GUEST_STATUS; what there is of results:"
verdict=0
"$ROOT/scripts/demo-report.py" "$RESULTS" "$SEED" "$JOB_SPEED" "${clients[@]}" || verdict=1
run_step plot "plotting" "What the guest sampled is in $SHORT/pressure.*/vram.csv" plot
[ "$GUEST_STATUS" = 0 ] || die "demo: failed, the guest ended with status $GUEST_STATUS"
[ "$verdict" = 0 ] || die "demo: failed, see the lines above and $SHORT/report.json"
say "demo: passed; see $SHORT/report.json and $SHORT/report.svg"
