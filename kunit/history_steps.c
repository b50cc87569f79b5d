// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The steps of a history: each does the same to the engine and to the model.
 */
#include <kunit/static_stub.h>

#include "../ttm_fence_lru/internal.h"
#include "history.h"

typedef bool (*history_fits)(const struct model *m, int number);

/* One of those that fit, or MODEL_NONE. */
static int choose(struct history *h, history_fits fits, int from, int to,
		  u16 who)
{
	int i, count = 0;

	for (i = from; i < to; i++)
		count += !fits || fits(&h->model, i);
	if (!count)
		return MODEL_NONE;
	count = who % count;
	for (i = from; (fits && !fits(&h->model, i)) || count--; i++)
		;
	return i;
}

static bool is_gone(const struct model *m, int owner)
{
	return m->owners[owner].state == MODEL_GONE;
}

static bool exists(const struct model *m, int owner)
{
	return !is_gone(m, owner);
}

static bool is_alive(const struct model *m, int owner)
{
	return m->owners[owner].state == MODEL_ALIVE;
}

static bool is_member(const struct model *m, int bo)
{
	return is_alive(m, bo) && m->owners[bo].group;
}

static bool is_single(const struct model *m, int bo)
{
	return is_alive(m, bo) && !m->owners[bo].group;
}

/* It may be busy. */
static bool is_empty_group(const struct model *m, int group)
{
	int bo;

	for (bo = 0; bo < MODEL_BOS; bo++)
		if (m->owners[bo].group == group)
			return false;
	return is_alive(m, group);
}

static bool is_registered(const struct model *m, int channel)
{
	return m->channels[channel].registered;
}

static bool is_unregistered(const struct model *m, int channel)
{
	return !is_registered(m, channel);
}

static bool is_usable(const struct model *m, int channel)
{
	return is_registered(m, channel) && !m->channels[channel].killed;
}

static bool is_recent(const struct model *m, int fence)
{
	return fence < m->nr_fences && fence >= m->nr_fences - 12;
}

static bool is_pending_foreign(const struct model *m, int fence)
{
	return fence < m->nr_fences && !m->fences[fence].done &&
	       m->fences[fence].channel == MODEL_NONE;
}

static void do_create(struct history *h, int bo, const u16 *who)
{
	struct model_owner *o = &h->model.owners[bo];

	model_create(&h->model, bo);
	o->import = who[0] % (h->calm ? 2 : 8) == 0;
	o->refused = who[0] % 8 == 1;
	o->bytes = (1 + who[1] % 8) * 4096;
	o->type = who[2] % h->nr_types;
	history_say(h, "create %c, type %d, %llu bytes%s%s", model_name(bo),
		    o->type, o->bytes, o->import ? ", import" : "",
		    o->refused ? ", refused" : "");
	h->bos[bo] = mock_bo_create(h->dev, model_name(bo));
	h->bos[bo]->import = o->import;
	h->bos[bo]->refused = o->refused;
	h->bos[bo]->bytes = o->bytes;
	h->bos[bo]->type = o->type;
}

static struct ttm_fence_lru_bo *reserve(struct history *h, int owner,
					struct dma_fence *fence)
{
	int group = owner - MODEL_BOS;
	struct ttm_fence_lru_bo *base =
		group < 0 ? &h->bos[owner]->base : &h->groups[group]->base.base;

	history_compare_numbers(h, "reserve", ttm_fence_lru_reserve(base, 1),
				0);
	mock_fences_add(h->dev,
			group < 0 ? &h->bos[owner]->fences :
				    &h->groups[group]->fences,
			fence);
	return base;
}

/* A member is used together with all of its group. */
static void use_some(struct history *h, int number, const u16 *who)
{
	struct dma_fence *fence = &h->fences[number]->base;
	struct ttm_fence_lru_bo *bos[3];
	int owners[3], nr, bo;

	history_say(h, " fence %d:", number);
	dma_fence_is_signaled(fence);
	for (nr = 0; nr < 1 + who[0] % 3; nr++) {
		bo = choose(h, is_alive, 0, MODEL_BOS, who[1 + nr]);
		if (bo == MODEL_NONE)
			return;
		owners[nr] = h->model.owners[bo].group ?: bo;
		history_say(h, " %c", model_name(owners[nr]));
		bos[nr] = reserve(h, owners[nr], fence);
	}
	ttm_fence_lru_attach(&h->dev->lru, fence, bos, nr);
	model_use(&h->model, owners, nr, number);
}

