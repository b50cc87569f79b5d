#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# pressure.sh: policies side by side, in modelled time. Each cell is one replay of a mix
# of clients, on one policy, with so much VRAM, at a speed of the GPU, with one way to
# copy, and with one seed. What is there already, of the same sources, is not run again.
# Prints medians and ratios, and what misses its limit; writes results.json in build/pressure/,
# or build/pressure-6.12/, and a drawing for each mix and way to copy.
#
# MIX=<names>     only these mixes; POLICY=<names>: only these policies
# COPY=<names>    cpu, async, or both; default: cpu, with FULL=1 both
# SEEDS=<n>       how many seeds; default: 1, with FULL=1 5
# FULL=1          all sizes of VRAM, speeds and ways to copy; default: a sample
# JOBS=<n>        how many cells at a time

. "$(dirname "$0")/lib.sh"
. "$ROOT/scripts/virtual-lib.sh"

RESULTS=$(kernel_out pressure)
# What was given: tables of other settings are not those of the documents, which have both ways
# to copy, as all of it has.
SETTINGS=
for variable in MIX POLICY SEEDS FULL; do
	[ -z "${!variable:-}" ] || SETTINGS+="${SETTINGS:+ }$variable=${!variable}"
done
[ "${COPY:-}${FULL:-}" = "cpu async" ] || SETTINGS+="${SETTINGS:+ }COPY=${COPY:-}"
CELLS=$RESULTS/cells

# A client with a full queue beside one that waits: see Documentation/pressure.rst.
waits="ring:buffers=24,use=4,advance=4,jobs=1000,job_us=20"
queues="use=2,advance=1"

# Name, and the clients.
declare -A MIXES=(
	[pair]="$waits ring:buffers=56,$queues,jobs=600,job_us=1000,frame=32"
	[pair-48]="$waits ring:buffers=48,$queues,jobs=600,job_us=1000,frame=32"
	[pair-96]="$waits ring:buffers=96,$queues,jobs=600,job_us=1000,frame=32"
	[pair-fast]="$waits ring:buffers=56,$queues,jobs=600,job_us=500,frame=32"
	[pair-short]="$waits ring:buffers=56,$queues,jobs=600,job_us=1000,frame=8"
	[pair-slow-queue]="$waits ring:buffers=56,$queues,jobs=600,job_us=1000,frame=32@0.25"
	[pair-large]="$waits,kib=256 ring:buffers=56,kib=256,$queues,jobs=600,job_us=1000,frame=32"
	[default]="openarena-gl1-mapcycle supertuxkart-race openarena-gl2-mapcycle piglit-streaming-texture-leak weston-compositor"
	[compositor-leak]="weston-compositor piglit-streaming-texture-leak"
	[game-leak]="supertuxkart-race piglit-streaming-texture-leak"
	[two-games]="openarena-gl2-demo-fastgpu supertuxkart-race"
	[loading]="openarena-gl1-mapcycle openarena-gl2-mapcycle"
	[desktop]="chromium-browser-webgl weston-compositor mpv-720p60"
	[slow-leak]="supertuxkart-race weston-compositor piglit-streaming-texture-leak@0.1"
)
ALL_MIXES="pair pair-48 pair-96 pair-fast pair-short pair-slow-queue pair-large default compositor-leak game-leak two-games loading desktop slow-leak"
SAMPLE_MIXES="pair default compositor-leak two-games"

# Name, and the parameters of swgpu. All but two have a TTM of their own: see policy.sh.
declare -A POLICIES=(
	[today]="fence_lru=0"
	[today-512]="fence_lru=0"
	[list]="fence_lru=0"
	[timer]="fence_lru=0"
	[evict-first]="fence_lru=1"
	[strict]="fence_lru=1"
	[ours]="fence_lru=1"
	[ours-k0]="fence_lru=1"
	[ours-k1]="fence_lru=1"
	[ours-k4]="fence_lru=1"
	[ours-k8]="fence_lru=1"
)
# shellcheck disable=SC2034 # variables.sh accepts these
ALL_POLICIES="today today-512 list timer evict-first strict ours ours-k0 ours-k1 ours-k4 ours-k8"
SAMPLE_POLICIES="today today-512 list timer evict-first strict ours"

# In per cent of what a mix wants at most.
if [ -n "${FULL:-}" ]; then
	SIZES="33 50 80" SPEEDS="1 0.25 0.1" COPY=${COPY:-cpu async}
	MIX=${MIX:-$ALL_MIXES} SEEDS=${SEEDS:-5}
else
	SIZES="33 50 80" SPEEDS="1 0.1" COPY=${COPY:-cpu}
	MIX=${MIX:-$SAMPLE_MIXES} SEEDS=${SEEDS:-1}
fi
POLICY=${POLICY:-$SAMPLE_POLICIES}

# wanted_mb <client> ...: what they want together, and the largest jobs; in MiB.
wanted_mb()
{
	local client compiled=()

	for client; do
		compiled+=("$(compile_client "$client")")
	done
	"$REPLAY" --check "${compiled[@]}" |
		sed -n -E 's/.* VRAM at most ([0-9.]+) MiB, in one job ([0-9.]+) MiB.*/\1 \2/p' |
		awk '{ all += $1; jobs += $2 } END { printf "%d %d\n", all + 0.99, jobs + 0.99 }'
}

