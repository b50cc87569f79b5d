#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# Checks every variable that a command takes, whichever command it is, before that does
# anything. To be sourced by lib.sh.

COUNT='[1-9][0-9]{0,8}'

given()
{
	[ -n "${!1:-}" ]
}

# must_match <variable> <pattern> <what it must be>
must_match()
{
	! given "$1" || [[ ${!1} =~ ^($2)$ ]] || refuse "$1=${!1}: must be $3"
}

# must_name <variable> <what they are> <name> ...: each of its words is one of these.
must_name()
{
	local variable=$1 what=$2 word words=()
	shift 2

	given "$variable" || return 0
	read -r -d '' -a words <<<"${!variable}" || true
	[ ${#words[@]} -gt 0 ] || refuse "$variable='${!variable}': names no $what" "There are: $*"
	for word in "${words[@]}"; do
		printf '%s\n' "$@" | grep -xF -e "$word" >/dev/null ||
			refuse "$variable: there is no $what '$word'" "There are: $*"
	done
}

check_kernel()
{
	must_name KERNEL kernel "${KERNELS[@]}"
	[ "$KERNEL" = 6.12 ] || ported "$0" ||
		refuse "KERNEL=$KERNEL: '$(basename "$0" .sh)' is not ported to that kernel yet" \
			"Without KERNEL= it is for Linux 6.12."
}

check_numbers()
{
	local variable

	for variable in JOBS HISTORIES ROUNDS MUTANTS MINUTES SEEDS REQUESTS TEST_TIMEOUT GUEST_TIMEOUT \
		BOOT_TIMEOUT BOOT_TEST_TIMEOUT NOUVEAU_TIMEOUT; do
		must_match $variable "$COUNT" "a number from 1, of at most 9 digits"
	done
	must_match SEED "0|$COUNT" "a whole number of at most 9 digits"
	must_match MAX_SECONDS "$COUNT" "a number of seconds"
	must_match START_MS '[0-9]{1,9}' "a number of milliseconds"
	must_match LENGTH_MS "$COUNT" "a number of milliseconds"
	must_match SUITES 'ttm_fence_lru[][a-z0-9_.*?!-]*' "a pattern of our suites' names, as ttm_fence_lru_glue*"
	must_match GPU '[0-9]{1,9},[0-9]{1,9}' "nanoseconds for a push, and for a word of it, as 10000,400"
	must_match NAME '[a-zA-Z0-9][a-zA-Z0-9._-]*' "a name for a file"
	must_match VRAM_MB '[1-9][0-9]{0,5}' "a number of MiB, from 1 to 999999"
	must_match JOB_SPEED '[0-9]{1,4}(\.[0-9]{1,6})?' "a factor such as 0.1 or 2"
	must_match JOB_SPEED '.*[1-9].*' "more than 0"
}

check_switches()
{
	local variable

	for variable in FULL FORCE; do
		must_match $variable 1 "1, or not be given"
	done
	must_match V '[012]' "0, 1 or 2"
	must_match PART 'engine|glue|nouveau' "engine, glue or nouveau"
	must_match CPUS '[12]' "1 or 2"
	must_match DEBIAN_MIRROR '[a-z]+:/[^[:space:]]+' "the address of a mirror of Debian"
}

# names_in <file> ...: those of the tables of these C files.
names_in()
{
	sed -n -E 's/^\t\{ "([^"]+)", .*/\1/p' "$@"
}

check_names()
{
	local names

	mapfile -t names < <(names_in "$ROOT/bench/main.c")
	must_name BENCH measurement "${names[@]}"
	mapfile -t names < <(sed -n -E 's/^ALL_MIXES="(.*)"/\1/p' "$ROOT/scripts/pressure.sh" | tr ' ' '\n')
	must_name MIX "mix of clients" "${names[@]}"
	mapfile -t names < <(sed -n -E 's/^ALL_POLICIES="(.*)"/\1/p' "$ROOT/scripts/pressure.sh" | tr ' ' '\n')
	must_name POLICY policy "${names[@]}"
	must_name COPY "way to copy" cpu async
	must_name MODEL card geforce3 geforcefx5900 geforce6800
	! given MODE || [[ $FUZZ_MODES == *"$MODE"* ]] ||
		refuse "MODE=$MODE: no mode has that in its name" "There are: $FUZZ_MODES"
	must_name RELEASE "release of Debian that is tried" 12 13
	mapfile -t names < <(basename -s .sh "$ROOT"/tests/*.sh)
	must_name PARTS "part of the tests" check kunit "${names[@]}"
	! given CASE ||
		names_in "$ROOT"/tools/{swgpu,nouveau,vulkan}-test/*.c |
			grep -F -e "$CASE" >/dev/null ||
		refuse "CASE=$CASE: no case of the software GPU's tests, nor of nouveau's or Mesa's, has that in its name" \
			"They are in tools/swgpu-test, tools/nouveau-test and tools/vulkan-test."
}

# Whether the line has a mutant of that kind is seen when the patches are laid.
check_mutant()
{
	local file

	given MUTANT || return 0
	file=${MUTANT%%:*}
	[ -z "$(find "$ROOT/tests/mutants" -name "$MUTANT.mutant")" ] || return 0
	must_match MUTANT '[a-z_]+\.[ch]:[1-9][0-9]*:[a-z-]+(\.[0-9]+)?' \
		"as reclaim.c:119:negate, or the name of a file in tests/mutants/*/"
	[ -e "$ROOT/ttm_fence_lru/$file" ] || grep -q "^+++ b/.*/ttm/$file" "${PATCH_SERIES[@]}" ||
		refuse "MUTANT=$MUTANT: neither the engine nor its glue has a file $file"
}

# The user's tree: the right version, and clean as kbuild wants it.
check_source()
{
	local version

	given KERNEL_SRC || return 0
	grep -qs '^VERSION = [0-9]' "$KERNEL_SRC/Makefile" ||
		refuse "KERNEL_SRC=$KERNEL_SRC is no kernel source tree"
	version=$(version_of_source "$KERNEL_SRC")
	[ "$version" = "$KERNEL" ] ||
		refuse "KERNEL_SRC=$KERNEL_SRC is Linux $version; the patches are for $KERNEL" \
			"They are for these: ${KERNELS[*]}. Without KERNEL= the tree says which."
	if [ -e "$KERNEL_SRC/.config" ] || [ -e "$KERNEL_SRC/include/config" ] ||
	   [ -e "$KERNEL_SRC/arch/x86/include/generated" ]; then
		refuse "KERNEL_SRC=$KERNEL_SRC was built in place, and so cannot be built elsewhere" \
			"Run 'make mrproper' in it, or give a clean tree."
	fi
	[ ! -e "$KERNEL_SRC/drivers/gpu/drm/ttm_fence_lru" ] ||
		refuse "KERNEL_SRC=$KERNEL_SRC is patched already; a plain tree is needed"
}

check_headers()
{
	local release

	given KDIR || return 0
	release=$(release_of_headers "$KDIR")
	[ -n "$release" ] || refuse "KDIR=$KDIR: no headers of a kernel that was built" \
		"Give what /lib/modules/<release>/build is a link to."
	[[ $release == "$KERNEL".* ]] ||
		refuse "KDIR=$KDIR: headers of Linux $release; the patches are for $KERNEL" \
			"They are for these: ${KERNELS[*]}. Without KERNEL= the headers say which."
}

check_installation()
{
	local variable

	! given INSTALL_MOD_PATH || [ -d "$INSTALL_MOD_PATH" ] ||
		refuse "INSTALL_MOD_PATH=$INSTALL_MOD_PATH: no such directory"
	for variable in SIGN_KEY SIGN_CERT; do
		! given $variable || [ -f "${!variable}" ] || refuse "$variable=${!variable}: no such file"
	done
	[ "${SIGN_KEY:+1}" = "${SIGN_CERT:+1}" ] ||
		refuse "SIGN_KEY and SIGN_CERT: one of them is of no use without the other"
}

check_bochs()
{
	given BOCHS || return 0
	if [ ! -f "$BOCHS" ] || [ ! -x "$BOCHS" ]; then
		refuse "BOCHS=$BOCHS: no such program"
	fi
	grep -q geforcefx5900 "$BOCHS" ||
		refuse "BOCHS=$BOCHS: has no GeForce" "Configure it with --enable-geforce."
}

recordings()
{
	find "$ROOT/traces" -name '*.trace.xz' -printf '%f\n' | sed 's/\.trace\.xz//' | sort |
		paste -s -d ' '
}

# trace_lines <file>: the replay reads all of it, and checks more.
trace_lines()
{
	case $1 in
	*.xz) xz -dc "$1" 2>/dev/null ;;
	*)    cat "$1" ;;
	esac
}

# check_trace <file>: a recording of the user's.
check_trace()
{
	[ -e "$1" ] || refuse "TRACES: there is no recording '$1'" "There are: $(recordings)"
	[ ! -d "$1" ] || refuse "TRACES: '$1' is a directory, not a recording"
	[ -r "$1" ] || refuse "TRACES: '$1' cannot be read"
	[[ $1 != *.xz ]] || command -v xz >/dev/null || return 0
	[[ $(trace_lines "$1" | head -n 1 | tr -d '\0') == '# botrace2 v'[12]' '* ]] ||
		refuse "TRACES: '$1' is no recording: it does not begin with '# botrace2 v1' or v2"
	[ -n "$(trace_lines "$1" | grep -av '^#' | head -c 1 | tr -d '\0')" ] ||
		refuse "TRACES: '$1' has a header and nothing else"
}

check_traces()
{
	local name names=()

	given TRACES || return 0
	read -r -d '' -a names <<<"$TRACES" || true
	[ ${#names[@]} -gt 0 ] || refuse "TRACES: names no recording" "There are: $(recordings)"
	for name in "${names[@]}"; do
		[[ $name != ring:* ]] || continue
		[[ ! $name =~ ^(.+)@[0-9.]+$ ]] || name=${BASH_REMATCH[1]}
		[ -f "$ROOT/traces/$name.trace.xz" ] || check_trace "$name"
	done
}

# The prices that swgpu_cost.c has.
check_prices()
{
	local word names words

	given PRICES || return 0
	names=$(sed -n -E 's/^module_param_named\(([a-z_]+_ns),.*/\1/p' "$ROOT/swgpu/swgpu_cost.c")
	read -r -d '' -a words <<<"$PRICES" || true
	for word in "${words[@]}"; do
		[[ $word =~ ^[a-z_]+=[0-9]{1,9}$ ]] || refuse "PRICES: '$word' is no <price>=<ns>"
		grep -qxF "${word%%=*}" <<<"$names" ||
			refuse "PRICES: there is no price '${word%%=*}'" "There are: $(paste -s -d " " <<<"$names")"
	done
}

check_variables()
{
	check_kernel
	check_numbers
	check_switches
	check_names
	check_mutant
	check_source
	check_headers
	check_installation
	check_bochs
	check_traces
	check_prices
}
