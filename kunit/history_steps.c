// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The steps of a history: each does the same to the engine and to the model.
 */
#include <kunit/static_stub.h>

#include "../ttm_fence_lru/internal.h"
#include "history.h"

static bool is_pending(struct history *h, int fence)
{
	return !h->model.fences[fence].done;
}

static void do_create(struct history *h, const u16 *who)
{
	int bo = history_choose_bo(h, history_is_gone, who[0]);
	bool import = who[1] % 8 == 0;
	u32 bytes = (1 + who[2] % 8) * 4096;
	int type = who[3] % MODEL_TYPES;

	if (bo == MODEL_NONE)
		return;
	history_say(h, "create %c, type %d, %u bytes%s", model_name(bo), type,
		    bytes, import ? ", import" : "");
	h->bos[bo] = mock_bo_create(h->dev, model_name(bo));
	h->bos[bo]->import = import;
	h->bos[bo]->bytes = bytes;
	h->bos[bo]->type = type;
	model_create(&h->model, bo, type, bytes, import);
}

/* MODEL_NONE: a fence of no channel. */
static int do_emit(struct history *h, int channel)
{
	struct mock_fence *fence;
	bool silent = false;
	int number;

	if (h->model.nr_fences == MODEL_FENCES)
		return MODEL_NONE;

	if (channel == MODEL_NONE) {
		fence = mock_fence_create(h->dev, dma_fence_context_alloc(1),
					  1);
	} else {
		silent = h->model.channels[channel].silent;
		fence = silent ? mock_emit_silent(h->channels[channel]) :
				 mock_emit(h->channels[channel]);
	}
	number = model_emit(&h->model, channel, silent);
	h->fences[number] = fence;
	return number;
}

/* A member is used together with all of its group. */
static void do_use(struct history *h, int bo, int fence)
{
	int group = h->model.owners[bo].group;

	if (group == MODEL_NONE) {
		history_say(h, " %c", model_name(bo));
		mock_bo_use(h->bos[bo], h->fences[fence]);
		model_use(&h->model, bo, fence);
	} else {
		history_say(h, " group %d", group - MODEL_BOS);
		mock_group_use(h->groups[group - MODEL_BOS], h->fences[fence]);
		model_use(&h->model, group, fence);
	}
}

static void do_use_some(struct history *h, int fence, const u16 *who)
{
	int i, bo;

	history_say(h, ":");
	for (i = 0; i < 1 + who[0] % 3; i++) {
		bo = history_choose_bo(h, history_is_alive, who[1 + i]);
		if (bo != MODEL_NONE)
			do_use(h, bo, fence);
	}
}

static void do_submit(struct history *h, const u16 *who)
{
	int channel = history_choose_channel(h, history_is_usable, who[0]);
	int fence;

	if (channel == MODEL_NONE)
		return;
	fence = do_emit(h, channel);
	if (fence == MODEL_NONE)
		return;
	history_say(h, "submit on %d: fence %d", channel, fence);
	do_use_some(h, fence, who + 1);
}

/* A fence that is there already: copied, or of a job that used more than it said. */
static void do_use_again(struct history *h, const u16 *who)
{
	int back = 1 + who[0] % 12, fence = h->model.nr_fences - back;
	int channel;

	if (fence < 0)
		return;
	channel = h->model.fences[fence].channel;
	if (channel != MODEL_NONE && h->channels[channel]->registered)
		mock_channel_reserve(h->channels[channel]);
	history_say(h, "use again fence %d", fence);
	do_use_some(h, fence, who + 1);
}

static void do_use_foreign(struct history *h, const u16 *who)
{
	int fence = do_emit(h, MODEL_NONE);

	if (fence == MODEL_NONE)
		return;
	history_say(h, "use foreign fence %d", fence);
	do_use_some(h, fence, who + 1);
}

static void do_signal(struct history *h, int fence)
{
	int channel = h->model.fences[fence].channel;

	history_say(h, " %d", fence);
	if (channel != MODEL_NONE && h->model.channels[channel].killed)
		dma_fence_set_error(&h->fences[fence]->base, -ECANCELED);
	mock_signal(h->fences[fence]);
	model_signal(&h->model, fence);
}

static void do_signal_some(struct history *h, int channel, int count)
{
	int fence;

	history_say(h, "signal on %d:", channel);
	for (fence = 0; fence < h->model.nr_fences && count; fence++) {
		if (h->model.fences[fence].channel != channel ||
		    !is_pending(h, fence))
			continue;
		do_signal(h, fence);
		count--;
	}
}

static void do_signal_next(struct history *h, const u16 *who)
{
	do_signal_some(h, who[0] % MODEL_CHANNELS, 1 + who[1] % 4);
}

static void do_signal_all(struct history *h, const u16 *who)
{
	do_signal_some(h, who[0] % MODEL_CHANNELS, INT_MAX);
}

static bool is_pending_foreign(struct history *h, int fence)
{
	return is_pending(h, fence) &&
	       h->model.fences[fence].channel == MODEL_NONE;
}

static void do_signal_foreign(struct history *h, const u16 *who)
{
	int fence = history_choose(h, is_pending_foreign, 0, h->model.nr_fences,
				   who[0]);

	if (fence == MODEL_NONE)
		return;
	history_say(h, "signal foreign");
	do_signal(h, fence);
}

static struct ttm_fence_lru_link *no_link(struct ttm_fence_lru_bo *bo,
					  gfp_t gfp)
{
	return NULL;
}

