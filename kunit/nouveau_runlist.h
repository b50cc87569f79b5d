/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _NOUVEAU_RUNLIST_H_
#define _NOUVEAU_RUNLIST_H_

struct nvkm_chan;
struct nvkm_chan_func;
struct nvkm_uevent;

extern const struct nvkm_chan_func *const nv_firmware_chan;

u32 nv_ramht_hash(int bits, int chid, u32 handle);
int nv_uchan_stop(struct nvkm_chan *chan);
int nv_uchan_event(struct nvkm_chan *chan, struct nvkm_uevent *uevent);

#endif
