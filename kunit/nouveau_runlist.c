// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * nvkm's channels: an error is reported, and a channel has been stopped, when the hardware does
 * not use the channel's memory any more, and not before.
 */
#include "nouveau_runlist.h"

static struct nvkm_chan *first(void)
{
	return &nv_hw->channels[0].base;
}

static struct nv_hw_channel *other(void)
{
	return &nv_hw->channels[1];
}

/* Of the first one. Work may have been asked for while it ran. */
static void expect_reports(struct kunit *test, unsigned int nr)
{
	while (flush_work(&nv_hw->runl->work))
		;
	KUNIT_EXPECT_EQ(test, nv_hw->channels[0].reports, nr);
}

static void
an_error_is_reported_when_the_channel_was_preempted(struct kunit *test)
{
	nvkm_chan_error(first(), true);
	nvkm_chan_error(first(), true);
	expect_reports(test, 1);
	KUNIT_EXPECT_FALSE(test, nv_hw->channels[0].running);
	KUNIT_EXPECT_EQ(test, nv_hw->resets, 0);
}

static void an_error_is_reported_when_the_engine_was_reset(struct kunit *test)
{
	nvkm_runl_rc_cgrp(first()->cgrp);
	expect_reports(test, 1);
	KUNIT_EXPECT_FALSE(test, nv_hw->channels[0].running);
	KUNIT_EXPECT_EQ(test, nv_hw->resets, 1);
	KUNIT_EXPECT_TRUE(test, list_empty(&first()->head));
}

static void what_is_not_preempted_is_reset(struct kunit *test)
{
	nv_hw->stuck = true;
	nvkm_chan_error(first(), true);
	expect_reports(test, 1);
	KUNIT_EXPECT_FALSE(test, nv_hw->channels[0].running);
	KUNIT_EXPECT_EQ(test, nv_hw->resets, 1);
}

static void a_channel_is_stopped(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, nv_uchan_stop(first()), 0);
	KUNIT_EXPECT_FALSE(test, nv_hw->channels[0].running);
	KUNIT_EXPECT_EQ(test, nv_hw->resets, 0);
	expect_reports(test, 0);
}

static void a_channel_is_stopped_by_force(struct kunit *test)
{
	nv_hw->stuck = true;
	KUNIT_EXPECT_EQ(test, nv_uchan_stop(first()), 0);
	KUNIT_EXPECT_FALSE(test, nv_hw->channels[0].running);
	KUNIT_EXPECT_EQ(test, nv_hw->resets, 1);
	KUNIT_EXPECT_TRUE(test, list_empty(&first()->head));
}

static void a_channel_is_stopped_by_its_engines(struct kunit *test)
{
	first()->func = &nv_tesla_chan;
	KUNIT_EXPECT_EQ(test, nv_uchan_stop(first()), 0);
	KUNIT_EXPECT_FALSE(test, nv_hw->channels[0].running);
}

static void a_channel_is_stopped_by_the_firmware(struct kunit *test)
{
	first()->func = nv_firmware_chan;
	KUNIT_EXPECT_EQ(test, nv_uchan_stop(first()), 0);
	KUNIT_EXPECT_FALSE(test, nv_hw->channels[0].running);
}

static const struct nvkm_event_func no_event_func;

/* The interrupt of all runlists, or of this one, comes. */
static void expect_notice(struct kunit *test, int nr_indices, int index)
{
	struct nvkm_event *event = &nv_hw->fifo.nonstall.event;

	KUNIT_ASSERT_EQ(test,
			nvkm_event_init(&no_event_func,
					&nv_hw->fifo.engine.subdev, 1,
					nr_indices, event),
			0);
	KUNIT_EXPECT_EQ(test, nv_uchan_event(first(), (void *)nv_hw), 0);
	nvkm_event_ntfy_allow(&nv_hw->nonstall);
	nvkm_event_ntfy(event, index, NVKM_FIFO_NONSTALL_EVENT);
	KUNIT_EXPECT_EQ(test, nv_hw->notices, 1);
	KUNIT_EXPECT_LT(test, nv_hw->nonstall.id, nr_indices);
	nvkm_event_ntfy_del(&nv_hw->nonstall);
	nvkm_event_fini(event);
}

static void runlists_share_an_interrupt(struct kunit *test)
{
	expect_notice(test, 1, 0);
}

static void a_runlist_has_an_interrupt_of_its_own(struct kunit *test)
{
	expect_notice(test, NV_RUNLIST + 1, NV_RUNLIST);
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

/* It had not been told to go when the wait for the first one began. */
static void the_other_has_an_error(void)
{
	nvkm_chan_error(&other()->base, true);
}

static void an_error_that_comes_meanwhile_is_reported_later(struct kunit *test)
{
	nv_hw->gone = the_other_has_an_error;
	nvkm_chan_error(first(), true);
	expect_reports(test, 1);
	KUNIT_EXPECT_FALSE(test, other()->running);
	KUNIT_EXPECT_EQ(test, other()->reports, 1);
}

/* Nobody listens then, and the channel is not started again. */
static void an_error_during_suspend_is_reported_after_it(struct kunit *test)
{
	struct nvkm_event_ntfy *listener = &nv_hw->channels[0].listener;

	nvkm_event_ntfy_block(listener);
	nvkm_chan_error(first(), true);
	expect_reports(test, 0);
	KUNIT_EXPECT_EQ(test, nv_uchan_suspend(first()), 0);
	KUNIT_EXPECT_EQ(test, nv_uchan_resume(first()), 0);
	expect_reports(test, 0);

	nvkm_event_ntfy_allow(listener);
	expect_reports(test, 1);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(an_error_is_reported_when_the_channel_was_preempted),
	KUNIT_CASE(an_error_is_reported_when_the_engine_was_reset),
	KUNIT_CASE(what_is_not_preempted_is_reset),
	KUNIT_CASE(an_error_that_comes_meanwhile_is_reported_later),
	KUNIT_CASE(an_error_during_suspend_is_reported_after_it),
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
	.init = nv_hw_init,
	.exit = nv_hw_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
