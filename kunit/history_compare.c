// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Comparing the engine with the model: every result, list, counter and reference.
 */
#include "../ttm_fence_lru/internal.h"
#include "history.h"

/* Note the first difference. */
static __printf(2, 3) void differ(struct history *h, const char *format, ...)
{
	va_list args;

	if (h->difference[0])
		return;
	va_start(args, format);
	vscnprintf(h->difference, sizeof(h->difference), format, args);
	va_end(args);
}

/* Tell what the step does. */
void history_say(struct history *h, const char *format, ...)
{
	size_t length = strlen(h->said);
	va_list args;

	va_start(args, format);
	vscnprintf(h->said + length, sizeof(h->said) - length, format, args);
	va_end(args);
}

void history_compare_names(struct history *h, const char *what,
			   const char *engine, const char *model)
{
	if (strcmp(engine, model))
		differ(h, "%s: engine %s, model %s", what, engine, model);
}

void history_compare_numbers(struct history *h, const char *what, u64 engine,
			     u64 model)
{
	if (engine != model)
		differ(h, "%s: engine %llu, model %llu", what, engine, model);
}

static void print_list(struct list_head *list, char *names)
{
	struct ttm_fence_lru_bo *bo;

	list_for_each_entry(bo, list, link.entry)
		mock_append_name(names, to_mock_bo(bo)->name);
}

/* As model_print_dead(). */
void history_print_dead(struct history *h, int type, char *names)
{
	struct ttm_fence_lru_dead *dead = &h->dev->lru.dead[type];
	struct ttm_fence_lru_blocker *blocker;
	int fence;

	*names = 0;
	print_list(&dead->ripe, names);
	strlcat(names, ", locked ", MOCK_MAX_NAMES);
	print_list(&dead->locked, names);
	list_for_each_entry(blocker, &dead->blocked, entry) {
		fence = 0;
		while (fence < h->model.nr_fences - 1 &&
		       &h->fences[fence]->base != blocker->fence)
			fence++;
		sprintf(names + strlen(names), ", fence %d: ", fence);
		print_list(&blocker->bos, names);
	}
}

static void compare_lists(struct history *h)
{
	char engine[MOCK_MAX_NAMES], model[MODEL_NAMES], what[16];
	int i;

	history_compare_names(h, "released", h->dev->cleaned, h->model.cleaned);
	history_compare_names(h, "destroyed", h->dev->destroyed,
			      h->model.destroyed);

	mock_print_lru(h->dev, engine);
	model_print_lru(&h->model, model);
	history_compare_names(h, "LRU", engine, model);

	for (i = 0; i < MODEL_CHANNELS; i++) {
		if (!h->model.channels[i].registered)
			continue;
		mock_print_nodes(h->channels[i], engine);
		model_print_nodes(&h->model, i, model);
		scnprintf(what, sizeof(what), "channel %d", i);
		history_compare_names(h, what, engine, model);
	}
	for (i = 0; i < MODEL_TYPES; i++) {
		history_print_dead(h, i, engine);
		model_print_dead(&h->model, i, model);
		scnprintf(what, sizeof(what), "dead of type %d", i);
		history_compare_names(h, what, engine, model);
	}
}

static void compare_channels(struct history *h)
{
	struct ttm_fence_lru_channel *engine;
	struct model_channel *model;
	u64 unswept;
	int c, next;

	for (c = 0; c < MODEL_CHANNELS; c++) {
		engine = &h->channels[c]->base;
		model = &h->model.channels[c];
		if (!model->registered)
			continue;
		history_compare_numbers(h, "signaled_seq", engine->signaled_seq,
					model->settled);
		unswept = engine->unswept ? engine->unswept->seq : 0;
		next = model_next_node(&h->model, c, model->swept);
		history_compare_numbers(h, "unswept", unswept, next);
		history_compare_numbers(h, "waited for", !!engine->waiting_for,
					model->waited);
	}
}

/* When those that are idle were last used. */
static void compare_ages(struct history *h)
{
	struct ttm_fence_lru_bo *bo;
	int o;

	for (o = 0; o < MODEL_OWNERS; o++) {
		if (h->model.owners[o].state != MODEL_ALIVE ||
		    model_nr_links(&h->model, o))
			continue;
		bo = o < MODEL_BOS ? &h->bos[o]->base :
				     &h->groups[o - MODEL_BOS]->base.base;
		history_compare_numbers(h, "last use", bo->last_seq,
					h->model.owners[o].last_node);
	}
}

static void recount(struct history *h)
{
	struct ttm_fence_lru_stats *stats = &h->counted;
	static const enum ttm_fence_lru_state states[] = {
		[MODEL_BURIED] = TTM_FENCE_LRU_BURIED,
		[MODEL_RIPE] = TTM_FENCE_LRU_RIPE,
		[MODEL_LOCKED] = TTM_FENCE_LRU_LEFTOVER,
		[MODEL_BLOCKED] = TTM_FENCE_LRU_LEFTOVER,
	};
	struct ttm_fence_lru_tally *tally;
	struct model_owner *o;
	u64 bytes;
	int i;

	memset(stats, 0, sizeof(*stats));
	for (i = 0; i < MODEL_OWNERS; i++) {
		stats->busy += model_nr_links(&h->model, i) > 0;
		if (!model_is_dead(&h->model, i))
			continue;
		o = &h->model.owners[i];
		bytes = o->cleaned ? 0 : o->bytes;
		tally = &stats->dead[states[o->state]][o->type];
		tally->count++;
		tally->bytes += bytes;
		stats->zombies.count++;
		stats->zombies.bytes += bytes;
	}
	stats->steps = h->dev->lru.stats.steps;
	stats->peak_bytes = h->model.peak_bytes;
	stats->deferred = h->model.deferred;
	stats->armed = h->model.armed;
	stats->unlinked = h->model.unlinked;
}

static void compare_counters(struct history *h)
{
	u64 *engine = (u64 *)&h->dev->lru.stats, *model = (u64 *)&h->counted;
	unsigned int i;
	char what[32];

	/* Built of nothing else than counters. */
	recount(h);
	for (i = 0; i < sizeof(h->counted) / sizeof(u64); i++) {
		scnprintf(what, sizeof(what), "counter %u", i);
		history_compare_numbers(h, what, engine[i], model[i]);
	}
}

/* Nobody but the engine references a zombie, and it once. */
static void compare_references(struct history *h)
{
	int bo;

	for (bo = 0; bo < MODEL_BOS; bo++)
		if (h->model.owners[bo].state != MODEL_GONE)
			history_compare_numbers(h, "references",
						kref_read(&h->bos[bo]->kref),
						1);
}

/* False if there is a difference. */
bool history_compare(struct history *h)
{
	compare_lists(h);
	/* What is gone must not be looked at. */
	if (h->difference[0])
		return false;

	compare_references(h);
	compare_channels(h);
	compare_ages(h);
	compare_counters(h);
	if (!ttm_fence_lru_check(&h->dev->lru, NULL))
		differ(h, "the check function found a fault");
	return !h->difference[0];
}
