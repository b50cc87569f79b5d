// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The reference model: what becomes of the dead.
 */
#include <linux/kernel.h>

#include "model.h"

/* Leftovers stand on the LRU, while they hold memory. */
static void leave_over(struct model *m, int bo, enum model_state state)
{
	m->owners[bo].state = state;
	m->owners[bo].since = ++m->time;
	if (!m->owners[bo].cleaned)
		model_place(m, bo);
}

static void block(struct model *m, int bo, int fence)
{
	int type = m->owners[bo].type;
	unsigned int after = 0;

	if (model_next(m, MODEL_BLOCKED, model_behind(fence, type), &after) ==
	    MODEL_NONE)
		m->fences[fence].since[type] = ++m->time;
	m->owners[bo].blocker = fence;
	leave_over(m, bo, MODEL_BLOCKED);
}

/* All that wait for a fence are ripe, if it has signaled. */
static void test_fence(struct model *m, int fence, int type)
{
	unsigned int after = 0;
	int bo;

	m->fences[fence].since[type] = ++m->time;
	if (!model_signaled(m, fence))
		return;
	while ((bo = model_next(m, MODEL_BLOCKED, model_behind(fence, type),
				&after)) != MODEL_NONE) {
		m->owners[bo].state = MODEL_RIPE;
		m->owners[bo].since = ++m->time;
	}
}

/* Some blockers are tested once, those first that were tested longest ago. */
static void test_blocked(struct model *m, int type, int max)
{
	unsigned int after = 0, now = m->time;
	int bo;

	while (max-- &&
	       (bo = model_next(m, MODEL_BLOCKERS, type, &after)) !=
		       MODEL_NONE &&
	       after <= now)
		test_fence(m, m->owners[bo].blocker, type);
}

static void clean(struct model *m, int bo)
{
	m->owners[bo].cleaned = true;
	m->owners[bo].placed = 0;
	model_append_name(m->cleaned, model_name(bo));
}

/* An import is destroyed only in a drain. */
static void destroy(struct model *m, int bo, bool drain)
{
	if (m->owners[bo].import && !drain) {
		leave_over(m, bo, MODEL_LOCKED);
		return;
	}
	model_append_name(m->destroyed, model_name(bo));
	m->owners[bo] = (struct model_owner){};
}

/* The first of the owner's fences that has not signaled. All such are armed. */
static int find_blocker(struct model *m, int bo)
{
	struct model_owner *o = &m->owners[bo];
	int i, first = MODEL_NONE;

	for (i = 0; i < o->nr_resv; i++) {
		if (model_signaled(m, o->resv[i]))
			continue;
		if (first == MODEL_NONE)
			first = o->resv[i];
		model_arm(m, o->resv[i]);
	}
	return first;
}

/* What is tried to be released: where, and what came of it. */
struct attempt {
	bool drain;
	u64 target;
	bool refused;
	int cleaned;
	u64 bytes;
};

/* True if it holds no memory any more. One that is refused stands where it stood. */
static bool try_clean(struct model *m, int bo, struct attempt *try)
{
	struct model_owner *o = &m->owners[bo];
	int fence;

	if (o->refused && !o->locked && !try->drain)
		try->refused = true;
	if (try->refused)
		return false;
	if (o->locked) {
		leave_over(m, bo, MODEL_LOCKED);
		return false;
	}
	fence = find_blocker(m, bo);
	if (fence != MODEL_NONE) {
		block(m, bo, fence);
		return false;
	}
	if (!o->cleaned) {
		try->bytes += o->bytes;
		clean(m, bo);
	}
	return true;
}

/*
 * First the memory of a few, no more than are wanted, then the buffers. Returns how many
 * were tried.
 */
static int try_some(struct model *m, enum model_state state, int type, int max,
		    struct attempt *try)
{
	int bos[MODEL_BATCH], nr = 0, cleaned = 0, i;
	u64 bytes = try->bytes;
	unsigned int after = 0;

	max = min(max, MODEL_BATCH);
	for (; nr < max && bytes < try->target; nr++) {
		bos[nr] = model_next(m, state, type, &after);
		if (bos[nr] == MODEL_NONE)
			break;
		if (!m->owners[bos[nr]].cleaned)
			bytes += m->owners[bos[nr]].bytes;
	}
	for (i = 0; i < nr; i++)
		if (try_clean(m, bos[i], try))
			bos[cleaned++] = bos[i];
	for (i = 0; i < cleaned; i++)
		destroy(m, bos[i], try->drain);
	try->cleaned += cleaned;
	return nr;
}

static int count(const struct model *m, enum model_state state, int type)
{
	unsigned int after = 0;
	int nr = 0;

	while (model_next(m, state, type, &after) != MODEL_NONE)
		nr++;
	return nr;
}

/* Try each of a list once, up to so many of them, until there is enough. */
static void try_each(struct model *m, enum model_state state, int type, int max,
		     struct attempt *try)
{
	for (max = min(max, count(m, state, type));
	     max && try->bytes < try->target && !try->refused;)
		max -= try_some(m, state, type, max, try);
}

