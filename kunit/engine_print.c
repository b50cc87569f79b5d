// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What is drawn of channels and of the dead, for somebody who reads it.
 */
#include <kunit/static_stub.h>

#include <linux/sprintf.h>
#include <linux/string.h>

#include <drm/drm_print.h>

#include "../ttm_fence_lru/internal.h"
#include "mock.h"

#define MAX_TEXT 8192
/* More than is drawn of each. */
#define MANY_CHANNELS 40
#define MANY_NODES 10
#define MANY_BOS 300

static void append_text(struct drm_printer *p, struct va_format *vaf)
{
	char *text = p->arg;
	size_t length = strlen(text);

	scnprintf(text + length, MAX_TEXT - length, "%pV", vaf);
}

static const char *draw_with(struct mock_device *dev, int result)
{
	char *text = kunit_kzalloc(dev->test, MAX_TEXT, GFP_KERNEL);
	struct drm_printer p = { .printfn = append_text, .arg = text };

	KUNIT_ASSERT_NOT_NULL(dev->test, text);
	KUNIT_ASSERT_EQ(dev->test, result, ttm_fence_lru_print(&dev->lru, &p));
	return text;
}

static const char *draw(struct mock_device *dev)
{
	return draw_with(dev, 0);
}

/* A line, or a part of one. */
static __printf(2, 3) void expect_drawn(struct mock_device *dev,
					const char *format, ...)
{
	const char *text = draw(dev);
	char wanted[256];
	va_list args;

	va_start(args, format);
	vscnprintf(wanted, sizeof(wanted), format, args);
	va_end(args);
	KUNIT_EXPECT_NOT_NULL_MSG(dev->test, strstr(text, wanted),
				  "wanted: %s\ndrawn: %s", wanted, text);
}

static unsigned int count_drawn(struct mock_device *dev, const char *what)
{
	const char *text = draw(dev);
	unsigned int count = 0;

	while ((text = strstr(text, what))) {
		text++;
		count++;
	}
	return count;
}

static const char channels_drawn[] =
	"channels=3 busy=2\n"
	"channel=%llu links=1: [seq=1 seqno=1 alive=1 dead=0]\n"
	"channel=%llu links=3: [seq=2 seqno=1 alive=1 dead=1] [seq=3 seqno=2 alive=1 dead=0]\n";

/*
 *   channel 0   node 2: alive A, dead x   node 3: alive B
 *   channel 1   node 1: alive C
 *   channel 2   -
 */
static void channels_and_nodes_are_drawn_oldest_first(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_channel *oldest = mock_channel_create(dev);
	struct mock_bo *x = mock_bo_create(dev, 'x');
	struct mock_fence *fence;

	mock_channel_create(dev);
	mock_submit(oldest, mock_bo_create(dev, 'C'));
	fence = mock_submit(channel, mock_bo_create(dev, 'A'));
	mock_bo_use(x, fence);
	mock_bo_put(x);
	mock_submit(channel, mock_bo_create(dev, 'B'));

	expect_drawn(dev, channels_drawn, oldest->context, channel->context);
}

static const char dead_drawn[] =
	"channels=0 busy=0\n"
	"type=1 ripe=0 locked=0 fences=1: [context=%llu seqno=7 dead=1]\n"
	"type=2 ripe=0 locked=1 fences=0:\n";

static void what_the_dead_wait_for_is_drawn_by_memory_type(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_fence *foreign =
		mock_fence_create(dev, dma_fence_context_alloc(1), 7);
	struct mock_bo *blocked = mock_bo_create(dev, 'x');
	struct mock_bo *locked = mock_bo_create(dev, 'y');

	mock_bo_use(blocked, foreign);
	mock_bo_put(blocked);
	locked->type = 2;
	locked->locked = true;
	mock_bo_put(locked);
	KUNIT_EXPECT_EQ(test, 0, mock_reclaim_type(dev, 1));
	KUNIT_EXPECT_EQ(test, 0, mock_reclaim_type(dev, 2));

	expect_drawn(dev, dead_drawn, foreign->base.context);
	locked->locked = false;
}

