// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The reference model: what the engine must do, said as plainly as can be.
 */
#include <linux/kernel.h>
#include <linux/string.h>

#include "model.h"

void model_append_name(char *names, char name)
{
	size_t length = strlen(names);

	if (length < MODEL_NAMES - 1) {
		names[length] = name;
		names[length + 1] = 0;
	}
}

void model_append(int *list, int *nr, int item)
{
	list[(*nr)++] = item;
}

bool model_remove(int *list, int *nr, int item)
{
	int i;

	for (i = 0; i < *nr && list[i] != item; i++)
		;
	if (i == *nr)
		return false;
	for ((*nr)--; i < *nr; i++)
		list[i] = list[i + 1];
	return true;
}

/* Fences */

bool model_signaled(const struct model *m, int fence)
{
	const struct model_fence *f = &m->fences[fence];

	return f->done && (!f->silent || f->armed);
}

bool model_arm(struct model *m, int fence)
{
	struct model_fence *f = &m->fences[fence];

	if (!f->silent || f->armed)
		return false;
	f->armed = true;
	return true;
}

int model_emit(struct model *m, int channel, bool silent)
{
	int fence = m->nr_fences++;

	m->fences[fence] = (struct model_fence){
		.channel = channel,
		.silent = silent,
		.seqno = channel == MODEL_NONE ? 1 :
						 ++m->channels[channel].seqno,
	};
	return fence;
}

void model_signal(struct model *m, int fence)
{
	m->fences[fence].done = true;
}

/* A reservation object keeps no fence that has signaled, or that a later one stands for. */
static void resv_add(struct model *m, struct model_owner *o, int fence)
{
	struct model_fence *f = &m->fences[fence], *other;
	int i, kept = 0;

	for (i = 0; i < o->nr_resv; i++) {
		other = &m->fences[o->resv[i]];
		if (model_signaled(m, o->resv[i]) ||
		    (f->channel != MODEL_NONE && f->channel == other->channel &&
		     f->seqno >= other->seqno))
			continue;
		if (o->resv[i] != fence)
			o->resv[kept++] = o->resv[i];
	}
	o->resv[kept++] = fence;
	o->nr_resv = kept;
}

/* The nodes of a channel: those that somebody is on. */

bool model_node_exists(const struct model *m, int node)
{
	int o, channel = m->nodes[node].channel;

	for (o = 0; o < MODEL_OWNERS; o++)
		if (m->owners[o].life != MODEL_GONE &&
		    m->owners[o].at[channel].node == node)
			return true;
	return false;
}

int model_first_node(const struct model *m, int channel)
{
	int node;

	for (node = 0; node < m->nr_nodes; node++)
		if (m->nodes[node].channel == channel &&
		    model_node_exists(m, node))
			return node;
	return MODEL_NONE;
}

int model_last_node(const struct model *m, int channel)
{
	int node;

	for (node = m->nr_nodes - 1; node >= 0; node--)
		if (m->nodes[node].channel == channel &&
		    model_node_exists(m, node))
			return node;
	return MODEL_NONE;
}

/* That of the fence, else the next later one, else a new one. */
static int node_of(struct model *m, int fence)
{
	int node, channel = m->fences[fence].channel;

	for (node = 0; node < m->nr_nodes; node++)
		if (m->nodes[node].channel == channel &&
		    model_node_exists(m, node) &&
		    m->fences[m->nodes[node].fence].seqno >=
			    m->fences[fence].seqno)
			return node;

	m->nodes[m->nr_nodes] = (struct model_node){ channel, fence };
	return m->nr_nodes++;
}

/* Who came to a node after that, the first of them: alive, or zombies. */
int model_next_on_node(const struct model *m, int node, bool zombie,
		       unsigned int after)
{
	int o, channel = m->nodes[node].channel, found = MODEL_NONE;
	const struct model_use *use;

	for (o = 0; o < MODEL_OWNERS; o++) {
		use = &m->owners[o].at[channel];
		if (m->owners[o].life == MODEL_GONE || use->node != node ||
		    use->zombie != zombie || use->stamp <= after)
			continue;
		if (found == MODEL_NONE ||
		    use->stamp < m->owners[found].at[channel].stamp)
			found = o;
	}
	return found;
}

