/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _NOUVEAU_RUNLIST_H_
#define _NOUVEAU_RUNLIST_H_

#include <kunit/test.h>

#include <core/event.h>
#include <core/subdev.h>
#include <subdev/gsp.h>
#include <subdev/timer.h>
#include <engine/fifo/cgrp.h>
#include <engine/fifo/chan.h>
#include <engine/fifo/chid.h>
#include <engine/fifo/priv.h>
#include <engine/fifo/runl.h>

/* Neither runlist nor channel is the first. */
#define NV_RUNLIST 1
#define NV_CHANNEL 3
#define NV_CHANNEL_IDS 8

/**
 * struct nv_hw_channel - a channel of the hardware's, in a group of its own
 * @base: nvkm's
 * @group: nvkm's
 * @listener: hears of its errors
 * @running: it uses its memory
 * @preempting: it was told to go
 * @polls: how often it was asked whether it has
 * @reports: of an error
 */
struct nv_hw_channel {
	struct nvkm_chan base;
	struct nvkm_cgrp group;
	struct nvkm_event_ntfy listener;
	bool running;
	bool preempting;
	unsigned int polls;
	unsigned int reports;
};

/**
 * struct nv_hardware - a runlist with two channels, of which the first is on its engine
 * @test: the case that it serves
 * @channels: those
 * @stuck: they cannot be preempted
 * @gone: if set, called when nothing is to be preempted any more
 * @resets: of the engine
 * @notices: of the first channel's non-stall interrupt
 * @nonstall: who gets these
 * @fifo: nvkm's
 * @runl: nvkm's
 */
struct nv_hardware {
	struct kunit *test;
	struct nv_hw_channel channels[2];
	bool stuck;
	void (*gone)(void);
	unsigned int resets;
	unsigned int notices;
	struct nvkm_event_ntfy nonstall;
	struct nvkm_fifo fifo;
	struct nvkm_runl *runl;

	/* private: */
	struct device dev;
	struct nvkm_device device;
	struct nvkm_timer timer;
	struct nvkm_chid *chid;
	struct nvkm_engine engine;
	struct nvkm_engn engn;
	struct nvkm_ectx ectx;
	struct nvkm_vctx vctx;
	struct nvkm_cctx cctx;
	struct nvkm_gsp gsp;
	struct nvkm_gsp_client client;
	u32 command;
	u8 immediate;
};

/* That of the case that runs. */
extern struct nv_hardware *nv_hw;
extern const struct nvkm_chan_func nv_tesla_chan;
extern const struct nvkm_chan_func *const nv_firmware_chan;

int nv_hw_init(struct kunit *test);
void nv_hw_exit(struct kunit *test);

u32 nv_ramht_hash(int bits, int chid, u32 handle);
int nv_uchan_stop(struct nvkm_chan *chan);
int nv_uchan_suspend(struct nvkm_chan *chan);
int nv_uchan_resume(struct nvkm_chan *chan);
int nv_uchan_event(struct nvkm_chan *chan, struct nvkm_uevent *uevent);

#endif
