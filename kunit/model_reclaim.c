// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The reference model: how memory is released.
 */
#include <linux/kernel.h>

#include "model.h"

bool model_is_leftover(const struct model *m, int bo)
{
	int i;

	for (i = 0; i < m->nr_leftover; i++)
		if (m->leftover[i] == bo)
			return true;
	return false;
}

static bool all_signaled(struct model *m, int bo)
{
	struct model_owner *o = &m->owners[bo];
	bool all = true;
	int i;

	for (i = 0; i < o->nr_resv; i++) {
		if (model_signaled(m, o->resv[i]))
			continue;
		model_arm(m, o->resv[i]);
		all = false;
	}
	return all;
}

void model_clean(struct model *m, int bo)
{
	m->owners[bo].cleaned = true;
	model_append_name(m->cleaned, model_name(bo));
	model_unplace(m, bo);
}

/* False if it must wait on the leftover list. */
static bool try_clean(struct model *m, int bo)
{
	struct model_owner *o = &m->owners[bo];

	if (!o->locked && all_signaled(m, bo)) {
		if (!o->cleaned)
			model_clean(m, bo);
		return true;
	}
	if (!o->cleaned)
		model_place(m, bo);
	model_append(m->leftover, &m->nr_leftover, bo);
	return false;
}

static void destroy(struct model *m, int bo, enum model_site site)
{
	if (m->owners[bo].import && site != MODEL_DRAIN) {
		model_append(m->leftover, &m->nr_leftover, bo);
		return;
	}
	model_append_name(m->destroyed, model_name(bo));
	m->owners[bo].life = MODEL_GONE;
}

/* What one reclaim is for, and what it has collected. */
struct goal {
	enum model_site site;
	int type;
	u64 target;
	u64 released;
	u64 pass;
	u64 collected;
	unsigned int room;
	unsigned int heads;
	int corpses[MODEL_OWNERS * MODEL_CHANNELS];
	bool last[MODEL_OWNERS * MODEL_CHANNELS];
	int nr;
};

static u64 worth(struct model *m, struct goal *goal, int bo)
{
	struct model_owner *o = &m->owners[bo];

	if (o->cleaned ||
	    (goal->type != MODEL_ANY_TYPE && goal->type != o->type))
		return 0;
	return o->bytes;
}

static bool is_full(struct goal *goal)
{
	return !goal->room || !goal->heads ||
	       goal->released + goal->collected >= goal->target;
}

/* First the memory of all, then the buffers. */
static void release_corpses(struct model *m, struct goal *goal)
{
	bool cleaned[MODEL_OWNERS * MODEL_CHANNELS] = {};
	u64 bytes;
	int i;

	for (i = 0; i < goal->nr; i++) {
		if (!goal->last[i])
			continue;
		bytes = worth(m, goal, goal->corpses[i]);
		cleaned[i] = try_clean(m, goal->corpses[i]);
		if (cleaned[i])
			goal->released += bytes;
	}
	for (i = 0; i < goal->nr; i++)
		if (cleaned[i])
			destroy(m, goal->corpses[i], goal->site);
	goal->nr = 0;
	goal->collected = 0;
}

static void try_leftovers(struct model *m, struct goal *goal, int budget)
{
	u64 bytes;
	int bo;

	for (budget = min(budget, m->nr_leftover);
	     budget && goal->released < goal->target; budget--) {
		bo = m->leftover[0];
		model_remove(m->leftover, &m->nr_leftover, bo);
		bytes = worth(m, goal, bo);
		if (!try_clean(m, bo))
			continue;
		goal->released += bytes;
		destroy(m, bo, goal->site);
	}
}

/* Retiring. */

static void retire(struct model *m, int node, struct goal *goal)
{
	int o, channel = m->nodes[node].channel;

	while ((o = model_next_on_node(m, node, false, 0)) != MODEL_NONE)
		model_unlink(m, o, channel);

	while (!is_full(goal) &&
	       (o = model_next_on_node(m, node, true, 0)) != MODEL_NONE) {
		goal->corpses[goal->nr] = o;
		goal->last[goal->nr] = model_unlink(m, o, channel);
		if (goal->last[goal->nr++])
			goal->collected += worth(m, goal, o);
		goal->room--;
	}
}