# vram_mb <per cent> <MiB wanted> <MiB of the largest jobs>
vram_mb()
{
	local mb=$(($2 * $1 / 100))

	[ "$mb" -ge "$3" ] || mb=$3
	say "$mb"
}

# policy_modules <policy>: the files that go in.
policy_modules()
{
	local module own=$RESULTS/policies/$1

	for module in $MODULES; do
		if [ -e "$own/$(basename "$module")" ]; then
			say "$own/$(basename "$module")"
		else
			say "$module"
		fi
	done
}

# TTM with that policy, as a module for the kernel of the demo.
build_policy()
{
	local own=$RESULTS/policies/$1

	"$ROOT/scripts/policy.sh" lay "$1" "$own"
	make --no-print-directory -C "$(kernel_tree)" O="$(kernel_out um-demo)" ARCH=um \
		M="$own" -j "$JOBS" modules
}

# Each policy that the kernel has not.
build_policies()
{
	local policy

	for policy in $POLICY; do
		[[ " today ours " != *" $policy "* ]] || continue
		run_step "policy-$policy" "building TTM with the policy $policy" \
			"Can it be laid? See scripts/policy.sh." build_policy "$policy"
	done
}

# sizes <MiB wanted> <MiB of the largest jobs>: lines of per cent and MiB, each MiB once
sizes()
{
	local size mb last=

	for size in $SIZES; do
		mb=$(vram_mb "$size" "$1" "$2")
		[ "$mb" = "$last" ] || say "$size $mb"
		last=$mb
	done
}

# Lines of: directory, policy, copy, VRAM, seed, speed, mix
list_cells()
{
	local mix policy copy size speed seed wanted mb

	for mix in $MIX; do
		# shellcheck disable=SC2086 # a client each
		wanted=$(wanted_mb ${MIXES[$mix]})
		for seed in $(seq "$SEEDS"); do
			for speed in $SPEEDS; do
				# shellcheck disable=SC2086 # two numbers
				sizes $wanted | while read -r size mb; do
					for copy in $COPY; do
						for policy in $POLICY; do
							say "$CELLS/$KEY/$mix,$policy,$copy,$size,$speed,$seed $policy $copy $mb $seed $speed $mix"
						done
					done
				done
			done
		done
	done
}

# run_cell <line of list_cells>
run_cell()
{
	local directory=$1 policy=$2 copy=$3 mb=$4 seed=$5 speed=$6 mix=$7

	[ ! -e "$directory/counters" ] || return 0
	# shellcheck disable=SC2086 # a client each
	"$ROOT/scripts/pressure-cell.sh" "$directory.new" "$(policy_modules "$policy")" \
		"${POLICIES[$policy]} copy=$copy" "$mb" "$seed" "$speed" ${MIXES[$mix]} \
		>"$directory.log" 2>&1 || true
	if [ -e "$directory.new/counters" ]; then
		mv "$directory.new" "$directory"
		rm -f "$directory.log"
	fi
}

# As many at a time as there are JOBS; how far it is, now and then.
run_cells()
{
	local line running=0 done=0 all start=$SECONDS said=-30

	all=$(wc -l <"$RESULTS/list")
	while read -r -a line; do
		run_cell "${line[@]}" &
		running=$((running + 1))
		if [ "$running" -ge "$JOBS" ]; then
			wait -n || true
			running=$((running - 1))
			done=$((done + 1))
		fi
		if [ $((SECONDS - said)) -ge 30 ]; then
			said=$SECONDS
			say "  $done of $all cells, $((SECONDS - start)) s ..."
		fi
	done <"$RESULTS/list"
	wait
	say "  $all of $all cells: done ($((SECONDS - start)) s)"
}

plot()
{
	local drawing policies titles

	while IFS='|' read -r drawing policies titles; do
		gnuplot -c "$ROOT/scripts/pressure-plot.gnuplot" "$RESULTS" \
			"$drawing" "$policies" "$titles"
	done <"$RESULTS/plots/list"
	[ ! -e "$RESULTS/plots/policies" ] || gnuplot -c "$ROOT/scripts/pressure-summary.gnuplot" \
		"$RESULTS" "$(cat "$RESULTS/plots/policies")"
}

"$ROOT/scripts/packages.sh" build demo
run_step tools "building the replay" "Is libc's static library there?" build_tools
"$ROOT/scripts/build.sh" um-demo
MODULES=$(swgpu_modules)
KEY=$("$ROOT/scripts/sources-key.sh" pressure)
mkdir -p "$CELLS/$KEY"
build_policies
list_cells >"$RESULTS/list"
run_cells
verdict=0
"$ROOT/scripts/pressure-report.py" "$RESULTS" "$KEY" "$SETTINGS" || verdict=1
run_step plot "plotting" "What is drawn is in ${RESULTS#"$ROOT/"}/plots/" plot
[ "$verdict" = 0 ]