/* Where owners stand. */

int model_nr_links(const struct model *m, int owner)
{
	int c, count = 0;

	for (c = 0; c < MODEL_CHANNELS; c++)
		count += m->owners[owner].at[c].node != MODEL_NONE;
	return count;
}

void model_unplace(struct model *m, int owner)
{
	int g;

	model_remove(m->lru, &m->nr_lru, owner);
	for (g = MODEL_BOS; g < MODEL_OWNERS; g++)
		model_remove(m->owners[g].range, &m->owners[g].nr_range, owner);
}

/* To the tail of the LRU, or of its group's range. */
void model_place(struct model *m, int owner)
{
	int group = m->owners[owner].group;

	model_unplace(m, owner);
	if (group == MODEL_NONE)
		model_append(m->lru, &m->nr_lru, owner);
	else
		model_append(m->owners[group].range, &m->owners[group].nr_range,
			     owner);
}

static void link_to(struct model *m, int owner, int node)
{
	struct model_use *use = &m->owners[owner].at[m->nodes[node].channel];

	if (use->node >= node)
		return;
	if (!model_nr_links(m, owner))
		model_unplace(m, owner);
	*use = (struct model_use){ .node = node, .stamp = m->stamp++ };
}

/* True if it was the last one of a dead buffer. */
bool model_unlink(struct model *m, int owner, int channel)
{
	m->owners[owner].at[channel].node = MODEL_NONE;
	if (model_nr_links(m, owner))
		return false;
	if (m->owners[owner].life == MODEL_DEAD)
		return true;
	model_place(m, owner);
	return false;
}

/* Make sure that there are so many links besides those in use. */
static bool reserve(struct model *m, int owner, int count, bool no_memory)
{
	struct model_owner *o = &m->owners[owner];
	int needed = model_nr_links(m, owner) + count;

	if (no_memory && o->nr_links < needed)
		return false;
	o->nr_links = max(o->nr_links, needed);
	return true;
}

void model_use(struct model *m, int owner, int fence)
{
	int channel = m->fences[fence].channel;

	reserve(m, owner, 1, false);
	resv_add(m, &m->owners[owner], fence);
	if (channel == MODEL_NONE || model_signaled(m, fence) ||
	    !m->channels[channel].registered || m->channels[channel].killed)
		return;
	link_to(m, owner, node_of(m, fence));
}

/* Buffers come and go. */

void model_create(struct model *m, int bo, int type, u64 bytes, bool import)
{
	struct model_owner *o = &m->owners[bo];
	int c;

	*o = (struct model_owner){ .life = MODEL_ALIVE,
				   .group = MODEL_NONE,
				   .nr_links = 1,
				   .type = type,
				   .bytes = bytes,
				   .import = import };
	for (c = 0; c < MODEL_CHANNELS; c++)
		o->at[c].node = MODEL_NONE;
	model_place(m, bo);
}

/* Who walks the LRU may release the memory of a dead buffer that stands there. */
bool model_can_evict(struct model *m, int bo)
{
	struct model_owner *o = &m->owners[bo];
	int i;

	if (o->life != MODEL_DEAD || o->cleaned || o->locked ||
	    !model_is_leftover(m, bo))
		return false;
	for (i = 0; i < o->nr_resv; i++)
		if (!model_signaled(m, o->resv[i]))
			return false;
	return true;
}

void model_evict(struct model *m, int bo)
{
	model_clean(m, bo);
}

/* Groups. */

void model_group_create(struct model *m, int group)
{
	model_create(m, group, 0, 0, false);
}

void model_group_end(struct model *m, int group)
{
	model_unplace(m, group);
	m->owners[group].life = MODEL_GONE;
}

void model_join(struct model *m, int group, int bo)
{
	m->owners[bo].group = group;
	if (!model_nr_links(m, bo))
		model_place(m, bo);
}

