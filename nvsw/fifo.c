// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What nvkm tells the chip of channels. Where a TU102 has registers the chip has its state;
 * instance blocks, runlists, groups, faults and recovery are nvkm's own.
 */
#include <core/gpuobj.h>
#include <core/memory.h>
#include <nvif/class.h>

#include <engine/fifo/priv.h>
#include <engine/fifo/cgrp.h>
#include <engine/fifo/chan.h>
#include <engine/fifo/chid.h>
#include <engine/fifo/runl.h>
#include <engine/fifo/runq.h>

#include "chip.h"
#include "exec.h"

/* From Kepler on this one is the copy engine's, and Mesa does not say so. */
#define COPY_SUBCHANNEL 4

/* A machine has one board, with one chip. */
static struct nvsw_chip the_chip = {
	.lock = __RAW_SPIN_LOCK_UNLOCKED(the_chip.lock),
};

static struct nvsw_runl *runl_of(const struct nvkm_runl *runl)
{
	return &the_chip.runls[runl->id];
}

static struct nvsw_chan *chan_of(const struct nvkm_chan *chan)
{
	return the_chip.chans[chan->id];
}

/* Channels ----------------------------------------------------------------------------- */

/* Called when the channel is made: its state is the chip's memory, not VRAM. */
static int ramfc_write(struct nvkm_chan *chan, u64 offset, u64 length, u32 devm,
		       bool priv)
{
	struct nvsw_chan *state = kvzalloc(sizeof(*state), GFP_KERNEL);
	unsigned long flags;

	if (!state)
		return -ENOMEM;
	state->chip = &the_chip;
	state->id = chan->id;
	state->driver = priv;
	state->fault = NVSW_FAULT_NONE;
	state->class[COPY_SUBCHANNEL] = TURING_DMA_COPY_A;
	raw_spin_lock_irqsave(&the_chip.lock, flags);
	the_chip.chans[chan->id] = state;
	raw_spin_unlock_irqrestore(&the_chip.lock, flags);
	return gv100_chan_ramfc.write(chan, offset, length, devm, priv);
}

/* Its memory goes next, so it must not run: neither nvkm nor nouveau may let it come to that. */
static void ramfc_clear(struct nvkm_chan *chan)
{
	struct nvsw_chan *state;
	struct nvsw_runl *runl;
	unsigned long flags;

	if (chan->id < 0)
		return;
	raw_spin_lock_irqsave(&the_chip.lock, flags);
	state = chan_of(chan);
	the_chip.chans[chan->id] = NULL;
	runl = runl_of(chan->cgrp->runl);
	if (state && runl->current_chan == state) {
		pr_err("nvsw: channel %d is freed while it runs\n", chan->id);
		nvsw_runl_reset_locked(runl);
	}
	raw_spin_unlock_irqrestore(&the_chip.lock, flags);
	kvfree(state);
}

static const struct nvkm_chan_func_ramfc ramfc = {
	.write = ramfc_write,
	.clear = ramfc_clear,
	.devm = 0xfff,
	.priv = true,
};

static void chan_bind(struct nvkm_chan *chan)
{
	struct nvsw_chan *state;
	unsigned long flags;

	raw_spin_lock_irqsave(&the_chip.lock, flags);
	state = chan_of(chan);
	state->inst = chan->inst->addr;
	state->bound = true;
	state->faulted = false;
	state->fault = NVSW_FAULT_NONE;
	raw_spin_unlock_irqrestore(&the_chip.lock, flags);
}

static void chan_unbind(struct nvkm_chan *chan)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&the_chip.lock, flags);
	chan_of(chan)->bound = false;
	raw_spin_unlock_irqrestore(&the_chip.lock, flags);
}

static void chan_start(struct nvkm_chan *chan)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&the_chip.lock, flags);
	chan_of(chan)->enabled = true;
	chan_of(chan)->rung = true;
	nvsw_runl_kick_locked(runl_of(chan->cgrp->runl));
	raw_spin_unlock_irqrestore(&the_chip.lock, flags);
}

/* It is not chosen any more. If it runs it goes on. */
static void chan_stop(struct nvkm_chan *chan)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&the_chip.lock, flags);
	chan_of(chan)->enabled = false;
	raw_spin_unlock_irqrestore(&the_chip.lock, flags);
}

static void preempt(struct nvkm_runl *runl)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&the_chip.lock, flags);
	runl_of(runl)->preempt = true;
	nvsw_runl_kick_locked(runl_of(runl));
	raw_spin_unlock_irqrestore(&the_chip.lock, flags);
}

static void chan_preempt(struct nvkm_chan *chan)
{
	preempt(chan->cgrp->runl);
}

