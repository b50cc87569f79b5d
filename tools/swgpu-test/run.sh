#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# run.sh [<module parameter> ...]: in a guest, load the software GPU, test it,
# unload it; or test the one that is built in, as the kernel's command line set
# it up. KERNEL_OUT is where the kernel was built, ROOT is the repository.
# CASE=<text> runs only the cases whose names contain it.

drm=$KERNEL_OUT/drivers/gpu/drm
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

unload()
{
	rmmod swgpu && [ ! -d /sys/module/swgpu ] || failed=1
}

test_device()
{
	"$ROOT/build/tools/swgpu-test/swgpu-test" ${CASE:+"$CASE"} || failed=1
	grep -q '^fence_lru: ' /sys/kernel/debug/dri/0/stats || failed=1
}

if [ ! -e "$drm/ttm_fence_lru/swgpu/swgpu.ko" ]; then
	test_device
	exit "$failed"
fi

refused vram_mb=0
refused gtt_mb=99999999
refused vram_mb=1000000
refused vram_mb=words

echo "# parameters: ${parameters[*]}"
load vram_mb=32 gtt_mb=160 "${parameters[@]}" || exit 2
test_device
unload

load vram_mb=8 gtt_mb=8 "${parameters[@]}" broken=1 || exit 2
"$ROOT/build/tools/swgpu-test/swgpu-test" --broken || failed=1
unload
exit "$failed"
