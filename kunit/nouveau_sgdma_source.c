// SPDX-License-Identifier: GPL-2.0 OR MIT
/* As nouveau_source.c: of the pages of buffers, which are bound nowhere. */
#ifndef __CHECKER__
#include "nouveau_weak.h"

#define nouveau_sgdma_bind nv_sgdma_bind

#include "../../nouveau/nouveau_sgdma.c"
#endif