static u32 doorbell_handle(struct nvkm_chan *chan)
{
	return chan->cgrp->runl->id << 16 | chan->id;
}

static const struct nvkm_chan_func nvsw_chan = {
	.inst = &gf100_chan_inst,
	.userd = &gv100_chan_userd,
	.ramfc = &ramfc,
	.bind = chan_bind,
	.unbind = chan_unbind,
	.start = chan_start,
	.stop = chan_stop,
	.preempt = chan_preempt,
	.doorbell_handle = doorbell_handle,
};

static void cgrp_preempt(struct nvkm_cgrp *cgrp)
{
	preempt(cgrp->runl);
}

static const struct nvkm_cgrp_func nvsw_cgrp = {
	.preempt = cgrp_preempt,
};

/* The doorbell. All that it does is to have somebody look later. */
static void ring(u32 token)
{
	unsigned int runl = token >> 16, id = token & 0xffff;
	unsigned long flags;

	if (runl >= NVSW_NR_RUNLS || id >= NVSW_NR_CHANS)
		return;
	raw_spin_lock_irqsave(&the_chip.lock, flags);
	if (the_chip.chans[id]) {
		the_chip.chans[id]->rung = true;
		nvsw_runl_kick_locked(&the_chip.runls[runl]);
	}
	raw_spin_unlock_irqrestore(&the_chip.lock, flags);
}

/* Runlists ----------------------------------------------------------------------------- */

static void runl_commit(struct nvkm_runl *runl, struct nvkm_memory *memory,
			u32 start, int count)
{
	struct nvsw_runl *state = runl_of(runl);
	unsigned long flags;

	raw_spin_lock_irqsave(&the_chip.lock, flags);
	state->commit_address = nvkm_memory_addr(memory) + start;
	state->commit_nr = count;
	state->commit = true;
	nvsw_runl_kick_locked(state);
	raw_spin_unlock_irqrestore(&the_chip.lock, flags);
}

static bool runl_pending(struct nvkm_runl *runl)
{
	return READ_ONCE(runl_of(runl)->commit);
}

static void set_blocked(struct nvkm_runl *runl, bool blocked)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&the_chip.lock, flags);
	runl_of(runl)->blocked = blocked;
	nvsw_runl_kick_locked(runl_of(runl));
	raw_spin_unlock_irqrestore(&the_chip.lock, flags);
}

static void runl_block(struct nvkm_runl *runl, u32 engm)
{
	set_blocked(runl, true);
}

static void runl_allow(struct nvkm_runl *runl, u32 engm)
{
	set_blocked(runl, false);
}

static bool runl_preempt_pending(struct nvkm_runl *runl)
{
	return READ_ONCE(runl_of(runl)->preempt);
}

static const struct nvkm_runl_func nvsw_runl = {
	.runqs = 1,
	.size = 16,
	.update = nv50_runl_update,
	.insert_cgrp = gv100_runl_insert_cgrp,
	.insert_chan = gv100_runl_insert_chan,
	.commit = runl_commit,
	.wait = nv50_runl_wait,
	.pending = runl_pending,
	.block = runl_block,
	.allow = runl_allow,
	.preempt = preempt,
	.preempt_pending = runl_preempt_pending,
};

/* What reads commands is idle when nothing runs, or what does is stuck in the engine. */
static bool runq_idle(struct nvkm_runq *runq)
{
	struct nvsw_chan *chan;
	unsigned long flags;
	bool idle;

	raw_spin_lock_irqsave(&the_chip.lock, flags);
	chan = the_chip.runls[runq->id].current_chan;
	idle = !chan || chan->faulted || chan->hang != NVSW_HANG_NONE;
	raw_spin_unlock_irqrestore(&the_chip.lock, flags);
	return idle;
}

static const struct nvkm_runq_func nvsw_runq = {
	.idle = runq_idle,
};

/* The group that an engine is on; hardware says the same of all of a runlist here. */
static int engn_cxid(struct nvkm_engn *engn, bool *cgid)
{
	struct nvsw_chan *chan;
	unsigned long flags;
	int id = -ENODEV;

	raw_spin_lock_irqsave(&the_chip.lock, flags);
	chan = runl_of(engn->runl)->current_chan;
	if (chan)
		id = chan->tsg;
	raw_spin_unlock_irqrestore(&the_chip.lock, flags);
	*cgid = true;
	return id;
}

static const struct nvkm_engn_func nvsw_engn = {
	.cxid = engn_cxid,
};

void nvsw_runl_reset(unsigned int id)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&the_chip.lock, flags);
	nvsw_runl_reset_locked(&the_chip.runls[id]);
	nvsw_runl_kick_locked(&the_chip.runls[id]);
	raw_spin_unlock_irqrestore(&the_chip.lock, flags);
}