static void take_memory(struct history *h)
{
	kunit_activate_static_stub(h->test, ttm_fence_lru_link_alloc, no_link);
}

static void give_memory(struct history *h)
{
	kunit_deactivate_static_stub(h->test, ttm_fence_lru_link_alloc);
}

static void do_put(struct history *h, const u16 *who)
{
	int bo = history_choose_bo(h, history_is_alive, who[0]);
	bool no_memory = who[1] % 8 == 0;

	if (bo == MODEL_NONE)
		return;
	history_say(h, "put %c%s", model_name(bo),
		    no_memory ? " without memory" : "");
	if (no_memory)
		take_memory(h);
	mock_bo_put(h->bos[bo]);
	if (no_memory)
		give_memory(h);
	model_put(&h->model, bo, no_memory);
}

static void do_kill(struct history *h, const u16 *who)
{
	int channel = history_choose_channel(h, history_is_usable, who[0]);

	if (channel == MODEL_NONE)
		return;
	history_say(h, "kill %d", channel);
	ttm_fence_lru_channel_kill(&h->channels[channel]->base);
	model_kill(&h->model, channel);
}

static void do_unregister(struct history *h, const u16 *who)
{
	int channel = history_choose_channel(h, history_is_registered, who[0]);

	if (channel == MODEL_NONE)
		return;
	history_say(h, "unregister %d", channel);
	mock_channel_unregister(h->channels[channel]);
	model_unregister(&h->model, channel);
}

static void do_register_again(struct history *h, const u16 *who)
{
	int channel =
		history_choose_channel(h, history_is_unregistered, who[0]);

	if (channel == MODEL_NONE)
		return;
	history_say(h, "register %d", channel);
	mock_channel_register(h->channels[channel]);
	model_register(&h->model, channel);
}

/* Somebody takes a buffer's lock, or lets it go. */
static void do_toggle_lock(struct history *h, const u16 *who)
{
	int bo = history_choose_bo(h, history_exists, who[0]);

	if (bo == MODEL_NONE)
		return;
	h->bos[bo]->locked = !h->bos[bo]->locked;
	h->model.owners[bo].locked = h->bos[bo]->locked;
	history_say(h, "%s %c", h->bos[bo]->locked ? "lock" : "unlock",
		    model_name(bo));
}

static void do_group_create(struct history *h, const u16 *who)
{
	int group = history_choose_group(h, history_is_gone, who[0]);

	if (group == MODEL_NONE)
		return;
	history_say(h, "create group %d", group - MODEL_BOS);
	h->groups[group - MODEL_BOS] = mock_group_create(h->dev);
	model_group_create(&h->model, group);
}

static void do_group_end(struct history *h, const u16 *who)
{
	int group = history_choose_group(h, history_is_empty_group, who[0]);

	if (group == MODEL_NONE)
		return;
	history_say(h, "end group %d", group - MODEL_BOS);
	mock_group_destroy(h->groups[group - MODEL_BOS]);
	model_group_end(&h->model, group);
}

static void do_join(struct history *h, const u16 *who)
{
	int group = history_choose_group(h, history_is_alive, who[0]);
	int bo = history_choose_bo(h, history_is_single, who[1]);

	if (group == MODEL_NONE || bo == MODEL_NONE)
		return;
	history_say(h, "%c joins group %d", model_name(bo), group - MODEL_BOS);
	mock_group_join(h->groups[group - MODEL_BOS], h->bos[bo]);
	model_join(&h->model, group, bo);
}

static void do_leave(struct history *h, const u16 *who)
{
	int bo = history_choose_bo(h, history_is_member, who[0]);
	bool no_memory = who[1] % 4 == 0;
	int ret;

	if (bo == MODEL_NONE)
		return;
	history_say(h, "%c leaves its group%s", model_name(bo),
		    no_memory ? " without memory" : "");
	if (no_memory)
		take_memory(h);
	ret = mock_group_leave(h->bos[bo]);
	if (no_memory)
		give_memory(h);
	history_compare_results(h, !ret, model_leave(&h->model, bo, no_memory));
}

/* How often each is done: so many in the sum of all. */
static const struct {
	void (*do_it)(struct history *h, const u16 *who);
	unsigned int weight;
} ops[] = {
	{ do_create, 20 },	  { do_submit, 30 },
	{ do_use_again, 6 },	  { do_use_foreign, 3 },
	{ do_signal_next, 24 },	  { do_signal_all, 3 },
	{ do_signal_foreign, 3 }, { do_put, 18 },
	{ history_reclaim, 12 },  { history_shrink, 4 },
	{ history_drain, 2 },	  { history_poll, 3 },
	{ do_kill, 1 },		  { do_unregister, 1 },
	{ do_register_again, 3 }, { do_toggle_lock, 4 },
	{ do_group_create, 2 },	  { do_group_end, 1 },
	{ do_join, 6 },		  { do_leave, 2 },
	{ history_evict, 2 },	  { history_look, 3 },
	{ history_stall, 1 },	  { history_set_limit, 2 },
	{ history_trim, 3 },	  { history_visit_busy, 3 },
};

void history_do(struct history *h, const struct history_step *step)
{
	unsigned int i, sum = 0, chosen;

	for (i = 0; i < ARRAY_SIZE(ops); i++)
		sum += ops[i].weight;
	chosen = step->op % sum;
	for (i = 0; chosen >= ops[i].weight; i++)
		chosen -= ops[i].weight;
	ops[i].do_it(h, step->who);
}