static int sample_head(struct model *m, int channel, enum model_site site)
{
	int node = model_first_node(m, channel);

	if (node == MODEL_NONE || !m->channels[channel].registered)
		return MODEL_NONE;
	if (node <= m->channels[channel].settled ||
	    model_signaled(m, m->nodes[node].fence))
		return node;
	if (site != MODEL_SHRINK)
		m->armed += model_arm(m, m->nodes[node].fence);
	return MODEL_NONE;
}

void model_sample_last(struct model *m, int channel)
{
	int node = model_last_node(m, channel);

	if (node != MODEL_NONE && model_signaled(m, m->nodes[node].fence))
		m->channels[channel].settled = node;
}

/* Look at all channels. */
static void begin_pass(struct model *m, struct goal *goal)
{
	int c;

	for (c = 0; c < MODEL_CHANNELS; c++) {
		m->heads[c] = sample_head(m, c, goal->site);
		if (m->heads[c] != MODEL_NONE)
			model_sample_last(m, c);
	}
	m->pass = ++m->passes;
	goal->pass = m->pass;
}

/* The signaled prefixes of all channels, in the order of emission. */
static bool merge(struct model *m, struct goal *goal)
{
	int *heads = m->heads, c, first;

	for (;;) {
		first = MODEL_NONE;
		for (c = 0; c < MODEL_CHANNELS; c++)
			if (heads[c] != MODEL_NONE &&
			    (first == MODEL_NONE || heads[c] < heads[first]))
				first = c;
		if (first == MODEL_NONE)
			return true;

		/* Somebody may have been there since it was seen. */
		if (heads[first] == model_first_node(m, first))
			retire(m, heads[first], goal);
		goal->heads--;
		if (is_full(goal))
			return false;
		heads[first] = sample_head(m, first, goal->site);
	}
}

void model_forget_pass(struct model *m)
{
	int c;

	m->pass = 0;
	for (c = 0; c < MODEL_CHANNELS; c++)
		m->heads[c] = MODEL_NONE;
}

static bool reclaim_step(struct model *m, struct goal *goal,
			 unsigned int budget)
{
	bool complete;

	goal->room = min(budget, MODEL_BATCH);
	goal->heads = UINT_MAX;
	complete = goal->pass && goal->pass == m->pass ? merge(m, goal) : true;
	if (complete) {
		begin_pass(m, goal);
		complete = merge(m, goal);
	}
	release_corpses(m, goal);
	return complete;
}

bool model_reclaim(struct model *m, unsigned int budget, u64 *released,
		   u64 *pass)
{
	struct goal goal = { .site = MODEL_RECLAIM,
			     .type = MODEL_ANY_TYPE,
			     .target = U64_MAX,
			     .pass = *pass };
	bool complete = reclaim_step(m, &goal, budget);

	if (complete)
		try_leftovers(m, &goal, budget);
	*released = goal.released;
	*pass = goal.pass;
	return complete;
}

u64 model_shrink(struct model *m, int type, u64 target)
{
	struct goal goal = { .site = MODEL_SHRINK,
			     .type = type,
			     .target = target };

	while (goal.released < target && !reclaim_step(m, &goal, MODEL_BATCH))
		;
	try_leftovers(m, &goal, MODEL_BATCH);
	return goal.released;
}

unsigned int model_drain(struct model *m)
{
	struct goal goal = { .site = MODEL_DRAIN,
			     .type = MODEL_ANY_TYPE,
			     .target = U64_MAX };
	unsigned int zombies = 0;
	int bo;

	while (!reclaim_step(m, &goal, MODEL_BATCH))
		;
	try_leftovers(m, &goal, INT_MAX);

	for (bo = 0; bo < MODEL_BOS; bo++)
		zombies += m->owners[bo].life == MODEL_DEAD &&
			   !m->owners[bo].cleaned;
	return max_t(unsigned int, zombies, m->nr_leftover);
}

