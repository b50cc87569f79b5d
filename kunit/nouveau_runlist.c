// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * nvkm's channels on a runlist that goes on with what it runs until it was preempted, or
 * its engine reset. An error is reported, and a channel has been stopped, not before that.
 */
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

#include "nouveau_runlist.h"

/* Neither is the first. */
#define RUNLIST 1
#define CHANNEL 3
#define NR_CHANNELS 8
/* How often the hardware is asked before it has done what it was told to. */
#define DELAY 3
#define PATIENCE 10
/* What the firmware knows. */
#define STOP_CHANNEL 0xa06f0112

/* One runlist with one channel. */
struct hardware {
	struct kunit *test;
	bool running; /* the channel uses its memory */
	bool stuck; /* it cannot be preempted */
	bool preempting; /* it was told to go */
	unsigned int polls; /* how often it was asked whether it has */
	unsigned int resets; /* of the engine */
	unsigned int reports; /* of an error of the channel */
	unsigned int notices; /* of its non-stall interrupt */

	struct device dev;
	struct nvkm_device device;
	struct nvkm_timer timer;
	struct nvkm_fifo fifo;
	struct nvkm_runl *runl;
	struct nvkm_chid *chid;
	struct nvkm_cgrp cgrp;
	struct nvkm_chan chan;
	struct nvkm_engine engine;
	struct nvkm_engn engn;
	struct nvkm_ectx ectx;
	struct nvkm_vctx vctx;
	struct nvkm_cctx cctx;
	struct nvkm_event_ntfy report, nonstall;

	struct nvkm_gsp gsp;
	struct nvkm_gsp_client client;
	u32 command;
	u8 immediate;
};

static struct hardware *hw;

/*
 * What nvkm calls.
 */

static void do_nothing(struct nvkm_chan *chan)
{
}

static void preempt(struct nvkm_chan *chan)
{
	hw->preempting = true;
	hw->polls = 0;
}

static const struct nvkm_chan_func chan_func = {
	.start = do_nothing,
	.stop = do_nothing,
	.preempt = preempt,
};