int model_reclaim(struct model *m, struct model_need *need)
{
	struct attempt try = { .target = U64_MAX };
	int tried;

	for (;;) {
		while (count(m, MODEL_RIPE, need->type) && !try.cleaned &&
		       !try.refused)
			try_some(m, MODEL_RIPE, need->type, MODEL_BATCH, &try);
		if (try.cleaned)
			return try.cleaned;

		if (need->step == MODEL_TO_RETIRE) {
			model_retire(m, true);
			need->step = MODEL_TO_UNBLOCK;
		} else if (need->step == MODEL_TO_UNBLOCK) {
			test_blocked(m, need->type, INT_MAX);
			need->locked = count(m, MODEL_LOCKED, need->type);
			need->step = MODEL_TO_UNLOCK;
		} else {
			if (!need->locked || try.refused)
				return 0;
			tried = try_some(m, MODEL_LOCKED, need->type,
					 need->locked, &try);
			need->locked -= tried ?: need->locked;
		}
	}
}

u64 model_shrink(struct model *m, int type, u64 target)
{
	struct attempt try = { .target = target };

	try_each(m, MODEL_RIPE, type, INT_MAX, &try);
	if (try.bytes < target && !try.refused) {
		model_retire(m, false);
		test_blocked(m, type, MODEL_TRIM_BLOCKERS);
		try_each(m, MODEL_RIPE, type, INT_MAX, &try);
		try_each(m, MODEL_LOCKED, type, MODEL_BATCH, &try);
	}
	return try.bytes;
}

/* Returns how many of the dead are left. */
int model_drain(struct model *m)
{
	struct attempt try = { .drain = true, .target = U64_MAX };
	int type, bo, left = 0;

	model_retire(m, true);
	for (type = 0; type < MODEL_TYPES; type++) {
		test_blocked(m, type, INT_MAX);
		try_each(m, MODEL_RIPE, type, INT_MAX, &try);
		try_each(m, MODEL_LOCKED, type, INT_MAX, &try);
	}
	for (bo = 0; bo < MODEL_BOS; bo++)
		left += model_is_dead(m, bo);
	return left;
}

/* Limits */

static u64 dead_bytes(const struct model *m, int type)
{
	u64 bytes = 0;
	int bo;

	for (bo = 0; bo < MODEL_BOS; bo++)
		if (model_is_dead(m, bo) && !m->owners[bo].cleaned &&
		    (type == MODEL_ANY_TYPE || m->owners[bo].type == type))
			bytes += m->owners[bo].bytes;
	return bytes;
}

static bool type_is_over(const struct model *m, int type)
{
	return dead_bytes(m, type) > m->limits[type];
}

static bool all_are_over(const struct model *m)
{
	return dead_bytes(m, MODEL_ANY_TYPE) > m->limit;
}

static void trim_type(struct model *m, int type, bool drain)
{
	struct attempt try = { .drain = drain, .target = U64_MAX };

	test_blocked(m, type, MODEL_TRIM_BLOCKERS);
	try_some(m, MODEL_RIPE, type, MODEL_BATCH, &try);
	try_each(m, MODEL_LOCKED, type, MODEL_BATCH, &try);
}

static void obey_limits(struct model *m, int type)
{
	bool over = type_is_over(m, type);

	if (!over && !all_are_over(m))
		return;
	model_sweep(m);
	if (!over)
		for (type = 0; type < MODEL_TYPES; type++)
			if (count(m, MODEL_RIPE, type))
				break;
	if (type < MODEL_TYPES)
		trim_type(m, type, false);
}

void model_trim(struct model *m)
{
	bool all = all_are_over(m), over = all;
	int type;

	for (type = 0; type < MODEL_TYPES; type++)
		over |= type_is_over(m, type);
	if (over)
		model_sweep(m);
	for (type = 0; type < MODEL_TYPES; type++)
		if (type_is_over(m, type) || count(m, MODEL_LOCKED, type) ||
		    count(m, MODEL_BLOCKERS, type) ||
		    (all && count(m, MODEL_RIPE, type)))
			trim_type(m, type, true);
}

/* The last put. Without memory, a member of a group cannot have links of its own. */
void model_put(struct model *m, int bo, bool no_memory)
{
	struct model_owner *o = &m->owners[bo];
	int c, fence, type = o->type;

	if (o->group)
		model_leave(m, bo, no_memory);

	o->state = MODEL_DYING;
	for (c = 0; c < MODEL_CHANNELS; c++) {
		fence = m->nodes[o->at[c].node].fence;
		if (!o->at[c].node)
			continue;
		m->armed += model_arm(m, fence);
		if (model_signaled(m, fence))
			o->at[c].node = 0;
		else
			o->at[c].since = ++m->time;
	}
	fence = model_nr_links(m, bo) ? MODEL_NONE : find_blocker(m, bo);
	if (model_nr_links(m, bo)) {
		o->state = MODEL_BURIED;
	} else if (fence != MODEL_NONE) {
		block(m, bo, fence);
	} else if (o->import || o->locked) {
		leave_over(m, bo, MODEL_LOCKED);
	} else {
		clean(m, bo);
		destroy(m, bo, true);
		return;
	}
	m->deferred++;
	m->peak_bytes = max(m->peak_bytes, dead_bytes(m, MODEL_ANY_TYPE));
	obey_limits(m, type);
}

/* A walk of the LRU may release the memory of a dead buffer that stands there. */
bool model_can_evict(const struct model *m, int bo)
{
	const struct model_owner *o = &m->owners[bo];
	int i;

	for (i = 0; i < o->nr_resv; i++)
		if (!model_signaled(m, o->resv[i]))
			return false;
	return model_is_dead(m, bo) && o->placed && !o->locked;
}

/* Its reference passes to the task that does it. */
void model_evict(struct model *m, int bo)
{
	clean(m, bo);
	destroy(m, bo, false);
}
