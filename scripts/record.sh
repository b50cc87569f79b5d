#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# record.sh: what a GL program on Mesa's nouveau driver asks the kernel for, recorded without
# a GPU. Mesa and its stand-in for the kernel are Debian's, fetched and unpacked, not
# installed. Writes build/record/<name>.trace.xz, which make demo and make timeline replay as
# TRACES=<file>.
#
# CMD="<program> <argument> ..."  what to record
# NAME=<name>     of the recording; default: that of the program
# MAX_SECONDS=<n> the program is interrupted then; default: 30
# GPU=<ns>,<ns>   how long a push takes, and each word of it; default: 10000,400
# RECORD_FPS=<n>  how many frames a second at the most; default: as many as it draws
# RECORD_WINDOW=<width>x<height>  how large its windows are

. "$(dirname "$0")/lib.sh"
. "$ROOT/scripts/apt-lib.sh"
. "$ROOT/scripts/virtual-lib.sh"
. "$ROOT/scripts/record-lib.sh"

MESA=$OUT/mesa
MAX_SECONDS=${MAX_SECONDS:-30}
[ -n "${CMD:-}" ] || refuse "CMD is missing: what is to be recorded?" \
	"make record CMD=\"glmark2-es2 -b texture\""
# As a shell reads it, with its quotes.
command=()
eval "command=($CMD)"
command -v "${command[0]}" >/dev/null || refuse "CMD: there is no program '${command[0]}'"
NAME=${NAME:-$(basename "${command[0]}")}

# One that runs on both releases; beside it what it needs and this system has not, or older.
fetch_mesa()
{
	local deb new=$MESA.new

	can_fetch
	SUITES=(trixie)
	! grep -qx VERSION_CODENAME=bookworm /etc/os-release ||
		SUITES=(bookworm-backports)
	mkdir -p "$APT/lists/partial" "$APT/cache/archives/partial"
	rm -f "$APT"/cache/archives/*.deb
	printf "deb [signed-by=$KEYRING] $MIRROR %s main\n" "${SUITES[0]}" "${SUITES[0]%-backports}" |
		sort -u >"$APT/sources.list"
	private_apt apt-get update
	private_apt apt-get install --download-only --reinstall -y --no-install-recommends \
		-t "${SUITES[0]}" mesa-drm-shim libgl1-mesa-dri mesa-libgallium libegl-mesa0
	rm -rf "$new"
	mkdir -p "$new"
	for deb in "$APT"/cache/archives/*.deb; do
		dpkg -x "$deb" "$new"
	done
	rm -rf "$MESA"
	mv "$new" "$MESA"
}

# A display, for programs that ask X for a window: nothing is drawn on it.
start_display()
{
	[ -z "${DISPLAY:-}" ] || return 0
	exec 7< <(exec Xvfb -displayfd 1 -screen 0 1280x1024x24 -nolisten tcp 2>/dev/null)
	XVFB=$!
	trap 'kill $XVFB 2>/dev/null || true' EXIT
	read -r -t 20 -u 7 number || die "Xvfb did not start"
	export DISPLAY=:$number
}

# The program's own output goes to the log; how it ends is its own affair.
run_program()
{
	local lib

	lib=$(dirname "$(find "$MESA" -name libnouveau_noop_drm_shim.so | head -n 1)")
	rm -f "$OUT/$NAME".raw.*
	env LD_LIBRARY_PATH="$TOOLS/lib:$lib" LIBGL_DRIVERS_PATH="$lib/dri" \
		GBM_BACKENDS_PATH="$lib/gbm" \
		__EGL_VENDOR_LIBRARY_FILENAMES="$MESA/usr/share/glvnd/egl_vendor.d/50_mesa.json" \
		SDL_VIDEO_X11_FORCE_EGL=1 SDL_AUDIODRIVER=dummy EGL_PLATFORM=surfaceless \
		RECORD_TO="$OUT/$NAME.raw" RECORD_GPU="$GPU" \
		LD_PRELOAD="$TOOLS/record.so:$lib/libnouveau_noop_drm_shim.so" \
		timeout -k 5 -s INT "$MAX_SECONDS" "${command[@]}" || say "it ended with status $?"
}

"$ROOT/scripts/packages.sh" build record
mkdir -p "$OUT"
[ -d "$MESA" ] || run_step mesa "fetching Mesa" "Is the mirror reachable? See DEBIAN_MIRROR=." fetch_mesa
build_recorder
start_display
run_step record "recording ${command[0]}" "Read the log." run_program
choose "Does it use EGL? A window of GLX is not replaced. Its output is in build/logs/record.log"