static const struct nvkm_chan_func tesla_chan_func = {
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

static bool preempt_pending(struct nvkm_runl *runl)
{
	if (!hw->preempting || !hw->running)
		return false;
	if (hw->stuck || hw->polls++ < DELAY)
		return true;
	hw->running = false;
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
	return hw->running ? CHANNEL : -1;
}

/* Tesla's engines save the context then. */
static void bind(struct nvkm_engn *engn, struct nvkm_cctx *cctx,
		 struct nvkm_chan *chan)
{
	if (!cctx)
		hw->running = false;
}

static const struct nvkm_engn_func engn_func = {
	.cxid = channel_on_engine,
	.bind = bind,
};

int nvkm_engine_reset(struct nvkm_engine *engine)
{
	hw->resets++;
	hw->running = false;
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
	wait->tmr = &hw->timer;
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
	KUNIT_EXPECT_FALSE_MSG(hw->test, hw->running,
			       "an error is reported while the channel runs");
	hw->reports++;
	return NVKM_EVENT_KEEP;
}

static int notice(struct nvkm_event_ntfy *ntfy, u32 bits)
{
	hw->notices++;
	return NVKM_EVENT_KEEP;
}

int nvkm_uevent_add(struct nvkm_uevent *uevent, struct nvkm_event *event,
		    int id, u32 bits, nvkm_uevent_func func)
{
	nvkm_event_ntfy_add(event, id, bits, false, notice, &hw->nonstall);
	return 0;
}

/*
 * The firmware.
 */

static void *ctrl_get(struct nvkm_gsp_object *object, u32 command, u32 size)
{
	hw->command = command;
	return &hw->immediate;
}

static int ctrl_push(struct nvkm_gsp_object *object, void **argv, u32 size)
{
	if (hw->command == STOP_CHANNEL && hw->immediate)
		hw->running = false;
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
	cgrp->runl = hw->runl;
	INIT_LIST_HEAD(&cgrp->chans);
	spin_lock_init(&cgrp->lock);
	mutex_init(&cgrp->mutex);
}

static void init_channel(struct nvkm_chan *chan)
{
	chan->func = &chan_func;
	chan->cgrp = &hw->cgrp;
	chan->id = CHANNEL;
	spin_lock_init(&chan->lock);
	INIT_LIST_HEAD(&chan->cctxs);
	INIT_LIST_HEAD(&chan->head);
	chan->rm.object.client = &hw->client;
	hw->client.gsp = &hw->gsp;
	hw->gsp.rm = &firmware;

	hw->chid->data[CHANNEL] = chan;
	__set_bit(CHANNEL, hw->chid->used);
	nvkm_chan_insert(chan);
	nvkm_event_ntfy_add(&hw->chid->event, CHANNEL, NVKM_CHAN_EVENT_ERRORED,
			    false, report, &hw->report);
	nvkm_event_ntfy_allow(&hw->report);
}

/* An object of the engine is in use on the channel. */
static void init_context(struct nvkm_cctx *cctx)
{
	hw->engn.func = &engn_func;
	hw->engn.runl = hw->runl;
	hw->engn.engine = &hw->engine;
	list_add_tail(&hw->engn.head, &hw->runl->engns);

	hw->ectx.engn = &hw->engn;
	hw->vctx.ectx = &hw->ectx;
	cctx->vctx = &hw->vctx;
	refcount_set(&cctx->uses, 1);
	list_add_tail(&cctx->head, &hw->chan.cctxs);
}

static const struct nvkm_event_func no_event_func;

static int init(struct kunit *test)
{
	struct nvkm_subdev *subdev;
	struct nvkm_chid *chid;

	hw = kunit_kzalloc(test, sizeof(*hw), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, hw);
	hw->test = test;
	subdev = &hw->fifo.engine.subdev;
	subdev->device = &hw->device;
	hw->dev.init_name = "nvkm";
	hw->device.dev = &hw->dev;
	hw->timer.subdev.device = &hw->device;

	chid = kunit_kzalloc(test, struct_size(chid, used, 1), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, chid);
	chid->data = kunit_kcalloc(test, NR_CHANNELS, sizeof(*chid->data),
				   GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, chid->data);
	chid->nr = NR_CHANNELS;
	spin_lock_init(&chid->lock);
	KUNIT_ASSERT_EQ(test,
			nvkm_event_init(&nvkm_chan_event, subdev, 1,
					NR_CHANNELS, &chid->event),
			0);
	hw->chid = chid;

	hw->fifo.func = &fifo_func;
	hw->fifo.chid = chid;
	hw->fifo.cgid = chid;
	spin_lock_init(&hw->fifo.lock);
	INIT_LIST_HEAD(&hw->fifo.runls);
	hw->runl = nvkm_runl_new(&hw->fifo, RUNLIST, 0, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR(hw->runl));

	init_group(&hw->cgrp);
	init_channel(&hw->chan);
	init_context(&hw->cctx);
	hw->running = true;
	return 0;
}

static void exit_test(struct kunit *test)
{
	nvkm_runl_fini(hw->runl);
	nvkm_event_ntfy_del(&hw->report);
	list_del(&hw->engn.head);
	nvkm_runl_del(hw->runl);
	nvkm_event_fini(&hw->chid->event);
}

static void expect_reports(struct kunit *test, unsigned int nr)
{
	nvkm_runl_fini(hw->runl);
	KUNIT_EXPECT_EQ(test, hw->reports, nr);
}

/*
 * The cases.
 */

static void
an_error_is_reported_when_the_channel_was_preempted(struct kunit *test)
{
	nvkm_chan_error(&hw->chan, true);
	nvkm_chan_error(&hw->chan, true);
	expect_reports(test, 1);
	KUNIT_EXPECT_FALSE(test, hw->running);
	KUNIT_EXPECT_EQ(test, hw->resets, 0);
}

static void an_error_is_reported_when_the_engine_was_reset(struct kunit *test)
{
	nvkm_runl_rc_cgrp(&hw->cgrp);
	expect_reports(test, 1);
	KUNIT_EXPECT_FALSE(test, hw->running);
	KUNIT_EXPECT_EQ(test, hw->resets, 1);
	KUNIT_EXPECT_TRUE(test, list_empty(&hw->chan.head));
}

static void what_is_not_preempted_is_reset(struct kunit *test)
{
	hw->stuck = true;
	nvkm_chan_error(&hw->chan, true);
	expect_reports(test, 1);
	KUNIT_EXPECT_FALSE(test, hw->running);
	KUNIT_EXPECT_EQ(test, hw->resets, 1);
}

static void a_channel_is_stopped(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, nv_uchan_stop(&hw->chan), 0);
	KUNIT_EXPECT_FALSE(test, hw->running);
	KUNIT_EXPECT_EQ(test, hw->resets, 0);
	expect_reports(test, 0);
}

