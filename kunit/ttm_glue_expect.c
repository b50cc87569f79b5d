// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What the tests of the glue expect of a device.
 */
#include <linux/string.h>

#include <drm/drm_device.h>
#include <drm/drm_print.h>

#include "ttm_glue_helpers.h"

static void list_names(struct list_head *head, char *names, size_t size)
{
	struct ttm_lru_item *item;
	size_t len = strlen(names);

	list_for_each_entry(item, head, link)
		if (ttm_lru_item_is_res(item) && len + 1 < size)
			names[len++] = glue_name(ttm_lru_item_to_res(item)->bo);
	names[len] = '\0';
}

/* Exactly these stand on the LRU, first to last; so many are parked. */
void glue_expect_lru(struct glue_device *dev, unsigned int type,
		     const char *names, unsigned int parked)
{
	struct ttm_resource_manager *man = ttm_manager_type(&dev->bdev, type);
	unsigned int nr_parked, i;
	char found[32] = "";

	spin_lock(&dev->bdev.lru_lock);
	for (i = 0; i < TTM_MAX_BO_PRIORITY; i++)
		list_names(&man->lru[i], found, sizeof(found));
	nr_parked = man->nr_parked;
	spin_unlock(&dev->bdev.lru_lock);

	KUNIT_EXPECT_STREQ_MSG(dev->test, (char *)found, (char *)names,
			       "LRU of type %u", type);
	KUNIT_EXPECT_EQ_MSG(dev->test, nr_parked, parked, "parked of type %u",
			    type);
}

void glue_expect_pinned(struct glue_device *dev, const char *names)
{
	char found[32] = "";

	spin_lock(&dev->bdev.lru_lock);
	list_names(&dev->bdev.unevictable, found, sizeof(found));
	spin_unlock(&dev->bdev.lru_lock);

	KUNIT_EXPECT_STREQ(dev->test, (char *)found, (char *)names);
}

void glue_expect_evicted(struct glue_device *dev, const char *names)
{
	KUNIT_EXPECT_STREQ(dev->test, (char *)dev->evicted, (char *)names);
}

void glue_expect_usage(struct glue_device *dev, unsigned int type,
		       unsigned int pages)
{
	u64 usage =
		ttm_resource_manager_usage(ttm_manager_type(&dev->bdev, type));

	KUNIT_EXPECT_EQ_MSG(dev->test, usage / PAGE_SIZE, pages,
			    "pages used of type %u", type);
}

void glue_expect_freed(struct glue_device *dev, enum ttm_freed_at at,
		       unsigned int pages)
{
	u64 freed = READ_ONCE(dev->bdev.freed_bytes[at]);

	KUNIT_EXPECT_EQ_MSG(dev->test, freed / PAGE_SIZE, pages,
			    "pages freed at %u", at);
}

void glue_expect_zombies(struct glue_device *dev, unsigned int zombies,
			 unsigned int leftover)
{
	struct ttm_fence_lru_stats *stats = &dev->bdev.fence_lru->stats;
	u64 all, left = 0;
	unsigned int type;

	spin_lock(&dev->bdev.lru_lock);
	all = stats->zombies.count;
	for (type = 0; type < TTM_FENCE_LRU_NUM_TYPES; type++)
		left += stats->dead[TTM_FENCE_LRU_LEFTOVER][type].count;
	spin_unlock(&dev->bdev.lru_lock);

	KUNIT_EXPECT_EQ_MSG(dev->test, all, zombies, "zombies");
	KUNIT_EXPECT_EQ_MSG(dev->test, left, leftover, "leftover");
}

/* What is told of the dead, so many pages of which nobody uses any more. */
void glue_expect_report(struct glue_device *dev, unsigned int type,
			unsigned int pages, unsigned int ripe_pages)
{
	struct ttm_resource_manager *man = ttm_manager_type(&dev->bdev, type);
	u64 ripe, all = ttm_device_zombies(&dev->bdev, type, &ripe);

	KUNIT_EXPECT_EQ(dev->test, all, (u64)pages << PAGE_SHIFT);
	KUNIT_EXPECT_EQ(dev->test, ripe, (u64)ripe_pages << PAGE_SHIFT);
	KUNIT_EXPECT_EQ(dev->test, ttm_resource_manager_live_usage(man),
			ttm_resource_manager_usage(man) - ripe);
}

static bool stands_on(struct list_head *head, struct ttm_resource *res)
{
	struct ttm_lru_item *item;

	list_for_each_entry(item, head, link)
		if (item == &res->lru)
			return true;
	return false;
}

static bool is_in_busy_group(struct ttm_buffer_object *tbo)
{
	return tbo->bulk_move && tbo->bulk_move->parked;
}

/* Where the resource in use of a referenced buffer must stand. */
static struct list_head *place_of(struct glue_device *dev,
				  struct ttm_buffer_object *tbo)
{
	if (tbo->pin_count || ttm_bo_is_swapped_apart(tbo))
		return &dev->bdev.unevictable;
	if (ttm_bo_is_busy(tbo) || is_in_busy_group(tbo))
		return &dev->bdev.parked;
	return &ttm_manager_type(&dev->bdev, tbo->resource->mem_type)
			->lru[tbo->priority];
}

static bool stands_where_it_must(struct glue_device *dev,
				 struct ttm_buffer_object *tbo)
{
	if (!tbo->resource || dev->unplugged)
		return true;
	return stands_on(place_of(dev, tbo), tbo->resource) &&
	       tbo->resource->parked ==
		       (ttm_bo_is_busy(tbo) && !tbo->pin_count &&
			!ttm_bo_is_swapped_apart(tbo));
}

/* The engine finds nothing wrong with itself, nor we with where buffers stand. */
void glue_expect_sound(struct glue_device *dev)
{
	struct drm_printer p = drm_info_printer(dev->drm->dev);
	struct glue_bo *bo;
	char lost[16] = "";

	if (!dev->bdev.fence_lru)
		return;

	KUNIT_EXPECT_TRUE(dev->test,
			  ttm_fence_lru_check(dev->bdev.fence_lru, &p));

	spin_lock(&dev->bdev.lru_lock);
	list_for_each_entry(bo, &dev->bos, entry)
		if (!stands_where_it_must(dev, &bo->tbo))
			strncat(lost, &bo->name, 1);
	spin_unlock(&dev->bdev.lru_lock);
	KUNIT_EXPECT_STREQ_MSG(dev->test, (char *)lost, "",
			       "not where they must stand");
}

/* Hand over all that has signaled; nothing dead may be among it. */
void glue_retire(struct glue_device *dev)
{
	struct ttm_fence_lru *lru = dev->bdev.fence_lru;
	unsigned int type;
	u64 ripe = 0;

	ttm_fence_lru_retire(lru);
	for (type = 0; type < TTM_FENCE_LRU_NUM_TYPES; type++)
		ripe += lru->stats.dead[TTM_FENCE_LRU_RIPE][type].count;
	KUNIT_EXPECT_EQ(dev->test, ripe, 0);
	glue_expect_sound(dev);
}
