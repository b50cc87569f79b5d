#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# What boots a kernel for its KUnit suites and reads the results. To be sourced after
# lib.sh.

# Warnings that TTM's own suites and ours provoke; TTM's also in the unpatched kernel.
# shellcheck disable=SC2034 # for the script that sources this
PROVOKED='WARNING: .* (ttm_device_init|ttm_bo_reserve_no_wait_ticket|ttm_bo_release|'
PROVOKED+='ttm_bo_fence_lru_release|ttm_bo_group_join|glue_join|nvkm_runl_preempt_wait)\+'

# guest_command <kernel> <memory> <directory>: the command that boots it, its console
# on standard output, into COMMAND. What QEMU runs has two packages of one CPU each:
# its table of processors names no others.
guest_command()
{
	local cpus

	if [ -e "$1/linux" ]; then
		cpus=$(cpu_arguments "$1")
		# shellcheck disable=SC2206 # two words, or none
		COMMAND=("$1/linux" $cpus "mem=$2" console=tty con=null "con0=null,fd:1"
			"uml_dir=$3" kunit_shutdown=halt)
	else
		# shellcheck disable=SC2054 # the commas are QEMU's
		COMMAND=(qemu-system-x86_64 -accel tcg,thread=multi -cpu max
			-smp 2,sockets=2 -m "$2" -nodefaults -no-user-config
			-display none -serial stdio -no-reboot
			-kernel "$1/arch/x86/boot/bzImage" -append)
		set -- console=ttyS0 oops=panic panic=-1 kunit_shutdown=reboot
		COMMAND+=("$*")
	fi
}

# run_suites <kernel> <globs> <log> [<kernel argument> ...]: one boot. A guest that
# hangs is killed after GUEST_TIMEOUT seconds.
run_suites()
{
	local kernel=$1 log=$3 run status=0 limit=${GUEST_TIMEOUT:-900}
	local memory=${GUEST_MEMORY:-1G} COMMAND
	# An older kernel runs them in any case.
	local arguments=(kunit.enable=1 kunit.autorun=1 "kunit.filter_glob=$2"
		${SEED:+"ttm_fence_lru_test.seed=$SEED"})
	shift 3
	arguments+=("$@" ${HISTORIES:+"ttm_fence_lru_test.histories=$HISTORIES"})

	mkdir -p "$BUILD/boot"
	run=$(mktemp -d "$BUILD/boot/kunit.XXXXXX")
	guest_command "$kernel" "$memory" "$run"
	if [ -e "$kernel/linux" ]; then
		TMPDIR=$(memory_dir "$memory")
		export TMPDIR
		COMMAND+=("${arguments[@]}")
	else
		COMMAND[-1]+=" ${arguments[*]}"
	fi
	timeout --kill-after=10 "$limit" "${COMMAND[@]}" \
		</dev/null >"$log" 2>&1 || status=$?
	rm -rf "$run"
	# A serial console returns its carriage. Used stacks are told in the midst of results.
	sed -i -e 's/\r$//' -e '/ used greatest stack depth: /d' "$log"
	tail -n 40 "$log"
	[ $status != 124 ] || { say "took longer than $limit s and was killed; GUEST_TIMEOUT=<s> gives it more"; return 1; }
}

parse_results()
{
	local log=$1

	# Its exit status says only that a test failed, which is counted later.
	(cd "$BUILD/tmp" && python3 "$(kernel_tree)/tools/testing/kunit/kunit.py" \
		parse --json="$log.json" "$log" >"$log.parsed") || true
	[ -s "$log.json" ]
}

# suites <name> <config> <globs> [<kernel argument> ...]: runs them and reads the
# results, into build/logs/<name>.log and .log.json.
suites()
{
	local name=$1 config=$2 log=$LOGS/$1.log
	shift 2

	mkdir -p "$BUILD/tmp"
	rm -f "$log.json"
	run_step "boot-$name" "running $name on $config" \
		"The guest's log is build/logs/$name.log" \
		run_suites "$(kernel_out "$config")" "$1" "$log" "${@:2}"
	run_step "parse-$name" "reading the results" "Read build/logs/$name.log" \
		parse_results "$log"
}

# complaints <pattern> <log> ...: prints what the kernels complained about, unless it
# was provoked, as the pattern says; false if nothing.
complaints()
{
	local provoked=$1 log found=1
	shift

	for log; do
		if splats "$log" "$provoked" >"$log.splats"; then
			found=0
			say "  ${log#"$ROOT/"}:"
			head -n 40 "$log.splats"
		fi
	done
	return $found
}
