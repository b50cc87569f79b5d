// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Fences whose hardware is a number in memory, and the channels they belong to.
 *
 * They lie in arrays that are used again and again: making and freeing fences is the
 * driver's, and not measured.
 */
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/wait_bit.h>

#include "bench.h"

struct bench_channel *bench_fence_channel(struct dma_fence *fence)
{
	return container_of(fence->extern_lock, struct bench_channel, lock);
}

static const char *fence_name(struct dma_fence *fence)
{
	return "bench";
}

static bool fence_enable_signaling(struct dma_fence *fence)
{
	struct bench_channel *channel = bench_fence_channel(fence);

	WRITE_ONCE(channel->armed, fence->seqno);
	wake_up_var(&channel->armed);
	return true;
}

static bool fence_signaled(struct dma_fence *fence)
{
	return fence->seqno <= READ_ONCE(bench_fence_channel(fence)->done);
}

/* It lies in an array. */
static void fence_release(struct dma_fence *fence)
{
}

static const struct dma_fence_ops fence_ops = {
	.get_driver_name = fence_name,
	.get_timeline_name = fence_name,
	.enable_signaling = fence_enable_signaling,
	.signaled = fence_signaled,
	.release = fence_release,
};

unsigned int bench_nr_fences(const struct bench_config *config)
{
	return config->buffers / config->per_node;
}

void bench_channels_init(struct bench_channel *channels, unsigned int count)
{
	u64 context = dma_fence_context_alloc(count);
	unsigned int i;

	memset(channels, 0, count * sizeof(*channels));
	for (i = 0; i < count; i++) {
		spin_lock_init(&channels[i].lock);
		channels[i].context = context + i;
	}
}

int bench_channels_register(struct bench_channel *channels, unsigned int count,
			    struct ttm_fence_lru *lru)
{
	unsigned int i;
	int ret;

	for (i = 0; i < count; i++) {
		ret = ttm_fence_lru_channel_register(lru, &channels[i].base,
						     channels[i].context);
		if (ret) {
			bench_channels_unregister(channels, i);
			return ret;
		}
	}
	return 0;
}

void bench_channels_unregister(struct bench_channel *channels,
			       unsigned int count)
{
	while (count--)
		ttm_fence_lru_channel_unregister(&channels[count].base);
	/* One grace period for all of them. */
	synchronize_rcu();
}

/* The next one of its channel; nobody else makes one there. */
void bench_fence_emit(struct dma_fence *fence, struct bench_channel *channel)
{
	dma_fence_init(fence, &fence_ops, &channel->lock, channel->context,
		       ++channel->seqno);
}

/* New fences, on the channels in turn, beginning with that of number @shift. */
void bench_fences_init(struct dma_fence *fences, unsigned int count,
		       struct bench_channel *channels,
		       const struct bench_config *config, unsigned int shift)
{
	struct bench_channel *channel;
	unsigned int i;

	for (i = 0; i < count; i++) {
		channel = &channels[config->quiet ?
					    0 :
					    (i + shift) % config->channels];
		bench_fence_emit(&fences[i], channel);
	}
}

/* The hardware is past the fence. It interrupts only if it was told to. */
void bench_complete(struct dma_fence *fence)
{
	WRITE_ONCE(bench_fence_channel(fence)->done, fence->seqno);
	if (test_bit(DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT, &fence->flags))
		dma_fence_signal(fence);
}

void bench_complete_all(struct dma_fence *fences, unsigned int count, bool told)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		bench_complete(&fences[i]);
		if (told)
			dma_fence_signal(&fences[i]);
	}
}

/* Nobody may hold a reference any more when the fences are made anew. */
int bench_fences_check(struct dma_fence *fences, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (kref_read(&fences[i].refcount) != 1) {
			pr_err("bench: fence %u of %u has %u references\n", i,
			       count, kref_read(&fences[i].refcount));
			return -EIO;
		}
	}
	return 0;
}
