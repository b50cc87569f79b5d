// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What nvkm's channels stand on: a runlist that goes on with what it runs until it was
 * preempted, or its engine reset.
 */
#include "nouveau_runlist.h"

/* How often the hardware is asked before it has done what it was told to. */
#define DELAY 3
#define PATIENCE 10
/* What the firmware knows. */
#define STOP_CHANNEL 0xa06f0112

struct nv_hardware *nv_hw;

/*
 * What nvkm calls.
 */

static void do_nothing(struct nvkm_chan *chan)
{
}

static void preempt(struct nvkm_chan *chan)
{
	struct nv_hw_channel *channel =
		container_of(chan, struct nv_hw_channel, base);

	channel->preempting = true;
	channel->polls = 0;
}

static const struct nvkm_chan_func chan_func = {
	.start = do_nothing,
	.stop = do_nothing,
	.preempt = preempt,
};

const struct nvkm_chan_func nv_tesla_chan = {
	.start = do_nothing,
	.stop = do_nothing,
};

static void block(struct nvkm_runl *runl, u32 engines)
{
}

static int update(struct nvkm_runl *runl)
{
	return 0;
}

static bool is_pending(struct nv_hw_channel *channel)
{
	if (!channel->preempting || !channel->running)
		return false;
	if (nv_hw->stuck || channel->polls++ < DELAY)
		return true;
	channel->running = false;
	return false;
}

static bool preempt_pending(struct nvkm_runl *runl)
{
	void (*gone)(void) = nv_hw->gone;
	int i;

	for (i = 0; i < ARRAY_SIZE(nv_hw->channels); i++)
		if (is_pending(&nv_hw->channels[i]))
			return true;
	nv_hw->gone = NULL;
	if (gone)
		gone();
	return false;
}

static const struct nvkm_runl_func runl_func = {
	.update = update,
	.wait = update,
	.block = block,
	.allow = block,
	.preempt_pending = preempt_pending,
};

static const struct nvkm_fifo_func fifo_func = { .runl = &runl_func };

static int channel_on_engine(struct nvkm_engn *engn, bool *cgid)
{
	*cgid = false;
	return nv_hw->channels[0].running ? NV_CHANNEL : -1;
}

/* Tesla's engines save the context then. */
static void bind(struct nvkm_engn *engn, struct nvkm_cctx *cctx,
		 struct nvkm_chan *chan)
{
	if (!cctx)
		nv_hw->channels[0].running = false;
}

static const struct nvkm_engn_func engn_func = {
	.cxid = channel_on_engine,
	.bind = bind,
};

int nvkm_engine_reset(struct nvkm_engine *engine)
{
	nv_hw->resets++;
	nv_hw->channels[0].running = false;
	return 0;
}

/* The groups' lock was taken when they were looked up. */
void nvkm_cgrp_put(struct nvkm_cgrp **pcgrp, unsigned long flags)
	__releases(&(*pcgrp)->lock)
{
	struct nvkm_cgrp *cgrp = *pcgrp;

	*pcgrp = NULL;
	spin_unlock_irqrestore(&cgrp->lock, flags);
}

struct nvkm_chid *nvkm_chid_ref(struct nvkm_chid *chid)
{
	return chid;
}

void nvkm_chid_unref(struct nvkm_chid **chid)
{
}

void nvkm_memory_unref(struct nvkm_memory **memory)
{
}

void nvkm_timer_wait_init(struct nvkm_device *device, u64 nsec,
			  struct nvkm_timer_wait *wait)
{
	wait->tmr = &nv_hw->timer;
	wait->reads = 0;
}

/* The one that loses patience warns of that. */
s64 nvkm_timer_wait_test(struct nvkm_timer_wait *wait)
{
	return ++wait->reads > PATIENCE ? -ETIMEDOUT : 0;
}

/* nouveau's fences are signaled. */
static int report(struct nvkm_event_ntfy *ntfy, u32 bits)
{
	struct nv_hw_channel *channel =
		container_of(ntfy, struct nv_hw_channel, listener);

	KUNIT_EXPECT_FALSE_MSG(nv_hw->test, channel->running,
			       "an error is reported while the channel runs");
	channel->reports++;
	return NVKM_EVENT_KEEP;
}

static int notice(struct nvkm_event_ntfy *ntfy, u32 bits)
{
	nv_hw->notices++;
	return NVKM_EVENT_KEEP;
}

int nvkm_uevent_add(struct nvkm_uevent *uevent, struct nvkm_event *event,
		    int id, u32 bits, nvkm_uevent_func func)
{
	nvkm_event_ntfy_add(event, id, bits, false, notice, &nv_hw->nonstall);
	return 0;
}

/*
 * The firmware.
 */

static void *ctrl_get(struct nvkm_gsp_object *object, u32 command, u32 size)
{
	nv_hw->command = command;
	return &nv_hw->immediate;
}

