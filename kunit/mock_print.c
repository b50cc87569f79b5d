// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Drawing the lists: one letter for a buffer.
 */
#include "mock.h"

void mock_append_name(char *names, char name)
{
	size_t length = strlen(names);

	if (length < MOCK_MAX_NAMES - 1) {
		names[length] = name;
		names[length + 1] = 0;
	}
}

/* The names on a list of places, oldest first. */
static void print_places(struct list_head *places, char *names)
{
	struct mock_group *group;
	struct mock_place *place, *member;

	list_for_each_entry(place, places, entry) {
		if (!place->range) {
			mock_append_name(names, place_to_bo(place)->name);
			continue;
		}
		group = container_of(place, struct mock_group, place);
		mock_append_name(names, '[');
		list_for_each_entry(member, &group->range, entry)
			mock_append_name(names, place_to_bo(member)->name);
		mock_append_name(names, ']');
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
		mock_append_name(names, link->bo->is_group ?
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
			mock_append_name(names, ' ');
		append_names(names, &node->alive);
		if (!list_empty(&node->zombies))
			mock_append_name(names, '/');
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
