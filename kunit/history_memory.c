// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The steps of a history that are about memory: it is wanted, released and counted.
 */
#include <linux/jiffies.h>

#include "history.h"

/* For an allocation that begins, or that may have begun long ago. */
void history_reclaim(struct history *h, int type, const u16 *who)
{
	if (who[0] % 3) {
		h->need = (struct ttm_fence_lru_need){ .type = type };
		h->model_need = (struct model_need){ .type = type };
	}
	history_say(h, "reclaim, type %u%s", h->need.type,
		    who[0] % 3 ? "" : ", the same need");
	history_compare_numbers(h, "reclaimed",
				ttm_fence_lru_reclaim(&h->dev->lru, &h->need),
				model_reclaim(&h->model, &h->model_need));
}

/* By itself; or for a report: then only if the last one is long ago. */
void history_retire(struct history *h, int unused, const u16 *who)
{
	bool report = who[0] % 2, again = who[0] % 8 == 1;

	history_say(h, "%s%s", report ? "report" : "retire",
		    again ? " at once again" : "");
	if (report) {
		h->dev->lru.refreshed = jiffies + (again ? HZ : -HZ);
		ttm_fence_lru_refresh(&h->dev->lru);
	} else {
		ttm_fence_lru_retire(&h->dev->lru);
	}
	if (!again)
		model_retire(&h->model, !report);
}

void history_shrink(struct history *h, int type, const u16 *who)
{
	u64 target = (who[0] % 10) * 4096, shrunk;

	history_say(h, "shrink, type %d, target %llu", type, target);
	shrunk = ttm_fence_lru_shrink(&h->dev->lru, type, target);
	history_compare_numbers(h, "shrunk", shrunk,
				model_shrink(&h->model, type, target));
}

void history_drain(struct history *h, int unused, const u16 *who)
{
	history_say(h, "drain");
	history_compare_numbers(h, "left after a drain",
				ttm_fence_lru_drain(&h->dev->lru),
				model_drain(&h->model));
}

/* A walk of the LRU releases the memory of a dead buffer. */
void history_evict(struct history *h, int bo, const u16 *who)
{
	bool listed;

	history_say(h, "evict %c", model_name(bo));
	mock_bo_clean(h->bos[bo]);
	listed = ttm_fence_lru_cleaned(&h->dev->lru, &h->bos[bo]->base);
	history_compare_numbers(h, "on a list", listed, true);
	if (listed)
		mock_bo_put(h->bos[bo]);
	model_evict(&h->model, bo);
}

void history_set_limit(struct history *h, int type, const u16 *who)
{
	u64 bytes = who[1] % 3 ? (who[2] % 8) * 4096 : U64_MAX;

	if (who[0] % 2)
		type = MODEL_ANY_TYPE;
	history_say(h, "limit of type %d: %lld", type, bytes);
	ttm_fence_lru_set_limit(&h->dev->lru, type, bytes);
	if (type == MODEL_ANY_TYPE)
		h->model.limit = bytes;
	else
		h->model.limits[type] = bytes;
}

void history_trim(struct history *h, int unused, const u16 *who)
{
	history_say(h, "trim");
	ttm_fence_lru_trim(&h->dev->lru);
	model_trim(&h->model);
}

static void compare_fences(struct history *h, struct dma_fence *fence,
			   int number)
{
	bool same = fence == &h->fences[number]->base;

	history_compare_numbers(h, "right frontier", same, true);
}

/* Somebody is about to wait for memory, or for anything. */
void history_wait(struct history *h, int type, const u16 *who)
{
	bool patient = who[0] % 4;
	struct model_due model = {
		.type = who[1] % 4 ? type : MODEL_ANY_TYPE,
		.last_node = max(h->model.nr_nodes - who[2] % 8, 0),
		.patient = patient,
	};
	struct ttm_fence_lru_due due = {
		.type = model.type,
		.last_seq = model.last_node,
		.patience = patient ? MAX_JIFFY_OFFSET : 0,
	};
	int nr, i, numbers[MODEL_CHANNELS], max = 1 + who[3] % MODEL_CHANNELS;
	struct dma_fence *fences[MODEL_CHANNELS];

	history_say(h, "wait for type %d up to node %d, %d channels%s",
		    model.type, model.last_node, max,
		    patient ? "" : ", none that others wait for");
	nr = ttm_fence_lru_frontiers(&h->dev->lru, &due, fences, max);
	history_compare_numbers(h, "frontiers", nr,
				model_frontiers(&h->model, &model, numbers,
						max));
	for (i = 0; i < nr; i++) {
		if (!h->difference[0])
			compare_fences(h, fences[i], numbers[i]);
		dma_fence_put(fences[i]);
	}
}

/* Somebody looks for the oldest of the dead, and waits for it. */
void history_wait_oldest(struct history *h, int type, const u16 *who)
{
	bool patient = who[0] % 4;
	unsigned long patience = patient ? MAX_JIFFY_OFFSET : 0;
	int node, after = who[1] % 3 ? 0 : who[2] % (h->model.nr_nodes + 1);
	struct ttm_fence_lru *lru = &h->dev->lru;
	struct dma_fence *fence;
	u64 seq = after;

	history_say(h, "wait for the oldest of type %d after node %d%s", type,
		    after, patient ? "" : ", if nobody waits yet");
	fence = ttm_fence_lru_oldest_match(lru, type, patience, NULL, NULL,
					   &seq);
	node = model_oldest_zombie(&h->model, type, patient, after);
	history_compare_numbers(h, "oldest zombie", fence ? seq : 0, node);
	if (fence && !h->difference[0]) {
		compare_fences(h, fence, h->model.nodes[node].fence);
		ttm_fence_lru_note_wait(lru, fence);
		model_note_wait(&h->model, h->model.nodes[node].channel);
	}
	dma_fence_put(fence);
}

/* Whom a walk has met, and how many more it wants. */
struct met {
	char names[MODEL_NAMES];
	unsigned int more;
};

static bool meet(struct ttm_fence_lru_bo *bo, void *data)
{
	struct met *met = data;

	if (!met->more)
		return false;
	met->more--;
	mock_append_name(met->names, bo->is_group ? '*' : to_mock_bo(bo)->name);
	return true;
}

/* In two parts: up to some buffer, and from there on. */
void history_visit_busy(struct history *h, int unused, const u16 *who)
{
	struct met met = { .more = 1 + who[0] % 8 };
	struct ttm_fence_lru_cursor cursor = {};
	bool patient = who[1] % 4;
	unsigned long patience = patient ? MAX_JIFFY_OFFSET : 0;
	char model[MODEL_NAMES];

	history_say(h, "visit the busy, %u first%s", met.more,
		    patient ? "" : ", on no channel that others wait for");
	ttm_fence_lru_visit_busy(&h->dev->lru, patience, &cursor, meet, &met);
	met.more = UINT_MAX;
	ttm_fence_lru_visit_busy(&h->dev->lru, patience, &cursor, meet, &met);

	model_visit_busy(&h->model, patient, model);
	history_compare_names(h, "visited", met.names, model);
}
