// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/slab.h>

#include "swgpu_channel.h"

/**
 * DOC: fences
 *
 * A fence has signaled once its channel's engine has passed its sequence
 * number, which anybody may sample as he would a GPU's memory. Nobody is told:
 * only for a fence that had signaling enabled in time the engine raises an
 * "interrupt", that is, calls dma_fence_signal().
 *
 * Enabling sets the flag and then looks at the sequence number; the engine
 * writes the sequence number and then looks at the flag. Both with a full
 * barrier between, so at least one of them sees the other.
 */

static const struct dma_fence_ops fence_ops;

struct swgpu_fence *to_swgpu_fence(struct dma_fence *fence)
{
	if (fence->ops != &fence_ops)
		return NULL;
	return container_of(fence, struct swgpu_fence, base);
}

/* Sampled without a lock. What the job did to memory is visible if true. */
bool swgpu_fence_completed(struct swgpu_fence *fence)
{
	/* Pairs with the release in swgpu_fence_complete(). */
	return smp_load_acquire(&fence->channel->completed) >=
	       fence->base.seqno;
}

/**
 * swgpu_fence_complete - the job has ended
 * @fence: the next one of its channel
 *
 * Context: by the engine, or after it was stopped.
 */
void swgpu_fence_complete(struct swgpu_fence *fence)
{
	struct swgpu_channel *channel = fence->channel;

	/* Whoever sees the number sees what the job did to memory. */
	smp_store_release(&channel->completed, fence->base.seqno);
	smp_mb(); /* pairs with test_and_set_bit() where signaling is enabled */
	if (test_bit(DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT, &fence->base.flags))
		dma_fence_signal(&fence->base);
	wake_up_all(&channel->done);
}

static const char *driver_name(struct dma_fence *fence)
{
	return "swgpu";
}

static const char *timeline_name(struct dma_fence *fence)
{
	return "channel";
}

static bool enable_signaling(struct dma_fence *base)
{
	struct swgpu_fence *fence = to_swgpu_fence(base);

	if (swgpu_fence_completed(fence))
		return false;
	swgpu_measure_signaling(fence->channel->sdev);
	return true;
}

static bool signaled(struct dma_fence *base)
{
	return swgpu_fence_completed(to_swgpu_fence(base));
}

static void release(struct dma_fence *base)
{
	struct swgpu_fence *fence = to_swgpu_fence(base);

	swgpu_channel_put(fence->channel);
	dma_fence_free(base);
}

static const struct dma_fence_ops fence_ops = {
	.get_driver_name = driver_name,
	.get_timeline_name = timeline_name,
	.enable_signaling = enable_signaling,
	.signaled = signaled,
	.release = release,
};

/* Memory for a fence, to be initialised when nothing can fail any more. */
struct swgpu_fence *swgpu_fence_alloc(void)
{
	return kzalloc(sizeof(struct swgpu_fence), GFP_KERNEL_ACCOUNT);
}

void swgpu_fence_init(struct swgpu_fence *fence, struct swgpu_channel *channel,
		      u64 seqno)
{
	lockdep_assert_held(&channel->emit);

	kref_get(&channel->kref);
	fence->channel = channel;
	dma_fence_init(&fence->base, &fence_ops, &channel->fence_lock,
		       channel->context, seqno);
}

/* Put a fence, whether or not it was initialised. */
void swgpu_fence_free(struct swgpu_fence *fence)
{
	if (fence && fence->channel)
		dma_fence_put(&fence->base);
	else
		kfree(fence);
}
