// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Plain objects in place of a driver's buffers, channels and fences.
 */
#include <linux/module.h>
#include <linux/random.h>
#include <linux/slab.h>

#include <drm/drm_print.h>

#include "mock.h"

static uint param_seed;
module_param_named(seed, param_seed, uint, 0444);
MODULE_PARM_DESC(seed, "What random tests start from (default: anything)");

/* What a random test starts from. */
unsigned int mock_seed(struct kunit *test)
{
	unsigned int seed = param_seed ?: get_random_u32();

	kunit_info(test, "seed %u", seed);
	return seed;
}

static struct mock_fence *to_mock_fence(struct dma_fence *fence)
{
	return container_of(fence, struct mock_fence, base);
}

static const char *mock_fence_name(struct dma_fence *fence)
{
	return "mock";
}

/* Hardware that is done raises no interrupt any more. */
static bool mock_fence_enable_signaling(struct dma_fence *fence)
{
	to_mock_fence(fence)->armed++;
	return !READ_ONCE(to_mock_fence(fence)->done);
}

static bool mock_fence_signaled(struct dma_fence *fence)
{
	return READ_ONCE(to_mock_fence(fence)->done);
}

static const struct dma_fence_ops mock_fence_ops = {
	.get_driver_name = mock_fence_name,
	.get_timeline_name = mock_fence_name,
	.enable_signaling = mock_fence_enable_signaling,
	.signaled = mock_fence_signaled,
};

/* It cannot be asked: it signals by interrupt. */
static const struct dma_fence_ops mock_silent_fence_ops = {
	.get_driver_name = mock_fence_name,
	.get_timeline_name = mock_fence_name,
	.enable_signaling = mock_fence_enable_signaling,
};

static struct mock_fence *create_fence(struct mock_device *dev,
				       const struct dma_fence_ops *ops,
				       u64 context, u64 seqno)
{
	struct mock_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(dev->test, fence);
	list_add_tail(&fence->entry, &dev->fences);
	spin_lock_init(&fence->lock);
	dma_fence_init(&fence->base, ops, &fence->lock, context, seqno);
	return fence;
}

struct mock_fence *mock_fence_create(struct mock_device *dev, u64 context,
				     u64 seqno)
{
	return create_fence(dev, &mock_fence_ops, context, seqno);
}

struct mock_fence *mock_fence_create_silent(struct mock_device *dev,
					    u64 context, u64 seqno)
{
	return create_fence(dev, &mock_silent_fence_ops, context, seqno);
}

static void reserve_node(struct mock_channel *channel)
{
	KUNIT_EXPECT_EQ(channel->dev->test, 0,
			ttm_fence_lru_channel_reserve(&channel->base));
}

struct mock_fence *mock_emit(struct mock_channel *channel)
{
	reserve_node(channel);
	return mock_fence_create(channel->dev, channel->context,
				 ++channel->seqno);
}

struct mock_fence *mock_emit_silent(struct mock_channel *channel)
{
	reserve_node(channel);
	return mock_fence_create_silent(channel->dev, channel->context,
					++channel->seqno);
}

void mock_signal(struct mock_fence *fence)
{
	WRITE_ONCE(fence->done, true);
	if (fence->armed)
		dma_fence_signal(&fence->base);
}

/* The fence of the channel's first node. */
struct mock_fence *mock_first(struct mock_channel *channel)
{
	struct ttm_fence_lru_node *node;

	node = list_first_entry(&channel->base.nodes, struct ttm_fence_lru_node,
				entry);
	return to_mock_fence(node->fence);
}

