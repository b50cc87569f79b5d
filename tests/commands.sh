#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# tests/commands.sh: the commands themselves, in a checkout of their own. Ctrl-C ends them
# with all that they started; a wrong variable changes nothing; two of them do not disturb
# each other; what a user can mend, they say how.

. "$(dirname "$0")/../scripts/lib.sh"
. "$ROOT/scripts/result-lib.sh"

SCRATCH=$BUILD/test-commands
CHECKOUT=$SCRATCH/checkout
CONFIG=um-test
KERNEL_DIR=$(kernel_out "$CONFIG")

"$ROOT/scripts/build.sh" "$CONFIG"
# From here on as a user calls them: not as a part of this command.
unset IN_COMMAND KERNEL SEED JOBS HISTORIES FULL KERNEL_SRC CASE BOCHS ROUNDS SUITES PARTS V

skip()
{
	NR=$((NR + 1))
	say "ok $NR - $1 # SKIP $2"
}

make_checkout()
{
	rm -rf "$SCRATCH"
	mkdir -p "$CHECKOUT"
	find "$ROOT" -mindepth 1 -maxdepth 1 ! -name '.*' ! -name build \
		-exec cp -rs -t "$CHECKOUT" {} +
	cd "$CHECKOUT"
}

# new_build: as after a first build of the test kernel.
new_build()
{
	rm -rf "$CHECKOUT/build"
	mkdir -p build
	ln -s "$KERNEL_DIR" "build/$CONFIG"
}

# script <file>: an executable one, of what comes in.
script()
{
	{ say '#!/bin/bash'; cat; } >"$1"
	chmod +x "$1"
}

# ends <exit status> <text> <command> ...: it does, and says that.
ends()
{
	local want=$1 text=$2 status=0
	shift 2

	"$@" >"$SCRATCH/said" 2>&1 </dev/null || status=$?
	[ "$status" = "$want" ] && [[ $(<"$SCRATCH/said") == *"$text"* ]] && return
	say "# exit status $status, not $want, or it did not say '$text':"
	sed 's/^/#   /' "$SCRATCH/said" | tail -n 20
	return 1
}

# Ctrl-C ------------------------------------------------------------------------------

# interrupted <signal> <exit status> <when it says this> <but not that> <command> ...
interrupted()
{
	local signal=$1 status=$2 text=$3 next=$4
	shift 4

	ends "$status" "$text" "$ROOT/tests/interrupt.py" "$signal" "$text" "$@" || return
	! grep -F -e "$next" "$SCRATCH/said"
}

write_jobs()
{
	script job <<-'END'
		echo "guest $1 is here"
		sleep 1000
	END
	script tests/guests.sh <<-END
		. "\$(dirname "\$0")/../scripts/lib.sh"
		for guest in 1 2; do
			"\$ROOT/scripts/boot.sh" -m 256M -l "guest-\$guest" $CONFIG -- ./job \$guest ||
				say "guest \$guest ended with \$?"
		done
	END
	script tests/suites.sh <<-END
		. "\$(dirname "\$0")/../scripts/lib.sh"
		. "\$ROOT/scripts/kunit-lib.sh"
		{ until grep -qs KTAP "\$LOGS/suites.log"; do sleep 0.1; done; say "it is up"; } &
		run_suites "\$(kernel_out $CONFIG)" 'ttm_fence_lru*' "\$LOGS/suites.log" || true
		say "goes on"
	END
	script tests/build.sh <<-'END'
		. "$(dirname "$0")/../scripts/lib.sh"
		run_step build "building" "Read the log." make -C "$ROOT" -f slow.mk -j 2
		say "goes on"
	END
	printf '%s\n' '# the -e of a terminal: a compiler' 'all: one two' 'one two:' \
		'	@sh -c "sleep 1000 & wait; :"' >slow.mk
}

