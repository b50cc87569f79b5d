#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# What all scripts share: where things are, how they speak, how a step runs.
# To be sourced.

set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
BUILD=$ROOT/build
LOGS=$BUILD/logs
# The kernels that the patches are for, the newest first.
KERNELS=(7.3 6.12)
# Commands, and parts of them, that are for the older one only, so far.
NOT_PORTED=" coverage "
# Those that are about it unless they are told otherwise: of Debian's own kernels most users have
# it, and of mutants it is whose survivors are written down.
OLDER_BY_DEFAULT=" boot-test debian dkms dkms-test modules modules-install mutants "
JOBS=${JOBS:-$(nproc)}
V=${V:-}
# A relative KERNEL_SRC means: as seen from where make was called.
KERNEL_SRC=${KERNEL_SRC:-}
# What make fuzz tries, a line each.
FUZZ_MODES=$(printf '%s\n' "fence_lru="{1,0}" copy="{cpu,async})
export LC_ALL=C
# A checkout has nothing in it that git does not know, but build/.
export PYTHONDONTWRITEBYTECODE=1

# ported <script>: whether it works on each kernel.
ported()
{
	[[ $NOT_PORTED != *" $(basename "$1" .sh) "* ]]
}

# known <version>: it, if the patches are for it.
known()
{
	printf '%s\n' "${KERNELS[@]}" | grep -xF -e "$1" || true
}

# release_of_headers <headers>: as uname -r says it; nothing if no kernel was built there.
release_of_headers()
{
	local file

	for file in "$1"/include/{config/kernel.release,generated/utsrelease.h}; do
		if [ -f "$file" ]; then
			sed -n -E 's/^#define UTS_RELEASE "(.*)"/\1/; 1p' "$file"
			return
		fi
	done
}

# version_of_source <tree>: as 6.12; nothing if it is none.
version_of_source()
{
	[ ! -f "$1/Makefile" ] || sed -n -E 's/^(VERSION|PATCHLEVEL) *= *//p' "$1/Makefile" |
		head -n 2 | paste -sd .
}

# given_kernel: that of the user's headers or source.
given_kernel()
{
	local release

	if [ -n "${KDIR:-}" ]; then
		release=$(release_of_headers "$KDIR")
		[[ ! $release =~ ^[0-9]+\.[0-9]+ ]] || known "${BASH_REMATCH[0]}"
	elif [ -n "$KERNEL_SRC" ]; then
		known "$(version_of_source "$KERNEL_SRC")"
	fi
}

# default_kernel <script>
default_kernel()
{
	local given

	given=$(given_kernel)
	if [ -n "$given" ]; then
		say "$given"
	elif ported "$1" && [[ $OLDER_BY_DEFAULT != *" $(basename "$1" .sh) "* ]]; then
		say "${KERNELS[0]}"
	else
		say 6.12
	fi
}

# The kernel's make is to know nothing of ours, nor of the user's other kernels.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES KBUILD_OUTPUT O M ARCH SUBARCH \
	CROSS_COMPILE KCONFIG_CONFIG KCFLAGS

say()
{
	printf '%s\n' "$@"
}

# die <what went wrong> [<what to do about it>]
die()
{
	printf 'error: %s\n' "$1" >&2
	[ $# -lt 2 ] || printf '       %s\n' "${@:2}" >&2
	exit 1
}

# refuse <what is wrong> [<what would be right>]: a variable; nothing was built.
refuse()
{
	(die "$@") || exit 2
}

case $ROOT in
*[[:space:]:]*)
	die "the kernel cannot be built below a path with spaces or colons: $ROOT" \
	    "Move the repository elsewhere." ;;
esac

# disk_is_full: whether nothing can be built any more; DISK_IS_FULL says so.
disk_is_full()
{
	local left

	left=$(df -k --output=avail "$BUILD" | tail -n 1)
	# shellcheck disable=SC2034 # for the caller
	DISK_IS_FULL=("the disk of ${BUILD#"$ROOT/"}/ is full: $((left / 1024)) MiB are left"
		"'make clean' removes what was built; 'make distclean' also what was fetched."
		"All that can be built here takes 15 GB.")
	[ "$left" -lt $((100 * 1024)) ]
}

export KERNEL=${KERNEL:-$(default_kernel "$0")}

# Where the commands begin that a user calls; those that they call go on at once.
if [ -z "${IN_COMMAND:-}" ]; then
	. "$ROOT/scripts/variables.sh"
	. "$ROOT/scripts/command.sh"
	supervise "$0" "$@"
fi