struct mock_channel *mock_channel_create(struct mock_device *dev)
{
	struct mock_channel *channel = kzalloc(sizeof(*channel), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(dev->test, channel);
	channel->dev = dev;
	channel->context = dma_fence_context_alloc(1);
	list_add_tail(&channel->entry, &dev->channels);
	mock_channel_register(channel);
	return channel;
}

/* Again, after it was unregistered: the context goes on. */
void mock_channel_register(struct mock_channel *channel)
{
	struct mock_device *dev = channel->dev;

	KUNIT_ASSERT_EQ(dev->test, 0,
			ttm_fence_lru_channel_register(
				&dev->lru, &channel->base, channel->context));
	channel->registered = true;
}

void mock_channel_unregister(struct mock_channel *channel)
{
	channel->registered = false;
	ttm_fence_lru_channel_unregister(&channel->base);
}

void mock_channel_destroy(struct mock_channel *channel)
{
	if (channel->registered)
		mock_channel_unregister(channel);
	list_del(&channel->entry);
	kfree(channel);
}

/* Keep no fence that has signaled, or that a later one of its context stands for. */
static void add_fence(struct mock_device *dev, struct mock_fences *fences,
		      struct dma_fence *fence)
{
	struct dma_fence *old;
	unsigned int i, kept = 0;

	dma_fence_get(fence);
	for (i = 0; i < fences->count; i++) {
		old = fences->fences[i];
		if (dma_fence_is_signaled(old) ||
		    (old->context == fence->context &&
		     dma_fence_is_later_or_same(fence, old)))
			dma_fence_put(old);
		else
			fences->fences[kept++] = old;
	}
	KUNIT_ASSERT_LT(dev->test, kept, MOCK_MAX_FENCES);
	fences->fences[kept++] = fence;
	fences->count = kept;
}

static void put_fences(struct mock_fences *fences)
{
	while (fences->count)
		dma_fence_put(fences->fences[--fences->count]);
}

/* Those that nobody has asked to signal are asked now, as nobody else will. */
static bool all_signaled(struct mock_fences *fences)
{
	struct dma_fence *fence;
	bool all = true;
	unsigned int i;

	for (i = 0; i < fences->count; i++) {
		fence = fences->fences[i];
		if (dma_fence_is_signaled(fence))
			continue;
		if (!fence->ops->signaled)
			dma_fence_enable_sw_signaling(fence);
		all = false;
	}
	return all;
}

static struct mock_bo *to_mock_bo(struct ttm_fence_lru_bo *base)
{
	return container_of(base, struct mock_bo, base);
}

static struct mock_bo *place_to_bo(struct mock_place *place)
{
	return container_of(place, struct mock_bo, place);
}

static struct mock_group *to_mock_group(struct ttm_fence_lru_group *base)
{
	return container_of(base, struct mock_group, base);
}

static void append_name(char *names, char name)
{
	size_t length = strlen(names);

	if (length < MOCK_MAX_NAMES - 1) {
		names[length] = name;
		names[length + 1] = 0;
	}
}

static void mock_bo_destroy(struct kref *kref)
{
	struct mock_bo *bo = container_of(kref, struct mock_bo, kref);
	struct mock_device *dev = bo->dev;

	append_name(dev->destroyed, bo->name);
	dev->nr_bos--;
	ttm_fence_lru_bo_fini(&bo->base);
	put_fences(&bo->fences);
	kfree(bo);
}

/* To the tail of the LRU, or of its group's range. */
static void mock_place(struct mock_bo *bo)
{
	lockdep_assert_held(&bo->dev->lru_lock);
	list_move_tail(&bo->place.entry,
		       bo->group ? &bo->group->range : &bo->dev->idle);
}

/* The fences of the group are those of the buffer from now on. */
static int part_from_group(struct mock_bo *bo)
{
	struct mock_group *group = bo->group;
	unsigned int i;
	int ret;

	for (i = 0; i < group->fences.count; i++)
		add_fence(bo->dev, &bo->fences, group->fences.fences[i]);
	ret = ttm_fence_lru_group_leave(&bo->dev->lru, &group->base, &bo->base);

	spin_lock(&bo->dev->lru_lock);
	bo->group = NULL;
	if (!ttm_fence_lru_bo_is_busy(&bo->base))
		mock_place(bo);
	spin_unlock(&bo->dev->lru_lock);
	return ret;
}

static void mock_bo_release(struct kref *kref)
{
	struct mock_bo *bo = container_of(kref, struct mock_bo, kref);

	if (bo->base.dead && !bo->import) {
		mock_bo_destroy(kref);
		return;
	}

	kref_init(&bo->kref);
	if (bo->base.dead) {
		ttm_fence_lru_defer_destroy(&bo->dev->lru, &bo->base);
		return;
	}
	if (bo->group)
		part_from_group(bo);
	ttm_fence_lru_release(&bo->dev->lru, &bo->base, bo->type, bo->bytes);
}

void mock_bo_put(struct mock_bo *bo)
{
	kref_put(&bo->kref, mock_bo_release);
}

static void mock_busy(struct ttm_fence_lru_bo *base)
{
	struct mock_bo *bo = to_mock_bo(base);

	lockdep_assert_held(&bo->dev->lru_lock);
	KUNIT_EXPECT_FALSE(bo->dev->test, list_empty(&bo->place.entry));
	list_del_init(&bo->place.entry);
}

static void mock_idle(struct ttm_fence_lru_bo *base)
{
	if (!base->cleaned)
		mock_place(to_mock_bo(base));
}

static void mock_group_busy(struct ttm_fence_lru_group *base)
{
	struct mock_group *group = to_mock_group(base);

	lockdep_assert_held(&group->dev->lru_lock);
	KUNIT_EXPECT_FALSE(group->dev->test, list_empty(&group->place.entry));
	list_del_init(&group->place.entry);
}

static void mock_group_idle(struct ttm_fence_lru_group *base)
{
	struct mock_group *group = to_mock_group(base);

	lockdep_assert_held(&group->dev->lru_lock);
	KUNIT_EXPECT_TRUE(group->dev->test, list_empty(&group->place.entry));
	list_add_tail(&group->place.entry, &group->dev->idle);
}

static void mock_get(struct ttm_fence_lru_bo *base)
{
	kref_get(&to_mock_bo(base)->kref);
}

static void mock_put(struct ttm_fence_lru_bo *base,
		     enum ttm_fence_lru_site site)
{
	struct mock_bo *bo = to_mock_bo(base);

