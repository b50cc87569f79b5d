#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# run.sh [-c <text> | -r <arguments>] [<module parameter> ...]: in a guest, load the software GPU, test it,
# unload it; or test the one that is built in, as the kernel's command line set
# it up. KERNEL_OUT is where the kernel was built, ROOT is the repository.
# -c: run only the cases whose names contain this. -r: load it, run the test with these
# arguments, and unload it.

drm=$KERNEL_OUT/drivers/gpu/drm
tool=$ROOT/build/tools/swgpu-test/swgpu-test
CASE=
RUN=
case ${1:-} in
-c) CASE=$2; shift 2 ;;
-r) RUN=$2; shift 2 ;;
esac
parameters=("$@")
failed=0

load()
{
	local module

	for module in "$drm"/drm_{exec,buddy}.ko "$drm"/ttm_fence_lru/ttm_fence_lru/*.ko \
		"$drm"/ttm/ttm.ko; do
		[ ! -e "$module" ] || [ -d "/sys/module/$(basename "$module" .ko)" ] ||
			insmod "$module" || return
	done
	insmod "$drm/ttm_fence_lru/swgpu/swgpu.ko" "$@"
}

refused()
{
	if load "$@" 2>/dev/null; then
		echo "not ok - loads with $*"
		rmmod swgpu
		failed=1
	else
		echo "ok - does not load with $*"
	fi
}

# Nothing may be left of a device that is gone.
unload()
{
	if rmmod swgpu && [ ! -d /sys/module/swgpu ] &&
		[ "$(cat /sys/kernel/debug/ttm/buffer_objects 2>/dev/null || echo 0)" = 0 ]; then
		echo "ok - unloads"
	else
		echo "not ok - unloads"
		failed=1
	fi
}

test_device()
{
	"$tool" ${CASE:+"$CASE"} || failed=1
	grep -q '^fence_lru: ' /sys/kernel/debug/dri/0/stats || failed=1
	[ -n "$CASE" ] || "$tool" --unplug || failed=1
}

if [ ! -e "$drm/ttm_fence_lru/swgpu/swgpu.ko" ]; then
	test_device
	exit "$failed"
fi

if [ -n "$RUN" ]; then
	load "${parameters[@]}" || exit 2
	# shellcheck disable=SC2086 # several arguments
	"$tool" $RUN || failed=1
	unload
	exit "$failed"
fi

refused vram_mb=0
refused gtt_mb=99999999
refused vram_mb=1000000
refused vram_mb=words
refused devices=0
refused devices=5
refused copy=gpu
refused copy_mib_s=0
refused broken=3
refused job_timeout_ms=0

echo "# parameters: ${parameters[*]}"
load vram_mb=32 gtt_mb=160 devices=2 job_timeout_ms=3000 "${parameters[@]}" || exit 2
test_device
unload

for copy in cpu async; do
	load vram_mb=8 gtt_mb=8 "${parameters[@]}" copy=$copy || exit 2
	"$tool" --outlive || failed=1
	[ ! -d /sys/module/swgpu ] || rmmod swgpu
done

load vram_mb=8 gtt_mb=8 "${parameters[@]}" broken=1 || exit 2
"$tool" --broken || failed=1
unload
load vram_mb=8 gtt_mb=8 "${parameters[@]}" copy=async broken=2 || exit 2
"$tool" --broken-copies || failed=1
unload
exit "$failed"