# Where the kernel's own source is; the user's tree or the one we fetch.
kernel_source()
{
	if [ -z "$KERNEL_SRC" ]; then
		say "$BUILD/linux-$KERNEL"
	elif [ -d "$KERNEL_SRC" ]; then
		(cd "$KERNEL_SRC" && pwd -P)
	else
		die "KERNEL_SRC=$KERNEL_SRC: no such directory"
	fi
}

# A suffix that keeps what is built from the user's tree apart.
kernel_suffix()
{
	local src

	[ -n "$KERNEL_SRC" ] || return 0
	src=$(kernel_source)
	printf -- '-%s-%s' "$(basename "$src" | tr -c 'a-zA-Z0-9._\n' _)" \
		"$(printf %s "$src" | sha256sum | cut -c1-8)"
}

# suffix_of <directory>: "-nouveau" of 6.12-nouveau, nothing of 6.12.
suffix_of()
{
	local kernel

	for kernel in "${KERNELS[@]}"; do
		set -- "${1#"$kernel"}"
	done
	say "$1"
}

# has_nouveau: whether the kernel has nouveau's series, too.
has_nouveau()
{
	[ -e "$ROOT/patches/$KERNEL-nouveau" ]
}

# TTM's series first; nouveau's builds on it, and nothing else does.
PATCH_DIRS=("$KERNEL")
! has_nouveau || PATCH_DIRS+=("$KERNEL-nouveau")