	might_sleep();
	lockdep_assert_not_held(&bo->dev->lru.reclaim_lock);
	if (site == TTM_FENCE_LRU_AT_DRAIN)
		kref_put(&bo->kref, mock_bo_destroy);
	else
		mock_bo_put(bo);
}

/* Release the memory. */
void mock_bo_clean(struct mock_bo *bo)
{
	append_name(bo->dev->cleaned, bo->name);
	spin_lock(&bo->dev->lru_lock);
	list_del_init(&bo->place.entry);
	spin_unlock(&bo->dev->lru_lock);
}

static bool mock_cleanup(struct ttm_fence_lru_bo *base,
			 enum ttm_fence_lru_site site)
{
	struct mock_bo *bo = to_mock_bo(base);

	might_sleep();
	lockdep_assert_not_held(&bo->dev->lru.reclaim_lock);
	if (bo->locked || !all_signaled(&bo->fences))
		return false;

	if (!bo->base.cleaned)
		mock_bo_clean(bo);
	return true;
}

static const struct ttm_fence_lru_ops mock_ops = {
	.busy = mock_busy,
	.idle = mock_idle,
	.get = mock_get,
	.put = mock_put,
	.cleanup = mock_cleanup,
	.group_busy = mock_group_busy,
	.group_idle = mock_group_idle,
};

/* A buffer with one reference, at the tail of the LRU. */
struct mock_bo *mock_bo_create(struct mock_device *dev, char name)
{
	struct mock_bo *bo = kzalloc(sizeof(*bo), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(dev->test, bo);
	ttm_fence_lru_bo_init(&bo->base);
	bo->dev = dev;
	bo->name = name;
	bo->type = 1;
	bo->bytes = MOCK_BO_BYTES;
	kref_init(&bo->kref);
	INIT_LIST_HEAD(&bo->place.entry);
	dev->nr_bos++;

	spin_lock(&dev->lru_lock);
	mock_place(bo);
	spin_unlock(&dev->lru_lock);
	return bo;
}

void mock_bo_use(struct mock_bo *bo, struct mock_fence *fence)
{
	KUNIT_EXPECT_EQ(bo->dev->test, 0, ttm_fence_lru_reserve(&bo->base, 1));

	add_fence(bo->dev, &bo->fences, &fence->base);
	ttm_fence_lru_attach(&bo->dev->lru, &bo->base, &fence->base);
}

/* An empty group, its range at the tail of the LRU. */
struct mock_group *mock_group_create(struct mock_device *dev)
{
	struct mock_group *group = kzalloc(sizeof(*group), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(dev->test, group);
	ttm_fence_lru_group_init(&group->base);
	group->dev = dev;
	group->place.range = true;
	INIT_LIST_HEAD(&group->range);

	spin_lock(&dev->lru_lock);
	list_add_tail(&group->place.entry, &dev->idle);
	spin_unlock(&dev->lru_lock);
	return group;
}

/* It has no members any more. */
void mock_group_destroy(struct mock_group *group)
{
	struct mock_device *dev = group->dev;

	ttm_fence_lru_group_fini(&dev->lru, &group->base);
	spin_lock(&dev->lru_lock);
	list_del(&group->place.entry);
	spin_unlock(&dev->lru_lock);
	put_fences(&group->fences);
	kfree(group);
}

void mock_group_use(struct mock_group *group, struct mock_fence *fence)
{
	struct mock_device *dev = group->dev;

	KUNIT_EXPECT_EQ(dev->test, 0,
			ttm_fence_lru_reserve(&group->base.base, 1));

	add_fence(dev, &group->fences, &fence->base);
	ttm_fence_lru_attach(&dev->lru, &group->base.base, &fence->base);
}

void mock_group_join(struct mock_group *group, struct mock_bo *bo)
{
	spin_lock(&bo->dev->lru_lock);
	bo->group = group;
	if (!ttm_fence_lru_bo_is_busy(&bo->base))
		mock_place(bo);
	spin_unlock(&bo->dev->lru_lock);
}

int mock_group_leave(struct mock_bo *bo)
{
	return part_from_group(bo);
}

/* A job of one buffer. */
struct mock_fence *mock_submit(struct mock_channel *channel, struct mock_bo *bo)
{
	struct mock_fence *fence = mock_emit(channel);