static void a_channel_is_stopped_by_force(struct kunit *test)
{
	hw->stuck = true;
	KUNIT_EXPECT_EQ(test, nv_uchan_stop(&hw->chan), 0);
	KUNIT_EXPECT_FALSE(test, hw->running);
	KUNIT_EXPECT_EQ(test, hw->resets, 1);
	KUNIT_EXPECT_TRUE(test, list_empty(&hw->chan.head));
}

static void a_channel_is_stopped_by_its_engines(struct kunit *test)
{
	hw->chan.func = &tesla_chan_func;
	KUNIT_EXPECT_EQ(test, nv_uchan_stop(&hw->chan), 0);
	KUNIT_EXPECT_FALSE(test, hw->running);
}

static void a_channel_is_stopped_by_the_firmware(struct kunit *test)
{
	hw->chan.func = nv_firmware_chan;
	KUNIT_EXPECT_EQ(test, nv_uchan_stop(&hw->chan), 0);
	KUNIT_EXPECT_FALSE(test, hw->running);
}

/* The interrupt of all runlists, or of this one, comes. */
static void expect_notice(struct kunit *test, int nr_indices, int index)
{
	struct nvkm_event *event = &hw->fifo.nonstall.event;

	KUNIT_ASSERT_EQ(test,
			nvkm_event_init(&no_event_func, &hw->fifo.engine.subdev,
					1, nr_indices, event),
			0);
	KUNIT_EXPECT_EQ(test, nv_uchan_event(&hw->chan, (void *)hw), 0);
	nvkm_event_ntfy_allow(&hw->nonstall);
	nvkm_event_ntfy(event, index, NVKM_FIFO_NONSTALL_EVENT);
	KUNIT_EXPECT_EQ(test, hw->notices, 1);
	KUNIT_EXPECT_LT(test, hw->nonstall.id, nr_indices);
	nvkm_event_ntfy_del(&hw->nonstall);
	nvkm_event_fini(event);
}

static void runlists_share_an_interrupt(struct kunit *test)
{
	expect_notice(test, 1, 0);
}

static void a_runlist_has_an_interrupt_of_its_own(struct kunit *test)
{
	expect_notice(test, RUNLIST + 1, RUNLIST);
}

/* Before NV50 all channels share a table of their objects; there are 32 of them. */
static void objects_of_all_channels_are_in_the_table(struct kunit *test)
{
	const int bits = 9;
	int chid;

	for (chid = 0; chid < 32; chid++) {
		KUNIT_EXPECT_LT(test, nv_ramht_hash(bits, chid, 0), 1 << bits);
		KUNIT_EXPECT_LT(test, nv_ramht_hash(bits, chid, ~0), 1 << bits);
	}
	KUNIT_EXPECT_NE(test, nv_ramht_hash(bits, 1, 0),
			nv_ramht_hash(bits, 2, 0));
}

static struct kunit_case cases[] = {
	KUNIT_CASE(an_error_is_reported_when_the_channel_was_preempted),
	KUNIT_CASE(an_error_is_reported_when_the_engine_was_reset),
	KUNIT_CASE(what_is_not_preempted_is_reset),
	KUNIT_CASE(a_channel_is_stopped),
	KUNIT_CASE(a_channel_is_stopped_by_force),
	KUNIT_CASE(a_channel_is_stopped_by_its_engines),
	KUNIT_CASE(a_channel_is_stopped_by_the_firmware),
	KUNIT_CASE(runlists_share_an_interrupt),
	KUNIT_CASE(a_runlist_has_an_interrupt_of_its_own),
	KUNIT_CASE(objects_of_all_channels_are_in_the_table),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_nouveau_runlist",
	.init = init,
	.exit = exit_test,
	.test_cases = cases,
};

kunit_test_suite(suite);
