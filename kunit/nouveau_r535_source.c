// SPDX-License-Identifier: GPL-2.0 OR MIT
/* As nouveau_source.c: of channels with GSP firmware. */
#ifndef __CHECKER__
#include "nouveau_weak.h"

/* Where it is in later kernels comes second. */
#if __has_include("../../nouveau/nvkm/engine/fifo/r535.c")
#include "../../nouveau/nvkm/engine/fifo/r535.c"
#else
#include "../../nouveau/nvkm/subdev/gsp/rm/r535/fifo.c"
#endif

#include "nouveau_runlist.h"

const struct nvkm_chan_func *const nv_firmware_chan = &r535_chan;
#endif