	mock_bo_use(bo, fence);
	return fence;
}

/* Reclaim all that has signaled. */
void mock_reclaim(struct mock_device *dev)
{
	u64 released;

	while (!ttm_fence_lru_reclaim(&dev->lru, U32_MAX, &released))
		;
}

/* The names on a list of places, oldest first. */
static void print_places(struct list_head *places, char *names)
{
	struct mock_group *group;
	struct mock_place *place, *member;

	list_for_each_entry(place, places, entry) {
		if (!place->range) {
			append_name(names, place_to_bo(place)->name);
			continue;
		}
		group = container_of(place, struct mock_group, place);
		append_name(names, '[');
		list_for_each_entry(member, &group->range, entry)
			append_name(names, place_to_bo(member)->name);
		append_name(names, ']');
	}
}

/* @names: room for MOCK_MAX_NAMES */
void mock_print_lru(struct mock_device *dev, char *names)
{
	*names = 0;
	spin_lock(&dev->lru_lock);
	print_places(&dev->idle, names);
	spin_unlock(&dev->lru_lock);
}

static char *alloc_names(struct mock_device *dev)
{
	char *names = kunit_kzalloc(dev->test, MOCK_MAX_NAMES, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(dev->test, names);
	return names;
}

const char *mock_lru(struct mock_device *dev)
{
	char *names = alloc_names(dev);

	mock_print_lru(dev, names);
	return names;
}

static void append_names(char *names, struct list_head *links)
{
	struct ttm_fence_lru_link *link;

	list_for_each_entry(link, links, entry)
		append_name(names, link->bo->type == TTM_FENCE_LRU_GROUP_TYPE ?
					   '*' :
					   to_mock_bo(link->bo)->name);
}

/* @names: room for MOCK_MAX_NAMES */
void mock_print_nodes(struct mock_channel *channel, char *names)
{
	struct ttm_fence_lru_node *node;

	*names = 0;
	spin_lock(&channel->base.lock);
	list_for_each_entry(node, &channel->base.nodes, entry) {
		if (*names)
			append_name(names, ' ');
		append_names(names, &node->alive);
		if (!list_empty(&node->zombies))
			append_name(names, '/');
		append_names(names, &node->zombies);
	}
	spin_unlock(&channel->base.lock);
}

const char *mock_nodes(struct mock_channel *channel)
{
	char *names = alloc_names(channel->dev);

	mock_print_nodes(channel, names);
	return names;
}

/* The engine's own check of everything. */
void mock_check(struct mock_device *dev)
{
	struct drm_printer p = drm_info_printer(NULL);

	KUNIT_EXPECT_TRUE(dev->test, ttm_fence_lru_check(&dev->lru, &p));
}

struct mock_device *mock_device_create(struct kunit *test)
{
	struct mock_device *dev = kzalloc(sizeof(*dev), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, dev);
	dev->test = test;
	spin_lock_init(&dev->lru_lock);
	INIT_LIST_HEAD(&dev->idle);
	INIT_LIST_HEAD(&dev->fences);
	INIT_LIST_HEAD(&dev->channels);
	KUNIT_ASSERT_EQ(test, 0,
			ttm_fence_lru_init(&dev->lru, &dev->lru_lock,
					   &mock_ops));
	return dev;
}

static struct mock_bo *first_alive(struct list_head *places)
{
	struct mock_place *place;

	list_for_each_entry(place, places, entry)
		if (!place->range && !place_to_bo(place)->base.dead)
			return place_to_bo(place);
	return NULL;
}

static struct mock_group *first_group(struct mock_device *dev)
{
	struct mock_place *place;

	list_for_each_entry(place, &dev->idle, entry)
		if (place->range)
			return container_of(place, struct mock_group, place);
	return NULL;
}

/* Signal all fences and put all buffers and groups, so that nothing may be left. */
void mock_device_end(struct mock_device *dev)
{
	struct mock_fence *fence;
	struct mock_group *group;
	struct mock_bo *bo;

	list_for_each_entry(fence, &dev->fences, entry) {
		mock_signal(fence);
		dma_fence_signal(&fence->base);
	}
	mock_reclaim(dev);

	while ((group = first_group(dev))) {
		while ((bo = first_alive(&group->range)))
			mock_bo_put(bo);
		mock_group_destroy(group);
	}
	while ((bo = first_alive(&dev->idle)))
		mock_bo_put(bo);
	mock_check(dev);
}

void mock_device_destroy(struct mock_device *dev)
{
	struct mock_channel *channel, *next_channel;
	struct mock_fence *fence, *next_fence;

	list_for_each_entry_safe(channel, next_channel, &dev->channels, entry)
		mock_channel_destroy(channel);

	KUNIT_EXPECT_EQ(dev->test, 0, ttm_fence_lru_drain(&dev->lru));
	KUNIT_EXPECT_EQ(dev->test, 0, dev->nr_bos);
	ttm_fence_lru_fini(&dev->lru);

	list_for_each_entry_safe(fence, next_fence, &dev->fences, entry)
		dma_fence_put(&fence->base);
	kfree(dev);
}

int mock_device_init(struct kunit *test)
{
	test->priv = mock_device_create(test);
	return 0;
}

void mock_device_exit(struct kunit *test)
{
	struct mock_device *dev = test->priv;

	/* Making it may have failed. */
	if (!dev)
		return;
	mock_device_end(dev);
	mock_device_destroy(dev);
}