/* False if there was no memory for the links. */
bool model_leave(struct model *m, int bo, bool no_memory)
{
	struct model_owner *o = &m->owners[bo], *g = &m->owners[o->group];
	bool enough = reserve(m, bo, model_nr_links(m, o->group), no_memory);
	int c, i;

	for (i = 0; i < g->nr_resv; i++)
		resv_add(m, o, g->resv[i]);
	for (c = 0; c < MODEL_CHANNELS && enough; c++)
		if (g->at[c].node != MODEL_NONE)
			link_to(m, bo, g->at[c].node);

	o->group = MODEL_NONE;
	if (!model_nr_links(m, bo))
		model_place(m, bo);
	return enough;
}

/* Channels come and go. */

void model_register(struct model *m, int channel)
{
	struct model_channel *c = &m->channels[channel];

	c->registered = true;
	c->killed = false;
	c->settled = MODEL_NONE;
	c->counted = MODEL_NONE;
	c->stalled = MODEL_NONE;
}

void model_kill(struct model *m, int channel)
{
	m->channels[channel].killed = true;
}

/* Looking. */

void model_look(struct model *m)
{
	int c, node;

	for (c = 0; c < MODEL_CHANNELS; c++) {
		if (!m->channels[c].registered)
			continue;
		model_sample_last(m, c);
		for (node = 0; node < m->nr_nodes; node++) {
			if (m->nodes[node].channel != c ||
			    !model_node_exists(m, node))
				continue;
			if (node > m->channels[c].settled &&
			    !model_signaled(m, m->nodes[node].fence))
				break;
			m->channels[c].settled =
				max(m->channels[c].settled, node);
		}
		m->channels[c].counted = m->channels[c].settled;
	}
}

/* A zombie whose nodes had all signaled when last looked at. */
bool model_is_seen(const struct model *m, int bo)
{
	int c, node;

	for (c = 0; c < MODEL_CHANNELS; c++) {
		node = m->owners[bo].at[c].node;
		if (node != MODEL_NONE && node > m->channels[c].counted)
			return false;
	}
	return model_nr_links(m, bo);
}

void model_stall(struct model *m)
{
	int c;

	for (c = 0; c < MODEL_CHANNELS; c++)
		if (m->channels[c].registered &&
		    model_first_node(m, c) != MODEL_NONE)
			m->channels[c].stalled = model_first_node(m, c);
}

/* Whether one who needs memory of a type is told of the channel. */
bool model_is_waited_for(struct model *m, int channel, int type)
{
	int o, node = model_first_node(m, channel);

	if (!m->channels[channel].registered || node == MODEL_NONE ||
	    node == m->channels[channel].stalled)
		return false;
	if (type == MODEL_ANY_TYPE)
		return true;
	for (o = 0; o < MODEL_BOS; o++)
		if (m->owners[o].life == MODEL_DEAD &&
		    m->owners[o].at[channel].node != MODEL_NONE &&
		    m->owners[o].type == type)
			return true;
	return false;
}

/* Whether no node of the owner comes after this one. */
static bool is_last_use(struct model *m, int owner, int node)
{
	int c;

	for (c = 0; c < MODEL_CHANNELS; c++)
		if (m->owners[owner].at[c].node > node)
			return false;
	return true;
}

/* Those alive on a channel that does not hang, by their last nodes. */
void model_visit_busy(struct model *m, char *names)
{
	struct model_channel *channel;
	unsigned int after;
	int node, o;

	*names = 0;
	model_forget_pass(m);
	for (node = 0; node < m->nr_nodes; node++) {
		channel = &m->channels[m->nodes[node].channel];
		if (!model_node_exists(m, node) || !channel->registered ||
		    model_first_node(m, m->nodes[node].channel) ==
			    channel->stalled)
			continue;
		after = 0;
		while ((o = model_next_on_node(m, node, false, after)) !=
		       MODEL_NONE) {
			after = m->owners[o].at[m->nodes[node].channel].stamp;
			if (is_last_use(m, o, node))
				model_append_name(names, model_name(o));
		}
	}
}

void model_init(struct model *m)
{
	int type;

	memset(m, 0, sizeof(*m));
	m->stamp = 1;
	m->limit = U64_MAX;
	for (type = 0; type < MODEL_TYPES; type++)
		m->limits[type] = U64_MAX;
	model_forget_pass(m);
}