u64 model_poll(struct model *m, unsigned int budget)
{
	struct goal goal = { .site = MODEL_DRAIN,
			     .type = MODEL_ANY_TYPE,
			     .target = U64_MAX };

	try_leftovers(m, &goal, budget);
	return goal.released;
}

void model_set_limit(struct model *m, int type, u64 bytes)
{
	if (type == MODEL_ANY_TYPE)
		m->limit = bytes;
	else
		m->limits[type] = bytes;
}

/* The dead hold more than they may, of a type or in all. */
static bool is_over(struct model *m, int type)
{
	u64 of_type = 0, all = 0;
	int bo;

	for (bo = 0; bo < MODEL_BOS; bo++) {
		if (m->owners[bo].life != MODEL_DEAD || m->owners[bo].cleaned)
			continue;
		all += m->owners[bo].bytes;
		of_type += m->owners[bo].type == type ? m->owners[bo].bytes : 0;
	}
	return all > m->limit || of_type > m->limits[type];
}

/* There are too few channels for a look at all of them to cost much. */
static void trim_some(struct model *m, enum model_site site)
{
	struct goal goal = { .site = site,
			     .type = MODEL_ANY_TYPE,
			     .target = U64_MAX,
			     .room = MODEL_TRIM_ZOMBIES,
			     .heads = MODEL_TRIM_HEADS };
	bool left = false;
	int c;

	for (c = 0; c < MODEL_CHANNELS; c++)
		left |= m->heads[c] != MODEL_NONE;
	if (!left)
		begin_pass(m, &goal);
	merge(m, &goal);
	release_corpses(m, &goal);
	try_leftovers(m, &goal, MODEL_TRIM_ZOMBIES);
}

void model_trim(struct model *m)
{
	bool over = false;
	int type;

	for (type = 0; type < MODEL_TYPES; type++)
		over |= is_over(m, type);
	if (over)
		trim_some(m, MODEL_DRAIN);
	else
		model_poll(m, MODEL_TRIM_ZOMBIES);
}

/* Its fence has signaled: one link less. Else it is a zombie's. True as model_unlink(). */
static bool leave_or_bury(struct model *m, int bo, int channel)
{
	struct model_use *use = &m->owners[bo].at[channel];
	int fence = m->nodes[use->node].fence;

	if (model_signaled(m, fence))
		return model_unlink(m, bo, channel);

	use->zombie = true;
	use->stamp = m->stamp++;
	m->armed += model_arm(m, fence);
	return false;
}

/* The last put. Without memory, a member of a group cannot have links of its own. */
void model_put(struct model *m, int bo, bool no_memory)
{
	struct model_owner *o = &m->owners[bo];
	int c;

	if (o->group != MODEL_NONE)
		model_leave(m, bo, no_memory);

	o->life = MODEL_DEAD;
	for (c = 0; c < MODEL_CHANNELS; c++)
		if (o->at[c].node != MODEL_NONE)
			leave_or_bury(m, bo, c);

	if (model_nr_links(m, bo))
		m->deferred++;
	else if (try_clean(m, bo))
		destroy(m, bo, MODEL_RELEASE);
	else
		m->deferred++;

	if (is_over(m, o->type))
		trim_some(m, MODEL_RELEASE);
}

void model_unregister(struct model *m, int channel)
{
	struct goal goal = { .site = MODEL_DRAIN,
			     .type = MODEL_ANY_TYPE,
			     .target = U64_MAX };
	int node;

	while ((node = model_first_node(m, channel)) != MODEL_NONE) {
		goal.room = MODEL_BATCH;
		goal.heads = UINT_MAX;
		retire(m, node, &goal);
		release_corpses(m, &goal);
	}
	m->channels[channel].registered = false;
	model_forget_pass(m);
}
