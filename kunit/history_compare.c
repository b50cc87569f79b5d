// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Comparing the engine with the model: every result, list, counter and reference.
 */
#include "history.h"

/* Note the first difference. */
void history_differs(struct history *h, const char *format, ...)
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

void history_compare_results(struct history *h, u64 engine, u64 model)
{
	if (engine != model)
		history_differs(h, "result: engine %llu, model %llu", engine,
				model);
}

static void compare_names(struct history *h, const char *what,
			  const char *engine, const char *model)
{
	if (strcmp(engine, model))
		history_differs(h, "%s: engine %s, model %s", what, engine,
				model);
}

static void compare_numbers(struct history *h, const char *what, u64 engine,
			    u64 model)
{
	if (engine != model)
		history_differs(h, "%s: engine %llu, model %llu", what, engine,
				model);
}

static void compare_lists(struct history *h)
{
	char engine[MOCK_MAX_NAMES], model[MODEL_NAMES], what[16];
	int c;

	compare_names(h, "released", h->dev->cleaned, h->model.cleaned);
	compare_names(h, "destroyed", h->dev->destroyed, h->model.destroyed);

	mock_print_lru(h->dev, engine);
	model_print_lru(&h->model, model);
	compare_names(h, "LRU", engine, model);

	for (c = 0; c < MODEL_CHANNELS; c++) {
		if (!h->model.channels[c].registered)
			continue;
		mock_print_nodes(h->channels[c], engine);
		model_print_nodes(&h->model, c, model);
		scnprintf(what, sizeof(what), "channel %d", c);
		compare_names(h, what, engine, model);
	}
}

/* A zombie's references are its links, and one on the leftover list. */
static void compare_references(struct history *h)
{
	struct model_owner *o;
	int bo;

	for (bo = 0; bo < MODEL_BOS; bo++) {
		o = &h->model.owners[bo];
		if (o->life == MODEL_ALIVE)
			compare_numbers(h, "references of an alive buffer",
					kref_read(&h->bos[bo]->kref), 1);
		else if (o->life == MODEL_DEAD)
			compare_numbers(h, "references of a zombie",
					kref_read(&h->bos[bo]->kref),
					model_nr_links(&h->model, bo) +
						model_is_leftover(&h->model,
								  bo));
	}
}

static void recount(struct history *h, struct ttm_fence_lru_stats *stats)
{
	struct model_owner *o;
	int owner;

	for (owner = 0; owner < MODEL_OWNERS; owner++) {
		o = &h->model.owners[owner];
		if (o->life == MODEL_GONE)
			continue;
		stats->busy += model_nr_links(&h->model, owner) > 0;
		if (o->life != MODEL_DEAD || o->cleaned)
			continue;
		stats->zombies++;
		stats->zombie_bytes[o->type] += o->bytes;
		if (model_is_seen(&h->model, owner)) {
			stats->signaled++;
			stats->signaled_bytes[o->type] += o->bytes;
		}
	}
}

static void compare_counters(struct history *h)
{
	struct ttm_fence_lru_stats model = {}, *engine = &h->dev->lru.stats;
	int i;

	recount(h, &model);
	compare_numbers(h, "busy", engine->busy, model.busy);
	compare_numbers(h, "zombies", engine->zombies, model.zombies);
	compare_numbers(h, "signaled", engine->signaled, model.signaled);
	compare_numbers(h, "leftover", engine->leftover, h->model.nr_leftover);
	compare_numbers(h, "deferred", engine->deferred, h->model.deferred);
	compare_numbers(h, "armed", engine->armed, h->model.armed);
	compare_numbers(h, "unlinked", engine->unlinked, 0);
	for (i = 0; i < MODEL_TYPES; i++) {
		compare_numbers(h, "zombie_bytes", engine->zombie_bytes[i],
				model.zombie_bytes[i]);
		compare_numbers(h, "signaled_bytes", engine->signaled_bytes[i],
				model.signaled_bytes[i]);
	}
}

/* Those who wait for memory of a type are told of the same channels. */
static void compare_frontiers(struct history *h, int type)
{
	struct ttm_fence_lru_due due = { .type = type, .last_seq = U64_MAX };
	unsigned int count, expected = 0, i;
	struct dma_fence *fences[MODEL_CHANNELS];
	int c;

	count = ttm_fence_lru_frontiers(&h->dev->lru, &due, fences,
					MODEL_CHANNELS);
	for (i = 0; i < count; i++)
		dma_fence_put(fences[i]);

	for (c = 0; c < MODEL_CHANNELS; c++)
		expected += model_is_waited_for(&h->model, c, type);
	compare_numbers(h, "frontiers", count, expected);
}

/* False if there is a difference. */
bool history_compare(struct history *h)
{
	int type;

	compare_lists(h);
	/* What is gone must not be looked at. */
	if (h->difference[0])
		return false;

	compare_references(h);
	compare_counters(h);
	for (type = 0; type < MODEL_TYPES; type++)
		compare_frontiers(h, type);
	compare_frontiers(h, MODEL_ANY_TYPE);
	if (!ttm_fence_lru_check(&h->dev->lru, NULL))
		history_differs(h, "the check function found a fault");
	return !h->difference[0];
}