# patches_of <directory> [<patches>]: what is in patches/<kernel>... and in the directory
# of the same name with "common", in order. Of two with one name the kernel's own counts.
patches_of()
{
	local own=${2:-$ROOT/patches}/$1 common name

	common=${own%/*}/common$(suffix_of "$1")

	# Either may be missing.
	{ find "$own" "$common" -name '*.patch' -printf '%f\n' 2>/dev/null || true; } | sort -u |
		while read -r name; do
			[ -e "$own/$name" ] || { say "$common/$name"; continue; }
			say "$own/$name"
		done
}

# shellcheck disable=SC2034 # for the script that sources this
mapfile -t PATCH_SERIES < <(for dir in "${PATCH_DIRS[@]}"; do patches_of "$dir"; done)

# touched_files <patch> ...: what the patches change, make or remove.
touched_files()
{
	cat "$@" | sed -n -E 's,^(---|\+\+\+) [ab]/([^	]*).*,\2,p' | sort -u
}

# The source with our code and patches laid over it; UNPATCHED=1: only with our code;
# SERIES=<n>: with so many of the patches.
kernel_tree()
{
	say "$BUILD/tree-$KERNEL${UNPATCHED:+-unpatched}${SERIES:+-series}$(kernel_suffix)"
}

# kernel_out <config>: where that kernel is built, or what a command finds out about it. The
# newest one has no name there.
kernel_out()
{
	local name=-$KERNEL

	[ "$KERNEL" != "${KERNELS[0]}" ] || name=
	say "$BUILD/$1$name${SERIES:+-series}$(kernel_suffix)"
}

# cpu_arguments <kernel>: what gives User-Mode Linux CPUS=<n> processors.
cpu_arguments()
{
	[ "${CPUS:-1}" != 1 ] || return 0
	grep -qxF CONFIG_SMP=y "$1/.config" ||
		refuse "CPUS=$CPUS: the kernel in ${1#"$ROOT/"} has one CPU" "That of Linux 7.3 has more, when it tests."
	say seccomp=on "ncpus=$CPUS"
}

# Shows that a step is alive: on a terminal the last line of its log, else
# now and then how far it got.
tick()
{
	local what=$1 log=$2 parent=$3 start=$SECONDS next=30 files

	while sleep 1 && kill -0 "$parent" 2>/dev/null; do
		if [ -t 1 ]; then
			printf '\r\033[K  %s, %d s: %.50s' "$what" $((SECONDS - start)) \
				"$(tail -n 1 "$log" 2>/dev/null | tr -cd '[:print:]')"
		elif [ $((SECONDS - start)) -ge $next ]; then
			next=$((next + 30))
			files=$(grep -c '^  CC' "$log" || true)
			printf '  %s, %d s%s ...\n' "$what" $((SECONDS - start)) \
				"$([ "$files" = 0 ] || printf ', %d files compiled' "$files")"
		fi
	done
}

# What a log complains of, or its end.
blame()
{
	grep -aE -A 2 '([Ee]rror|warning): ?|undefined reference|^(ERROR|WARNING|CHECK|E): ?|: ?(ERROR|WARNING|CHECK): ?' "$1" |
		head -n 40 | grep . || tail -n 25 "$1"
}

# run_step <name> <what it does> <what to do if it fails> <command> ...
#
# Not to be called as a condition: bash ignores "set -e" there.
run_step()
{
	local name=$1 what=$2 hint=$3 log=$LOGS/$1.log start=$SECONDS rc ticker
	shift 3

	mkdir -p "$LOGS"
	: >"$log"
	[ -t 1 ] || say "  $what ..."
	tick "$what" "$log" $$ &
	ticker=$!
	set +e
	(set -e; "$@") >"$log" 2>&1 </dev/null
	rc=$?
	set -e
	kill "$ticker" 2>/dev/null || true
	wait "$ticker" 2>/dev/null || true
	[ ! -t 1 ] || printf '\r\033[K'
	if [ "$rc" != 0 ]; then
		{
			printf '\n--- from %s\n' "${log#"$ROOT/"}"
			blame "$log"
			printf -- '---\n'
		} >&2
		! disk_is_full || die "step '$name' failed ($what): ${DISK_IS_FULL[0]}" \
			"${DISK_IS_FULL[@]:1}"
		die "step '$name' failed ($what, exit status $rc)" "$hint" \
		    "The whole log is in ${log#"$ROOT/"}"
	fi
	say "  $what: done ($((SECONDS - start)) s)"
}

# build_tool <name> [<setting of its Makefile, or target> ...]: what is in tools/<name>.
build_tool()
{
	run_step "$1-tool" "building tools/$1" "Is a C compiler there, and libc's static library?" \
		make -C "$ROOT/tools/$1" OUT="$BUILD/tools/$1" UAPI="$(kernel_tree)/include/uapi/drm" "${@:2}"
}

# side_by_side <function> <argument> ...: calls it for each of them, two at a time if there
# are CPUs for two guests. What they say appears in order. Returns how many failed.
side_by_side()
{
	local function=$1 at_once=1 failures=0 next=0 i dir pids=()
	shift

	[ $(($(nproc) / ${CPUS:-1})) -lt 2 ] || at_once=2
	mkdir -p "$BUILD/tmp"
	dir=$(mktemp -d "$BUILD/tmp/side.XXXXXX")
	for ((i = 0; i < $#; i++)); do
		for (( ; next < $# && next < i + at_once; next++)); do
			: >"$dir/$next"
			"$function" "${@:next + 1:1}" </dev/null >"$dir/$next" 2>&1 &
			pids+=($!)
		done
		tail -s 0.2 -n +1 -f --pid="${pids[i]}" "$dir/$i"
		wait "${pids[i]}" || failures=$((failures + 1))
	done
	rm -rf "$dir"
	return $failures
}

# splats <log> [<pattern>]: prints what a kernel complained about; false if
# nothing. Complaints that match the pattern are provoked, and so welcome.
splats()
{
	local heads head

	# Nothing here may end before what it reads from: that would be a failure.
	heads=$(grep -anE '\bBUG:|WARNING:|KASAN:|Kernel panic|Oops|kernel BUG at|possible (circular|recursive|irq) lock|inconsistent lock state|suspicious RCU usage|trying to register non-static key|INFO: task .* blocked|detected stall' "$1" |
		grep -avE "${2:-^$}" | cut -d: -f1 | sed -n 1,5p)
	[ -n "$heads" ] || return 1
	for head in $heads; do
		sed -n "$head,$((head + 29))p" "$1"
	done
}

# fits <directory> <memory>: a guest's memory is a file, mapped executable.
fits()
{
	local probe=$1/.fence-lru.$$ want have

	want=$(numfmt --from=iec "$2")
	have=$(df --output=avail -B1 "$1" 2>/dev/null | tail -n 1)
	[ "${have:-0}" -gt "$want" ] || return 1
	if cp /bin/true "$probe" && "$probe"; then
		rm -f "$probe"
	else
		rm -f "$probe"
		return 1
	fi 2>/dev/null
}

# memory_dir <memory>: where the file can be.
memory_dir()
{
	local dir

	mkdir -p "$BUILD/tmp"
	for dir in /dev/shm "${TMPDIR:-/tmp}" "$BUILD/tmp"; do
		! fits "$dir" "$1" || { say "$dir"; return; }
	done
	die "no directory has $1 of room for the guest's memory" \
	    "Tried /dev/shm, ${TMPDIR:-/tmp} and build/tmp (executable, not noexec)."
}

# summary: the counts, and success only if something passed and nothing failed.
# shellcheck disable=SC2154 # the caller counts
summary()
{
	printf '%d passed, %d failed' "$passed" "$failed"
	[ "$skipped" = 0 ] || printf ', %d skipped' "$skipped"
	echo
	[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}