/* MODEL_NONE: on no channel */
static void submit(struct history *h, int channel, bool silent, const u16 *who)
{
	int number = model_emit(&h->model, channel, silent);
	u64 seqno = h->model.fences[number].seqno, context;

	if (channel == MODEL_NONE) {
		context = dma_fence_context_alloc(1);
	} else {
		context = h->channels[channel]->context;
		mock_channel_reserve(h->channels[channel]);
	}
	h->fences[number] =
		silent ? mock_fence_create_silent(h->dev, context, seqno) :
			 mock_fence_create(h->dev, context, seqno);
	history_say(h, "job on %d:", channel);
	use_some(h, number, who);
}

static void do_submit(struct history *h, int channel, const u16 *who)
{
	submit(h, channel, h->model.channels[channel].silent, who);
}

static void do_submit_foreign(struct history *h, int unused, const u16 *who)
{
	submit(h, MODEL_NONE, who[3] % 4 == 0, who);
}

/* A fence that is there already: copied, or of a job that used more than it said. */
static void do_use_again(struct history *h, int fence, const u16 *who)
{
	int channel = h->model.fences[fence].channel;

	if (channel != MODEL_NONE && h->channels[channel]->registered)
		mock_channel_reserve(h->channels[channel]);
	history_say(h, "use again");
	use_some(h, fence, who);
}

static void signal(struct history *h, int fence)
{
	int channel = h->model.fences[fence].channel;

	history_say(h, " %d", fence);
	if (channel != MODEL_NONE && h->model.channels[channel].killed)
		dma_fence_set_error(&h->fences[fence]->base, -ECANCELED);
	mock_signal(h->fences[fence]);
	h->model.fences[fence].done = true;
}

static void do_signal_foreign(struct history *h, int fence, const u16 *who)
{
	history_say(h, "signal foreign");
	signal(h, fence);
}

static void do_signal_some(struct history *h, int channel, const u16 *who)
{
	int fence, count = who[0] % 8 ? 1 + who[1] % 4 : INT_MAX;

	history_say(h, "signal on %d:", channel);
	for (fence = 0; fence < h->model.nr_fences && count; fence++) {
		if (h->model.fences[fence].channel != channel ||
		    h->model.fences[fence].done)
			continue;
		signal(h, fence);
		count--;
	}
}

static struct ttm_fence_lru_link *no_link(struct ttm_fence_lru_bo *bo,
					  gfp_t gfp)
{
	return NULL;
}

/* Now and then there is no memory for what comes. */
static bool take_memory(struct history *h, u16 who)
{
	if (who % 8)
		return false;
	history_say(h, "without memory, ");
	kunit_activate_static_stub(h->test, ttm_fence_lru_link_alloc, no_link);
	return true;
}

static void do_put(struct history *h, int bo, const u16 *who)
{
	bool no_memory = take_memory(h, who[0]);

	history_say(h, "put %c", model_name(bo));
	mock_bo_put(h->bos[bo]);
	if (no_memory)
		kunit_deactivate_static_stub(h->test, ttm_fence_lru_link_alloc);
	model_put(&h->model, bo, no_memory);
}

static void do_leave(struct history *h, int bo, const u16 *who)
{
	bool no_memory = take_memory(h, who[0]);

	history_say(h, "%c leaves its group", model_name(bo));
	history_compare_numbers(h, "left", !mock_group_leave(h->bos[bo]),
				model_leave(&h->model, bo, no_memory));
	if (no_memory)
		kunit_deactivate_static_stub(h->test, ttm_fence_lru_link_alloc);
}

static void do_join(struct history *h, int bo, const u16 *who)
{
	int group = choose(h, is_alive, MODEL_BOS, MODEL_OWNERS, who[0]);

	if (group == MODEL_NONE)
		return;
	history_say(h, "%c joins group %d", model_name(bo), group - MODEL_BOS);
	mock_group_join(h->groups[group - MODEL_BOS], h->bos[bo]);
	model_join(&h->model, group, bo);
}

static void do_group_create(struct history *h, int group, const u16 *who)
{
	history_say(h, "create group %d", group - MODEL_BOS);
	h->groups[group - MODEL_BOS] = mock_group_create(h->dev);
	model_create(&h->model, group);
}