static int ctrl_push(struct nvkm_gsp_object *object, void **argv, u32 size)
{
	if (nv_hw->command == STOP_CHANNEL && nv_hw->immediate)
		nv_hw->channels[0].running = false;
	return 0;
}

#ifdef __NVKM_RM_H__
/* Later kernels have several firmwares. */
static const struct nvkm_rm_api_ctrl ctrl = {
	.get = ctrl_get,
	.push = ctrl_push,
};

static const struct nvkm_rm_api api = { .ctrl = &ctrl };
static struct nvkm_rm firmware = { .api = &api };
#else
static const struct nvkm_gsp_rm firmware = {
	.rm_ctrl_get = ctrl_get,
	.rm_ctrl_push = ctrl_push,
};
#endif

/*
 * The hardware.
 */

static void init_group(struct nvkm_cgrp *cgrp)
{
	cgrp->runl = nv_hw->runl;
	INIT_LIST_HEAD(&cgrp->chans);
	spin_lock_init(&cgrp->lock);
	mutex_init(&cgrp->mutex);
}

static void init_channel(struct nv_hw_channel *channel, int id)
{
	struct nvkm_chan *chan = &channel->base;

	init_group(&channel->group);
	chan->func = &chan_func;
	chan->cgrp = &channel->group;
	chan->id = id;
	spin_lock_init(&chan->lock);
	INIT_LIST_HEAD(&chan->cctxs);
	INIT_LIST_HEAD(&chan->head);
	chan->rm.object.client = &nv_hw->client;
	nv_hw->client.gsp = &nv_hw->gsp;
	nv_hw->gsp.rm = &firmware;

	nv_hw->chid->data[id] = chan;
	__set_bit(id, nv_hw->chid->used);
	nvkm_chan_insert(chan);
	nvkm_event_ntfy_add(&nv_hw->chid->event, id, NVKM_CHAN_EVENT_ERRORED,
			    false, report, &channel->listener);
	nvkm_event_ntfy_allow(&channel->listener);
	channel->running = true;
}

/* An object of the engine is in use on the channel. */
static void init_context(struct nvkm_cctx *cctx)
{
	nv_hw->engn.func = &engn_func;
	nv_hw->engn.runl = nv_hw->runl;
	nv_hw->engn.engine = &nv_hw->engine;
	list_add_tail(&nv_hw->engn.head, &nv_hw->runl->engns);

	nv_hw->ectx.engn = &nv_hw->engn;
	nv_hw->vctx.ectx = &nv_hw->ectx;
	cctx->vctx = &nv_hw->vctx;
	refcount_set(&cctx->uses, 1);
	list_add_tail(&cctx->head, &nv_hw->channels[0].base.cctxs);
}

int nv_hw_init(struct kunit *test)
{
	struct nvkm_subdev *subdev;
	struct nvkm_chid *chid;

	nv_hw = kunit_kzalloc(test, sizeof(*nv_hw), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, nv_hw);
	nv_hw->test = test;
	subdev = &nv_hw->fifo.engine.subdev;
	subdev->device = &nv_hw->device;
	nv_hw->dev.init_name = "nvkm";
	nv_hw->device.dev = &nv_hw->dev;
	nv_hw->timer.subdev.device = &nv_hw->device;

	chid = kunit_kzalloc(test, struct_size(chid, used, 1), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, chid);
	chid->data = kunit_kcalloc(test, NV_CHANNEL_IDS, sizeof(*chid->data),
				   GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, chid->data);
	chid->nr = NV_CHANNEL_IDS;
	spin_lock_init(&chid->lock);
	KUNIT_ASSERT_EQ(test,
			nvkm_event_init(&nvkm_chan_event, subdev, 1,
					NV_CHANNEL_IDS, &chid->event),
			0);
	nv_hw->chid = chid;

	nv_hw->fifo.func = &fifo_func;
	nv_hw->fifo.chid = chid;
	nv_hw->fifo.cgid = chid;
	spin_lock_init(&nv_hw->fifo.lock);
	INIT_LIST_HEAD(&nv_hw->fifo.runls);
	nv_hw->runl = nvkm_runl_new(&nv_hw->fifo, NV_RUNLIST, 0, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR(nv_hw->runl));

	init_channel(&nv_hw->channels[0], NV_CHANNEL);
	init_channel(&nv_hw->channels[1], NV_CHANNEL + 1);
	init_context(&nv_hw->cctx);
	return 0;
}

void nv_hw_exit(struct kunit *test)
{
	int i;

	nvkm_runl_fini(nv_hw->runl);
	for (i = 0; i < ARRAY_SIZE(nv_hw->channels); i++)
		nvkm_event_ntfy_del(&nv_hw->channels[i].listener);
	list_del(&nv_hw->engn.head);
	nvkm_runl_del(nv_hw->runl);
	nvkm_event_fini(&nv_hw->chid->event);
}
