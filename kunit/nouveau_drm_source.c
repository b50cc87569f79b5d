// SPDX-License-Identifier: GPL-2.0 OR MIT
/* As nouveau_source.c: of the device itself. */
#ifndef __CHECKER__
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>

#include <drm/ttm/ttm_device.h>
#include <drm/ttm/ttm_resource.h>

#include "nouveau_mock.h"
#include "nouveau_weak.h"

/* It is no driver here. */
#undef module_init
#undef module_exit
#define module_init(function) \
	static void *const __maybe_unused unused_init = function
#define module_exit(function) \
	static void *const __maybe_unused unused_exit = function

#define ttm_resource_manager_evict_all nv_evict_all
#define ttm_device_trim nv_trim
#define pm_runtime_mark_last_busy nv_mark_busy
#define nvif_client_suspend(...) nv_client_suspend()

/* No bus leads to it. */
#define pci_save_state(...)
#define pci_disable_device(...)
#define pci_set_power_state(...)

#include "../../nouveau/nouveau_drm.c"

#ifdef NV_DEVICE_GCOFF_READY
/* Firmware is never in the way. */
int nvif_device_gcx_ready(struct nvif_device *device)
{
	return NV_DEVICE_GCOFF_READY;
}
#endif

/* What it keeps to itself. */

void nv_client_fini(struct nouveau_cli *cli)
{
	nouveau_cli_fini(cli);
}

int nv_runtime_suspend(struct device *dev)
{
	int ret, runtime_pm = nouveau_runtime_pm;

	nouveau_runtime_pm = 1;
	ret = nouveau_pmops_runtime_suspend(dev);
	nouveau_runtime_pm = runtime_pm;
	return ret;
}

bool nv_shutdown(struct pci_dev *pdev)
{
	if (!nouveau_drm_pci_driver.shutdown)
		return false;
	nouveau_drm_pci_driver.shutdown(pdev);
	return true;
}

int nv_poweroff(struct device *dev)
{
	return nouveau_pm_ops.poweroff(dev);
}

int nv_thaw(struct device *dev)
{
	return nouveau_pm_ops.thaw(dev);
}
#endif