ctrl_c()
{
	new_build
	write_jobs
	result "Ctrl-C ends make test, not only its first part" \
		interrupted INT 130 "== check" "== kunit" make test
	result "Ctrl-C ends a guest" \
		interrupted INT 130 "guest 1 is here" "never" scripts/boot.sh -m 256M $CONFIG -- ./job 1
	result "Ctrl-C ends a test, not only its first guest" \
		interrupted INT 130 "guest 1 is here" "guest 2" tests/guests.sh
	result "Ctrl-C ends a guest that runs suites" \
		interrupted INT 130 "it is up" "goes on" tests/suites.sh
	result "Ctrl-C ends a build" interrupted INT 130 "building" "goes on" tests/build.sh
	result "SIGTERM ends a test and its guest" \
		interrupted TERM 143 "guest 1 is here" "guest 2" tests/guests.sh
	result "SIGHUP ends a build" interrupted HUP 129 "building" "goes on" tests/build.sh
}

# Variables ---------------------------------------------------------------------------

# changed_nothing: not even build/ is there.
changed_nothing()
{
	[ ! -e build ] || { find build | head; return 1; }
}

# refused <script> <variable=value> <text>
refused()
{
	rm -rf "$CHECKOUT/build"
	result "refused: ${2/"$SCRATCH/"/}" refuses "$@"
}

refuses()
{
	ends 2 "$3" env "$2" "scripts/$1.sh" && changed_nothing
}

numbers()
{
	local variable value

	for value in 0 -1 x 1.5 08 1000000000 ' '; do
		refused test "JOBS=$value" "JOBS=$value: must be"
	done
	for variable in HISTORIES ROUNDS MUTANTS VRAM_MB TEST_TIMEOUT; do
		refused test "$variable=-1" "$variable=-1: must be"
	done
	for value in -1 x 007 1000000000; do
		refused kunit "SEED=$value" "SEED=$value: must be"
	done
	for value in 0.0 -1 1e3 .; do
		refused demo "JOB_SPEED=$value" "JOB_SPEED=$value: must be"
	done
}

switches()
{
	refused check V=yes "V=yes: must be 0, 1 or 2"
	refused test "PARTS=kunit lunch" "no part of the tests 'lunch'"
	refused coverage KERNEL=7.3 "'coverage' is not ported to that kernel yet"
	refused test KERNEL=6.1 "no kernel '6.1'"
	refused test FULL=0 "FULL=0: must be 1, or not be given"
	refused series FORCE=no "FORCE=no: must be 1"
	refused kunit 'SUITES=ttm_*' 'SUITES=ttm_*: must be a pattern of our'
	refused mutants PART=tests "PART=tests: must be engine, glue or nouveau"
	refused fuzz MINUTES=0 "MINUTES=0: must be a number from 1"
	refused mesa REQUESTS=0 "REQUESTS=0: must be a number from 1"
	refused fuzz CPUS=3 "CPUS=3: must be 1 or 2"
	refused fuzz MODE=fence_lru=2 "no mode has that in its name"
	refused source DEBIAN_MIRROR=here "DEBIAN_MIRROR=here: must be"
	refused debian-test RELEASE=11 "no release of Debian that is tried '11'"
}

names()
{
	refused bench "BENCH=ttm tmt" "no measurement 'tmt'"
	refused bench "BENCH= " "names no measurement"
	refused nouveau MODEL=geforce256 "no card 'geforce256'"
	refused nouveau CASE=xyzzy "CASE=xyzzy: no case"
	refused nouveau BOCHS=/nonexistent "BOCHS=/nonexistent: no such program"
	refused nouveau BOCHS=/bin "BOCHS=/bin: no such program"
	refused nouveau BOCHS=/bin/sh "has no GeForce"
	refused mutants MUTANT=one "MUTANT=one: must be"
	refused mutants MUTANT=main.c:1:negate "has a file main.c"
	refused source KERNEL_SRC=/nonexistent "no kernel source tree"
	refused source "KERNEL_SRC=$ROOT" "no kernel source tree"
	refused modules KDIR=/ "no headers"
	refused modules-install INSTALL_MOD_PATH=/nonexistent "no such directory"
	refused modules-install SIGN_KEY=/nonexistent "SIGN_KEY=/nonexistent: no such file"
	refused modules-install SIGN_CERT=/etc/passwd "SIGN_KEY and SIGN_CERT"
}

