// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The steps of a history that are about memory: it is wanted, released and counted.
 */
#include "history.h"

/* A step of a new pass, or of one that may have begun long ago. */
void history_reclaim(struct history *h, const u16 *who)
{
	bool engine, model;
	u64 released;

	if (who[2] % 3) {
		h->pass = (struct ttm_fence_lru_pass){};
		h->model_pass = 0;
	}
	h->pass.budget = who[0] % 4 ? 1 + who[1] % 6 : 100;
	history_say(h, "reclaim, budget %u%s", h->pass.budget,
		    h->model_pass ? ", the same pass" : "");

	engine = ttm_fence_lru_reclaim(&h->dev->lru, &h->pass);
	model = model_reclaim(&h->model, h->pass.budget, &released,
			      &h->model_pass);
	history_compare_results(h, engine, model);
	history_compare_results(h, h->pass.released, released);
}

void history_shrink(struct history *h, const u16 *who)
{
	int type = who[0] % 4 ? who[1] % MODEL_TYPES : MODEL_ANY_TYPE;
	u64 target = (who[2] % 10) * 4096, freed;

	history_say(h, "shrink, type %d, target %llu", type, target);
	freed = ttm_fence_lru_shrink(&h->dev->lru, type, target);
	history_compare_results(h, freed,
				model_shrink(&h->model, type, target));
}

void history_drain(struct history *h, const u16 *who)
{
	history_say(h, "drain");
	history_compare_results(h, ttm_fence_lru_drain(&h->dev->lru),
				model_drain(&h->model));
}

void history_poll(struct history *h, const u16 *who)
{
	unsigned int budget = who[0] % 4;

	history_say(h, "poll, budget %u", budget);
	history_compare_results(h, ttm_fence_lru_poll(&h->dev->lru, budget),
				model_poll(&h->model, budget));
}

/* Whoever walks the LRU releases the memory of a dead buffer. */
void history_evict(struct history *h, const u16 *who)
{
	int bo = history_choose_bo(h, history_can_evict, who[0]);

	if (bo == MODEL_NONE)
		return;
	history_say(h, "evict %c", model_name(bo));
	mock_bo_clean(h->bos[bo]);
	ttm_fence_lru_cleaned(&h->dev->lru, &h->bos[bo]->base);
	model_evict(&h->model, bo);
}

void history_look(struct history *h, const u16 *who)
{
	history_say(h, "look");
	ttm_fence_lru_look(&h->dev->lru);
	model_look(&h->model);
}

void history_stall(struct history *h, const u16 *who)
{
	history_say(h, "stall");
	ttm_fence_lru_stall(&h->dev->lru, U64_MAX);
	model_stall(&h->model);
}

void history_set_limit(struct history *h, const u16 *who)
{
	int type = who[0] % 2 ? who[1] % MODEL_TYPES : MODEL_ANY_TYPE;
	u64 bytes = who[2] % 3 ? (who[3] % 8) * 4096 : U64_MAX;

	history_say(h, "limit of type %d: %lld", type, bytes);
	ttm_fence_lru_set_limit(&h->dev->lru, type, bytes);
	model_set_limit(&h->model, type, bytes);
}

void history_trim(struct history *h, const u16 *who)
{
	history_say(h, "trim");
	ttm_fence_lru_trim(&h->dev->lru);
	model_trim(&h->model);
}

/* Whom a walk has met, and how many more it wants. */
struct met {
	char names[MODEL_NAMES];
	unsigned int more;
};

static bool meet(struct ttm_fence_lru_bo *bo, void *data)
{
	bool group = bo->type == TTM_FENCE_LRU_GROUP_TYPE;
	struct met *met = data;

	if (!met->more)
		return false;
	met->more--;
	mock_append_name(met->names, group ? '*' : to_mock_bo(bo)->name);
	return true;
}

/* In two parts: up to some buffer, and from there on. */
void history_visit_busy(struct history *h, const u16 *who)
{
	struct ttm_fence_lru_cursor cursor = {};
	struct met met = { .more = 1 + who[0] % 8 };
	char model[MODEL_NAMES];

	history_say(h, "visit the busy, %u first", met.more);
	ttm_fence_lru_visit_busy(&h->dev->lru, &cursor, meet, &met);
	met.more = UINT_MAX;
	ttm_fence_lru_visit_busy(&h->dev->lru, &cursor, meet, &met);

	model_visit_busy(&h->model, model);
	if (strcmp(met.names, model))
		history_differs(h, "visited: engine %s, model %s", met.names,
				model);
}
