// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The reference model: what leaves the channels, and what is busy.
 */
#include <linux/kernel.h>

#include "model.h"

/* Channels that got their first link are looked at last. */
static void activate(struct model *m)
{
	unsigned int after = 0;
	int c;

	while ((c = model_next(m, MODEL_JOINED, 0, &after)) != MODEL_NONE) {
		m->channels[c].joined = 0;
		m->channels[c].active = ++m->time;
	}
}

static int last_node(const struct model *m, int channel)
{
	int node, last = 0;

	while ((node = model_next_node(m, channel, last)))
		last = node;
	return last;
}

/* Look whether a node has signaled. */
static bool sample(struct model *m, int node, bool arm)
{
	struct model_channel *c = &m->channels[m->nodes[node].channel];

	if (!node || node <= c->settled)
		return node;
	if (arm)
		m->armed += model_arm(m, m->nodes[node].fence);
	if (!model_signaled(m, m->nodes[node].fence))
		return false;
	c->settled = node;
	c->waited = false;
	return true;
}

/* All of a list leave the channel: alive they become idle, dead they become ripe. */
static void leave(struct model *m, enum model_state state, int node)
{
	int o, channel = m->nodes[node].channel;
	unsigned int after = 0;

	while ((o = model_next(m, state, node, &after)) != MODEL_NONE) {
		m->owners[o].at[channel].node = 0;
		m->owners[o].last_node = max(m->owners[o].last_node, node);
		if (model_nr_links(m, o))
			continue;
		if (state == MODEL_ALIVE) {
			model_place(m, o);
		} else {
			m->owners[o].state = MODEL_RIPE;
			m->owners[o].since = ++m->time;
		}
	}
}

static void retire_node(struct model *m, int node)
{
	leave(m, MODEL_ALIVE, node);
	leave(m, MODEL_BURIED, node);
}

/* The signaled prefixes of all channels, in the order of emission. */
void model_retire(struct model *m, bool arm)
{
	bool goes_on[MODEL_CHANNELS] = {};
	unsigned int after = 0;
	int c, node;

	activate(m);
	while ((c = model_next(m, MODEL_ACTIVE, 0, &after)) != MODEL_NONE) {
		node = model_next_node(m, c, 0);
		if (!node)
			m->channels[c].active = 0;
		goes_on[c] = sample(m, node, arm);
		if (goes_on[c])
			sample(m, last_node(m, c), false);
	}

	for (node = 1; node <= m->nr_nodes; node++) {
		c = m->nodes[node].channel;
		if (!goes_on[c] || node != model_next_node(m, c, 0))
			continue;
		retire_node(m, node);
		goes_on[c] = sample(m, model_next_node(m, c, 0), arm);
	}
}

/* The zombies of some signaled nodes. */
static void sweep_channel(struct model *m, int channel)
{
	struct model_channel *c = &m->channels[channel];
	int i, node;

	for (i = 0; i < MODEL_SWEEP_NODES; i++) {
		node = model_next_node(m, channel, c->swept);
		if (!sample(m, node, false))
			return;
		leave(m, MODEL_BURIED, node);
		c->swept = node;
	}
}

void model_sweep(struct model *m)
{
	int i, c, first = MODEL_NONE;
	unsigned int after;

	activate(m);
	for (i = 0; i < MODEL_SWEEP_CHANNELS; i++) {
		after = 0;
		c = model_next(m, MODEL_ACTIVE, 0, &after);
		if (c == MODEL_NONE || c == first)
			return;
		sweep_channel(m, c);
		m->channels[c].active = model_next_node(m, c, 0) ? ++m->time :
								   0;
		if (first == MODEL_NONE && m->channels[c].active)
			first = c;
	}
}

void model_unregister(struct model *m, int channel)
{
	int node;

	activate(m);
	while ((node = model_next_node(m, channel, 0)))
		retire_node(m, node);
	m->channels[channel].registered = false;
	m->channels[channel].active = 0;
}

/* Zombies of a type on a channel, or buffers and groups of any kind. */
static bool holds(const struct model *m, int channel, int type)
{
	const struct model_owner *o;
	int i;

	for (i = 0; i < MODEL_OWNERS; i++) {
		o = &m->owners[i];
		if (o->at[channel].node &&
		    (type == MODEL_ANY_TYPE ||
		     (model_is_dead(m, i) && o->type == type)))
			return true;
	}
	return false;
}

/* Somebody without patience leaves out what was waited for and did not go on. */
static bool is_late(struct model *m, int channel, bool patient)
{
	struct model_channel *c = &m->channels[channel];

	if (!c->waited || patient)
		return false;
	c->waited = !model_signaled(m, c->waited_for);
	return c->waited;
}

/* The first fence of the channel is what somebody waits for, unless somebody does already. */
void model_note_wait(struct model *m, int channel)
{
	struct model_channel *c = &m->channels[channel];

	if (!c->waited)
		c->waited_for = m->nodes[model_next_node(m, channel, 0)].fence;
	c->waited = true;
}

int model_frontiers(struct model *m, struct model_due *due, int *fences,
		    int max)
{
	unsigned int after = 0;
	int c, node, count = 0;

	activate(m);
	while (count < max &&
	       (c = model_next(m, MODEL_ACTIVE, 0, &after)) != MODEL_NONE) {
		node = model_next_node(m, c, 0);
		if (!holds(m, c, due->type) || is_late(m, c, due->patient) ||
		    node > due->last_node)
			continue;
		fences[count] = m->nodes[node].fence;
		model_note_wait(m, c);
		count++;
	}
	return count;
}

/* Whether no node of the owner comes after this one. */
static bool is_last_use(const struct model *m, int owner, int node)
{
	int c;

	for (c = 0; c < MODEL_CHANNELS; c++)
		if (m->owners[owner].at[c].node > node)
			return false;
	return true;
}

/* Those alive, by their last nodes. */
void model_visit_busy(struct model *m, bool patient, char *names)
{
	unsigned int after = 0;
	int node = 0, o, c;

	*names = 0;
	activate(m);
	while ((c = model_next(m, MODEL_ACTIVE, 0, &after)) != MODEL_NONE)
		is_late(m, c, patient);
	while ((node = model_next_node(m, MODEL_NONE, node))) {
		if (m->channels[m->nodes[node].channel].waited && !patient)
			continue;
		after = 0;
		while ((o = model_next(m, MODEL_ALIVE, node, &after)) !=
		       MODEL_NONE)
			if (is_last_use(m, o, node))
				model_append_name(names, model_name(o));
	}
}

/* Whether it is the last use of one. */
static bool has_zombie(const struct model *m, int node, int type)
{
	unsigned int after = 0;
	int o;

	while ((o = model_next(m, MODEL_BURIED, node, &after)) != MODEL_NONE)
		if (m->owners[o].type == type && is_last_use(m, o, node))
			return true;
	return false;
}

/* The first of each channel's nodes with a zombie; of those, the first behind @after. */
int model_oldest_zombie(struct model *m, int type, bool patient, int after)
{
	int c, node, oldest = 0;
	unsigned int turn = 0;

	activate(m);
	while ((c = model_next(m, MODEL_ACTIVE, 0, &turn)) != MODEL_NONE) {
		if (!holds(m, c, type) || is_late(m, c, patient))
			continue;
		node = model_next_node(m, c, 0);
		while (node && !has_zombie(m, node, type))
			node = model_next_node(m, c, node);
		if (node > after && (!oldest || node < oldest))
			oldest = node;
	}
	return oldest;
}