traces()
{
	local dir=$SCRATCH/traces

	mkdir -p "$dir"
	: >"$dir/empty"
	say '# botrace2 v1 pid 1 chipset 0xf0 gpu 10000,400 cmd test' >"$dir/header"
	xz -k "$dir/header"
	say '100 other 5 0' >"$dir/headless"
	head -c 5000 /dev/urandom >"$dir/noise"
	cp "$dir/noise" "$dir/noise.xz"
	refused demo TRACES=doom "no recording 'doom'"
	refused demo TRACES=doom@0.1 "no recording 'doom'"
	refused pressure MIX=lunch "no mix of clients 'lunch'"
	refused pressure POLICY=none "no policy 'none'"
	refused pressure COPY=disk "no way to copy 'disk'"
	refused demo PRICES=lunch_ns=7 "no price 'lunch_ns'"
	refused demo PRICES=step_ns "is no <price>=<ns>"
	refused demo "TRACES=mpv-720p60 $dir" "is a directory"
	refused demo "TRACES=$dir/empty" "does not begin with"
	refused demo "TRACES=$dir/header" "a header and nothing else"
	refused demo "TRACES=$dir/header.xz" "a header and nothing else"
	refused demo "TRACES=$dir/headless" "does not begin with"
	refused demo "TRACES=$dir/noise" "does not begin with"
	refused demo "TRACES=$dir/noise.xz" "does not begin with"
}

# accepts <variable=value> ...
accepts()
{
	rm -rf "$CHECKOUT/build"
	mkdir -p build
	# shellcheck disable=SC2016 # for that shell
	ends 0 "" env IN_COMMAND=1 "$@" \
		bash -c '. scripts/lib.sh; . scripts/variables.sh; check_variables'
}

right_ones()
{
	printf '%s\n' '# botrace2 v1 pid 1' '# a marker' '100 other 5 0' >"$SCRATCH/traces/right"
	sed 's/ v1 / v2 /' "$SCRATCH/traces/right" >"$SCRATCH/traces/right-v2"
	result "right ones are accepted" accepts JOBS=1 HISTORIES=999999999 ROUNDS=3 MUTANTS=12 \
		'SUITES=ttm_fence_lru_glue_*.a_[b-d]*' \
		SEED=0 VRAM_MB=64 JOB_SPEED=0.25 V=1 FULL=1 FORCE=1 PART=glue RELEASE=13 \
		DEBIAN_MIRROR=http://deb.debian.org/debian "BENCH=ttm engine_quiet" \
		"MODEL=geforce3 geforce6800" "CASE=a hung channel" MUTANT=reclaim.c:119:negate \
		INSTALL_MOD_PATH=/ SIGN_KEY=/etc/passwd SIGN_CERT=/etc/passwd \
		"TRACES=mpv-720p60@0.1 $SCRATCH/traces/right $SCRATCH/traces/right-v2 ring:" "PRICES=step_ns=54 use_ns=0" \
		"MIX=pair default" "POLICY=ours ours-k8 list" "COPY=cpu async" SEEDS=2
	result "a mutant in the glue is accepted" accepts MUTANT=ttm_zombies.c:119:negate.2
	result "a named mutant is accepted" accepts MUTANT=counter-not-updated
	result "a mutant of nouveau is accepted" accepts \
		MUTANT=fence-a-VM-s-own-buffers-as-a-group
	result "those that are empty are accepted" accepts JOBS= SEED= TRACES= BENCH= CASE= FULL=
}

through_make()
{
	rm -rf "$CHECKOUT/build"
	result "make says what is wrong with a variable" \
		ends 2 "VRAM_MB=-1: must be a number of MiB" make demo VRAM_MB=-1
	result "and changes nothing" changed_nothing
}

