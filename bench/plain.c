// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Plain objects for the engine: what is measured on them is the engine alone.
 */
#include <linux/prandom.h>
#include <linux/printk.h>
#include <linux/slab.h>

#include "plain.h"

/* The same random order in each run. */
#define SEED 2010

static struct plain_bo *to_plain_bo(struct ttm_fence_lru_bo *base)
{
	return container_of(base, struct plain_bo, base);
}

/* Found without a pointer in the buffer, which would cost it a cache line. */
static struct plain_device *the_device;

static void plain_busy(struct ttm_fence_lru_bo *base)
{
	list_del_init(&to_plain_bo(base)->entry);
}

static void plain_idle(struct ttm_fence_lru_bo *base)
{
	list_move_tail(&to_plain_bo(base)->entry, &the_device->idle);
}

static void plain_resurrect(struct ttm_fence_lru_bo *base)
{
	kref_init(&to_plain_bo(base)->kref);
}

static void plain_destroy(struct kref *kref)
{
	ttm_fence_lru_bo_fini(&container_of(kref, struct plain_bo, kref)->base);
	the_device->gone++;
}

static void plain_drop(struct ttm_fence_lru_bo *base,
		       enum ttm_fence_lru_site site)
{
	kref_put(&to_plain_bo(base)->kref, plain_destroy);
}

static void plain_clean(struct plain_bo *bo)
{
	spin_lock(&the_device->lru_lock);
	list_del_init(&bo->entry);
	spin_unlock(&the_device->lru_lock);
}

static enum ttm_fence_lru_verdict plain_cleanup(struct ttm_fence_lru_bo *base,
						enum ttm_fence_lru_site site,
						struct dma_fence **blocker)
{
	plain_clean(to_plain_bo(base));
	return TTM_FENCE_LRU_CLEANED;
}

static const struct ttm_fence_lru_ops plain_ops = {
	.busy = plain_busy,
	.idle = plain_idle,
	.resurrect = plain_resurrect,
	.put = plain_drop,
	.cleanup = plain_cleanup,
};

/* The last reference goes. */
void plain_put(struct plain_device *dev, struct plain_bo *bo)
{
	refcount_set(&bo->kref.refcount, 0);
	if (ttm_fence_lru_is_linked(&dev->lru, &bo->base) &&
	    ttm_fence_lru_bury(&dev->lru, &bo->base, 0, PAGE_SIZE))
		return;
	plain_clean(bo);
	plain_destroy(&bo->kref);
}

/* All buffers are new, and on the LRU in the order of their use. */
void plain_bos_init(struct plain_device *dev, const struct bench_config *config)
{
	struct plain_bo *bo;
	unsigned int i;

	INIT_LIST_HEAD(&dev->idle);
	dev->gone = 0;
	for (i = 0; i < config->buffers; i++) {
		bo = plain_bo(dev, i);
		ttm_fence_lru_bo_init(&bo->base);
		list_add_tail(&bo->entry, &dev->idle);
		kref_init(&bo->kref);
	}
}

static void choose_order(struct plain_device *dev,
			 const struct bench_config *config)
{
	struct rnd_state random;
	unsigned int i, other;

	for (i = 0; i < config->buffers; i++)
		dev->order[i] = i;
	if (!config->shuffled)
		return;

	prandom_seed_state(&random, SEED);
	for (i = config->buffers - 1; i; i--) {
		other = prandom_u32_state(&random) % (i + 1);
		swap(dev->order[i], dev->order[other]);
	}
}

int plain_configure(struct plain_device *dev, const struct bench_config *config)
{
	int ret;

	ret = ttm_fence_lru_init(&dev->lru, &dev->lru_lock, &plain_ops);
	if (ret)
		return ret;

	bench_channels_init(dev->channels, config->channels);
	ret = bench_channels_register(dev->channels, config->channels,
				      &dev->lru);
	if (ret) {
		ttm_fence_lru_fini(&dev->lru);
		return ret;
	}
	choose_order(dev, config);
	plain_bos_init(dev, config);
	return 0;
}

/* Returns an error if fences got no link: then something else was measured. */
int plain_unconfigure(struct plain_device *dev,
		      const struct bench_config *config)
{
	u64 unlinked = dev->lru.stats.unlinked;
	u64 left = dev->lru.stats.busy + dev->lru.stats.zombies.count;

	bench_channels_unregister(dev->channels, config->channels);
	ttm_fence_lru_fini(&dev->lru);
	if (!unlinked && !left)
		return 0;

	pr_err("bench: %llu fences got no link, %llu buffers were left\n",
	       unlinked, left);
	return -EIO;
}

void plain_device_destroy(struct plain_device *dev)
{
	int i;

	for (i = 0; i < PLAIN_GENERATIONS; i++)
		kvfree(dev->fences[i]);
	kvfree(dev->channels);
	kvfree(dev->order);
	kvfree(dev->bos);
	kfree(dev);
	the_device = NULL;
}

/* Zeroed: so all of its memory was touched before anything is measured. */
static int allocate(struct plain_device *dev,
		    const struct bench_measurement *measurement)
{
	unsigned int bos = 0, fences = 0, channels = 0, i;

	for (i = 0; i < measurement->nr_configs; i++) {
		bos = max(bos, measurement->configs[i].buffers);
		channels = max(channels, measurement->configs[i].channels);
		fences = max(fences, bench_nr_fences(&measurement->configs[i]));
	}

	dev->bos = kvcalloc(bos, sizeof(*dev->bos), GFP_KERNEL);
	dev->order = kvcalloc(bos, sizeof(*dev->order), GFP_KERNEL);
	dev->channels = kvcalloc(channels, sizeof(*dev->channels), GFP_KERNEL);
	if (!dev->bos || !dev->order || !dev->channels)
		return -ENOMEM;

	for (i = 0; i < PLAIN_GENERATIONS; i++) {
		dev->fences[i] =
			kvcalloc(fences, sizeof(*dev->fences[i]), GFP_KERNEL);
		if (!dev->fences[i])
			return -ENOMEM;
	}
	return 0;
}

/* Room for the greatest of the configurations; NULL without memory. */
struct plain_device *
plain_device_create(const struct bench_measurement *measurement)
{
	struct plain_device *dev = kzalloc_obj(*dev);

	if (!dev)
		return NULL;

	the_device = dev;
	spin_lock_init(&dev->lru_lock);
	if (allocate(dev, measurement)) {
		plain_device_destroy(dev);
		return NULL;
	}
	return dev;
}