static void what_is_ripe_is_counted(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *x = mock_bo_create(dev, 'x');
	struct mock_fence *fence = mock_submit(channel, x);

	mock_bo_put(x);
	mock_signal(fence);
	ttm_fence_lru_refresh(&dev->lru);
	expect_drawn(dev, "type=1 ripe=1 locked=0 fences=0:\n");
}

static void no_more_is_drawn_than_one_can_read(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fence =
		mock_submit(channel, mock_bo_create(dev, 'A'));
	unsigned int i;

	for (i = 1; i < MANY_CHANNELS; i++)
		mock_submit(mock_channel_create(dev), mock_bo_create(dev, 'A'));
	expect_drawn(dev, "channels=40 busy=40\n");
	KUNIT_EXPECT_EQ(test, 32, count_drawn(dev, "channel="));

	for (i = 0; i < MANY_BOS; i++)
		mock_bo_use(mock_bo_create(dev, 'B'), fence);
	for (i = 1; i < MANY_NODES; i++)
		mock_submit(channel, mock_bo_create(dev, 'C'));
	expect_drawn(dev, "links=310: [seq=");
	expect_drawn(dev, " alive=256+ dead=0] [");
	expect_drawn(dev, "] ...\n");
	KUNIT_EXPECT_EQ(test, 31 + 8, count_drawn(dev, "[seq="));
}

/* Ten of them go on, so that the oldest fences are those of the others. */
static void if_there_are_many_channels_the_oldest_are_drawn(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channels[MANY_CHANNELS];
	struct mock_fence *fences[MANY_CHANNELS];
	unsigned int i;

	for (i = 0; i < MANY_CHANNELS; i++) {
		channels[i] = mock_channel_create(dev);
		fences[i] = mock_submit(channels[i], mock_bo_create(dev, 'A'));
	}
	draw(dev);
	for (i = 0; i < 10; i++) {
		mock_submit(channels[i], mock_bo_create(dev, 'B'));
		mock_signal(fences[i]);
	}
	ttm_fence_lru_retire(&dev->lru);

	/* Oldest are now 10 to 39, then 0 and 1. */
	KUNIT_EXPECT_EQ(test, 32, count_drawn(dev, "channel="));
	expect_drawn(dev, "busy=40\nchannel=%llu links=1: [seq=11 ",
		     channels[10]->context);
	expect_drawn(dev, "channel=%llu links=1: [seq=40 ",
		     channels[39]->context);
	expect_drawn(dev,
		     "channel=%llu links=1: [seq=42 seqno=2 alive=1 dead=0]\n",
		     channels[1]->context);
	KUNIT_EXPECT_EQ(test, 0, count_drawn(dev, "seq=43 "));
}

static void *no_drawing(void)
{
	return NULL;
}

static void without_memory_nothing_is_drawn(struct kunit *test)
{
	struct mock_device *dev = test->priv;

	mock_submit(mock_channel_create(dev), mock_bo_create(dev, 'A'));
	kunit_activate_static_stub(test, ttm_fence_lru_drawing_alloc,
				   no_drawing);
	KUNIT_EXPECT_STREQ(test, "", draw_with(dev, -ENOMEM));
}

static struct kunit_case cases[] = {
	KUNIT_CASE(channels_and_nodes_are_drawn_oldest_first),
	KUNIT_CASE(what_the_dead_wait_for_is_drawn_by_memory_type),
	KUNIT_CASE(what_is_ripe_is_counted),
	KUNIT_CASE(no_more_is_drawn_than_one_can_read),
	KUNIT_CASE(if_there_are_many_channels_the_oldest_are_drawn),
	KUNIT_CASE(without_memory_nothing_is_drawn),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_print",
	.init = mock_device_init,
	.exit = mock_device_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