help_has_all()
{
	local variable variables missing=()

	make help >"$SCRATCH/help"
	mapfile -t variables < <(sed -n 's/^export //p' Makefile | tr ' ' '\n')
	for variable in "${variables[@]}"; do
		grep -qE "(^|[^A-Z_])$variable=" "$SCRATCH/help" || missing+=("$variable")
	done
	[ ${#missing[@]} = 0 ] || { say "# missing: ${missing[*]}"; return 1; }
}

variables()
{
	numbers
	switches
	names
	traces
	right_ones
	through_make
	result "make help lists all variables" help_has_all
}

# Two at a time -----------------------------------------------------------------------

# said <file> <text>: waits until it does.
said()
{
	until grep -qsF -e "$2" "$1"; do
		sleep 0.1
	done
}

# Both write the same log, one after the other.
two_guests()
{
	local first second status=0

	new_build
	script first <<-'END'
		until [ -e "$BUILD/go" ]; do sleep 0.1; done
		echo first
	END
	script second <<<'echo second'
	scripts/boot.sh -m 256M -l same $CONFIG -- ./first >"$SCRATCH/first" 2>&1 &
	first=$!
	said build/.command boot.sh
	scripts/boot.sh -m 256M -l same $CONFIG -- ./second >"$SCRATCH/second" 2>&1 &
	second=$!
	said "$SCRATCH/second" "waiting for another command in this checkout"
	: >build/go
	wait $first || status=$?
	wait $second || status=$?
	[ "$status" = 0 ] && grep -qx first "$SCRATCH/first" && grep -qx second "$SCRATCH/second"
}

# What a user can mend ----------------------------------------------------------------

guest_without_build()
{
	new_build
	say "ROOT=/ BUILD=/nonexistent run=/run directory=/" >wrong-job
	result "a guest that takes too long is ended" \
		ends 124 "took longer than 9 s and was killed" scripts/boot.sh -t 9 -m 256M $CONFIG \
		-- ./job 1
	result "a guest says that build/ cannot be mounted" \
		ends 125 "/nonexistent cannot be mounted" scripts/boot.sh -m 256M $CONFIG \
		guest_job="$CHECKOUT/wrong-job" -- ./job 1
}

before_modules()
{
	rm -rf "$CHECKOUT/build"
	result "modules_install wants modules" \
		ends 2 "Run 'make modules' first" make modules_install
}

# on_disk <size> <command> ...: with a build/ that has so much room.
on_disk()
{
	# shellcheck disable=SC2016 # for that shell
	unshare --mount bash -c 'mount -t tmpfs -o size="$1" none build && "${@:2}"' - "$@"
}

full_disk()
{
	new_build
	script tests/fill.sh <<-'END'
		. "$(dirname "$0")/../scripts/lib.sh"
		run_step fill "filling the disk" "Nothing." dd if=/dev/zero of="$BUILD/all" bs=1M
	END
	if ! unshare --mount true 2>/dev/null; then
		skip "a full disk" "only root can mount one"
		return
	fi
	result "a full disk is named at the start" \
		ends 1 "the disk of build/ is full" on_disk 1M tests/fill.sh
	result "and when it gets full" \
		ends 1 "step 'fill' failed (filling the disk): the disk of build/ is full" \
		on_disk 120M tests/fill.sh
	result "make clean works on it" ends 0 "" on_disk 1M make clean
}

foreign_files()
{
	local other=(setpriv --reuid=65534 --regid=65534 --clear-groups)

	if [ "$(id -u)" != 0 ] || ! "${other[@]}" test -r scripts/lib.sh; then
		skip "files of another user" "only root can be two users"
		return
	fi
	rm -rf "$CHECKOUT/build"
	result "a checkout of another user is named" \
		ends 1 "chown -R nobody $CHECKOUT" "${other[@]}" scripts/check.sh
	mkdir -p build/logs
	chown 65534:65534 build
	result "files of another user are named" \
		ends 1 "build/logs belongs to root" "${other[@]}" scripts/check.sh
	chown -R 65534:65534 build
	result "a build/ of one's own is not" \
		ends 1 "usage: boot.sh" "${other[@]}" scripts/boot.sh
}

make_checkout
ctrl_c
variables
result "a command waits for another one" two_guests
guest_without_build
before_modules
full_disk
foreign_files
cd "$ROOT"
rm -rf "$SCRATCH"
say "1..$NR"
[ $FAILED = 0 ]
