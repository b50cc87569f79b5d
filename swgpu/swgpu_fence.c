// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "swgpu_channel.h"

/**
 * DOC: fences
 *
 * A fence has signaled once its channel's engine has passed its sequence
 * number, which anybody may sample like the memory of a GPU. Nobody is told:
 * only for a fence that had signaling enabled in time the engine raises an
 * "interrupt", that is, calls dma_fence_signal().
 *
 * Enabling sets the flag and then looks at the sequence number; the engine
 * writes the sequence number and then looks at the flag. Both with a full
 * barrier between, so at least one of them sees the other.
 *
 * Others may have a fence for longer than the module is there, as in a sync file. When
 * it goes, its fences have signaled, and become fences of nobody: they keep their
 * result, but have the operations of DMA-buf's stub. So none holds up an unload.
 */

/* All fences, to be found when the module goes. The lock is taken in interrupts, too. */
static LIST_HEAD(fences);
static DEFINE_SPINLOCK(fences_lock);

static const struct dma_fence_ops fence_ops;

struct swgpu_fence *to_swgpu_fence(struct dma_fence *fence)
{
	/* Compared, and not looked at: they stay until they are taken away below. */
	if ((__force const struct dma_fence_ops *)READ_ONCE(fence->ops) !=
	    &fence_ops)
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

	/* A task that sees the number sees what the job did to memory. */
	smp_store_release(&channel->completed, fence->base.seqno);
	smp_mb(); /* pairs with test_and_set_bit() where signaling is enabled */
	if (test_bit(DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT, &fence->base.flags)) {
		swgpu_cost_pay(SWGPU_COST_INTERRUPT, 1);
		dma_fence_signal(&fence->base);
	}
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

/* Of ours, also if it is about to be disowned. */
static struct swgpu_fence *fence_of(struct dma_fence *base)
{
	return container_of(base, struct swgpu_fence, base);
}

static bool enable_signaling(struct dma_fence *base)
{
	struct swgpu_fence *fence = fence_of(base);

	if (swgpu_fence_completed(fence))
		return false;
	swgpu_measure_signaling(fence->channel->sdev);
	return true;
}

static bool signaled(struct dma_fence *base)
{
	return swgpu_fence_completed(fence_of(base));
}

static void release(struct dma_fence *base)
{
	struct swgpu_fence *fence = fence_of(base);
	unsigned long flags;

	spin_lock_irqsave(&fences_lock, flags);
	list_del_init(&fence->entry);
	spin_unlock_irqrestore(&fences_lock, flags);
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
	return kzalloc_obj(struct swgpu_fence, GFP_KERNEL_ACCOUNT);
}

void swgpu_fence_init(struct swgpu_fence *fence, struct swgpu_channel *channel,
		      u64 seqno)
{
	lockdep_assert_held(&channel->emit);

	kref_get(&channel->kref);
	fence->channel = channel;
	spin_lock_init(&fence->lock);
	dma_fence_init(&fence->base, &fence_ops, &fence->lock, channel->context,
		       seqno);
	spin_lock_irq(&fences_lock);
	list_add_tail(&fence->entry, &fences);
	spin_unlock_irq(&fences_lock);
}

/* Put a fence, whether or not it was initialised. */
void swgpu_fence_free(struct swgpu_fence *fence)
{
	if (fence && fence->channel)
		dma_fence_put(&fence->base);
	else
		kfree(fence);
}

/* All that nobody is releasing, with a reference each. */
static void take_fences(struct list_head *taken)
{
	struct swgpu_fence *fence, *next;

	spin_lock_irq(&fences_lock);
	list_for_each_entry_safe(fence, next, &fences, entry) {
		if (dma_fence_get_rcu(&fence->base))
			list_move_tail(&fence->entry, taken);
	}
	spin_unlock_irq(&fences_lock);
}

/**
 * swgpu_fences_disown - let the fences that others have do without the module
 *
 * Context: when all devices are gone, and so all jobs have ended.
 */
void swgpu_fences_disown(void)
{
	struct dma_fence *stub = dma_fence_get_stub();
	struct swgpu_fence *fence, *next;
	LIST_HEAD(taken);

	take_fences(&taken);
	list_for_each_entry(fence, &taken, entry) {
		/* It may have been sampled only; from here on the flag tells. */
		dma_fence_signal(&fence->base);
		WRITE_ONCE(fence->base.ops, stub->ops);
	}
	/* Our operations do not sleep: nobody is in one of them after this. */
	synchronize_rcu_tasks();
	list_for_each_entry_safe(fence, next, &taken, entry) {
		swgpu_channel_put(fence->channel);
		dma_fence_put(&fence->base);
	}
	dma_fence_put(stub);
}