static void do_group_end(struct history *h, int group, const u16 *who)
{
	history_say(h, "end group %d", group - MODEL_BOS);
	mock_group_destroy(h->groups[group - MODEL_BOS]);
	h->model.owners[group] = (struct model_owner){};
}

/* Somebody takes a buffer's lock, or lets it go. */
static void do_toggle_lock(struct history *h, int bo, const u16 *who)
{
	h->bos[bo]->locked = !h->bos[bo]->locked;
	h->model.owners[bo].locked = h->bos[bo]->locked;
	history_say(h, "%s %c", h->bos[bo]->locked ? "lock" : "unlock",
		    model_name(bo));
}

static void do_kill(struct history *h, int channel, const u16 *who)
{
	history_say(h, "kill %d", channel);
	ttm_fence_lru_channel_kill(&h->channels[channel]->base);
	h->model.channels[channel].killed = true;
}

static void do_unregister(struct history *h, int channel, const u16 *who)
{
	history_say(h, "unregister %d", channel);
	mock_channel_unregister(h->channels[channel]);
	model_unregister(&h->model, channel);
}

static void do_register_again(struct history *h, int channel, const u16 *who)
{
	history_say(h, "register %d", channel);
	mock_channel_register(h->channels[channel]);
	model_register(&h->model, channel);
}

/* What is done, how often in the sum of all, and to whom. */
static const struct {
	void (*do_it)(struct history *h, int number, const u16 *who);
	unsigned int weight;
	int from, to;
	history_fits fits;
} ops[] = {
	{ do_create, 20, 0, MODEL_BOS, is_gone },
	{ do_submit, 30, 0, MODEL_CHANNELS, is_usable },
	{ do_submit_foreign, 3, 0, MODEL_CHANNELS, NULL },
	{ do_use_again, 6, 0, MODEL_FENCES, is_recent },
	{ do_signal_some, 27, 0, MODEL_CHANNELS, NULL },
	{ do_signal_foreign, 3, 0, MODEL_FENCES, is_pending_foreign },
	{ do_put, 18, 0, MODEL_BOS, is_alive },
	{ do_leave, 2, 0, MODEL_BOS, is_member },
	{ do_join, 6, 0, MODEL_BOS, is_single },
	{ do_group_create, 2, MODEL_BOS, MODEL_OWNERS, is_gone },
	{ do_group_end, 1, MODEL_BOS, MODEL_OWNERS, is_empty_group },
	{ do_toggle_lock, 4, 0, MODEL_BOS, exists },
	{ do_kill, 1, 0, MODEL_CHANNELS, is_usable },
	{ do_unregister, 1, 0, MODEL_CHANNELS, is_registered },
	{ do_register_again, 3, 0, MODEL_CHANNELS, is_unregistered },
	{ history_evict, 2, 0, MODEL_BOS, model_can_evict },
	{ history_reclaim, 12, 0, MODEL_TYPES, NULL },
	{ history_retire, 4, 0, MODEL_TYPES, NULL },
	{ history_shrink, 4, 0, MODEL_TYPES, NULL },
	{ history_drain, 2, 0, MODEL_TYPES, NULL },
	{ history_set_limit, 2, 0, MODEL_TYPES, NULL },
	{ history_trim, 4, 0, MODEL_TYPES, NULL },
	{ history_wait, 4, 0, MODEL_TYPES, NULL },
	{ history_wait_oldest, 3, 0, MODEL_TYPES, NULL },
	{ history_visit_busy, 3, 0, MODEL_TYPES, NULL },
};

/* When the numbers of fences and nodes run out nothing happens any more. */
void history_do(struct history *h, const struct history_step *step)
{
	unsigned int i, sum = 0, chosen;
	int number;

	if (h->model.nr_fences == MODEL_FENCES ||
	    h->model.nr_nodes == MODEL_NODES - 1)
		return;
	for (i = 0; i < ARRAY_SIZE(ops); i++)
		sum += ops[i].weight;
	chosen = step->op % sum;
	for (i = 0; chosen >= ops[i].weight; i++)
		chosen -= ops[i].weight;

	if (h->calm && ops[i].to == MODEL_TYPES && step->op / sum % 8)
		return;
	number = choose(h, ops[i].fits, ops[i].from, ops[i].to, step->who[0]);
	if (number != MODEL_NONE)
		ops[i].do_it(h, number, step->who + 1);
}