/* The whole ---------------------------------------------------------------------------- */

static int chid_nr(struct nvkm_fifo *fifo)
{
	return NVSW_NR_CHANS;
}

static int runq_nr(struct nvkm_fifo *fifo)
{
	return NVSW_NR_RUNLS;
}

static struct nvkm_runl *add_runl(struct nvkm_fifo *fifo, int id)
{
	struct nvkm_runl *runl = nvkm_runl_new(fifo, id, id, 0);
	struct nvkm_runq *runq;

	if (IS_ERR(runl))
		return runl;
	list_for_each_entry(runq, &fifo->runqs, head)
		if (runq->id == id)
			runl->runq[runl->runq_nr++] = runq;
	return runl;
}

/* Graphics with a copy engine, and another copy engine of its own. */
static int runl_ctor(struct nvkm_fifo *fifo)
{
	struct nvkm_runl *graphics = add_runl(fifo, 0), *copy;

	if (IS_ERR(graphics))
		return PTR_ERR(graphics);
	copy = add_runl(fifo, 1);
	if (IS_ERR(copy))
		return PTR_ERR(copy);
	if (!nvkm_runl_add(graphics, 0, &nvsw_engn, NVKM_ENGINE_GR, 0) ||
	    !nvkm_runl_add(graphics, 1, &nvsw_engn, NVKM_ENGINE_CE, 0) ||
	    !nvkm_runl_add(copy, 2, &nvsw_engn, NVKM_ENGINE_CE, 1))
		return -ENOMEM;
	return 0;
}

static void set_nonstall(bool allowed)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&the_chip.lock, flags);
	the_chip.nonstall_allowed = allowed;
	if (allowed && the_chip.nonstall)
		nvsw_runl_kick_locked(&the_chip.runls[0]);
	raw_spin_unlock_irqrestore(&the_chip.lock, flags);
}

static void nonstall_allow(struct nvkm_event *event, int type, int index)
{
	set_nonstall(true);
}

static void nonstall_block(struct nvkm_event *event, int type, int index)
{
	set_nonstall(false);
}

/* As before Ampere, all runlists share one. */
static const struct nvkm_event_func nonstall = {
	.init = nonstall_allow,
	.fini = nonstall_block,
};

static const struct nvkm_enum fault_engines[] = {
	{ NVSW_ENGINE_GR, "GRAPHICS", NULL, NVKM_ENGINE_GR, 0 },
	{ NVSW_ENGINE_CE0, "CE0", NULL, NVKM_ENGINE_CE, 0 },
	{ NVSW_ENGINE_CE1, "CE1", NULL, NVKM_ENGINE_CE, 1 },
	{}
};

static const struct nvkm_fifo_func_mmu_fault mmu_fault = {
	.recover = gf100_fifo_mmu_fault_recover,
	.access = gv100_fifo_mmu_fault_access,
	.engine = fault_engines,
	.reason = gv100_fifo_mmu_fault_reason,
	.hubclient = gv100_fifo_mmu_fault_hubclient,
	.gpcclient = gv100_fifo_mmu_fault_gpcclient,
};

static void dtor(struct nvkm_fifo *fifo)
{
	WRITE_ONCE(nvsw_board()->doorbell, NULL);
	nvsw_sched_stop(&the_chip);
	nvsw_count_fini();
	the_chip.device = NULL;
}

static const struct nvkm_fifo_func nvsw_fifo = {
	.dtor = dtor,
	.chid_nr = chid_nr,
	.chid_ctor = gk110_fifo_chid_ctor,
	.runq_nr = runq_nr,
	.runl_ctor = runl_ctor,
	.mmu_fault = &mmu_fault,
	.nonstall = &nonstall,
	.runl = &nvsw_runl,
	.runq = &nvsw_runq,
	.engn = &nvsw_engn,
	.engn_ce = &nvsw_engn,
	.cgrp = { { 0, 0, KEPLER_CHANNEL_GROUP_A }, &nvsw_cgrp, .force = true },
	.chan = { { 0, 0, TURING_CHANNEL_GPFIFO_A }, &nvsw_chan },
};

int nvsw_fifo_new(struct nvkm_device *device, enum nvkm_subdev_type type,
		  int inst, struct nvkm_fifo **fifo)
{
	int ret = nvkm_fifo_new_(&nvsw_fifo, device, type, inst, fifo);

	if (ret)
		return ret;
	the_chip.device = device;
	nvsw_sched_start(&the_chip);
	nvsw_count_init(&the_chip);
	WRITE_ONCE(nvsw_board()->doorbell, ring);
	return 0;
}
