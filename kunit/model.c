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

/* Fences */

bool model_signaled(const struct model *m, int fence)
{
	const struct model_fence *f = &m->fences[fence];

	return f->done && (!f->silent || f->armed);
}

/* True if that was needed. */
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

/* A reservation object keeps no fence that has signaled, or that a later one stands for. */
static void resv_add(struct model *m, struct model_owner *o, int fence)
{
	struct model_fence *f = &m->fences[fence], *other;
	int i, kept = 0;

	for (i = 0; i < o->nr_resv; i++) {
		other = &m->fences[o->resv[i]];
		if (!model_signaled(m, o->resv[i]) && o->resv[i] != fence &&
		    (f->channel == MODEL_NONE || f->channel != other->channel ||
		     f->seqno < other->seqno))
			o->resv[kept++] = o->resv[i];
	}
	o->resv[kept++] = fence;
	o->nr_resv = kept;
}

/* Lists */

/* Since when somebody, or a channel, stands on a list; 0 if it does not. */
static unsigned int since(const struct model *m, int i, enum model_state kind,
			  int number)
{
	const struct model_owner *o = &m->owners[i];
	const struct model_use *use;

	if (kind <= MODEL_BLOCKED && o->state != kind)
		return 0;

	switch (kind) {
	case MODEL_ALIVE:
	case MODEL_BURIED:
		use = &o->at[m->nodes[number].channel];
		return use->node == number ? use->since : 0;
	case MODEL_RIPE:
	case MODEL_LOCKED:
		return o->type == number ? o->since : 0;
	case MODEL_BLOCKED:
		return model_behind(o->blocker, o->type) == number ? o->since :
								     0;
	case MODEL_ON_LRU:
		return o->group == number ? o->placed : 0;
	case MODEL_BLOCKERS:
		return o->state == MODEL_BLOCKED && o->type == number ?
			       m->fences[o->blocker].since[number] :
			       0;
	case MODEL_JOINED:
		return i < MODEL_CHANNELS ? m->channels[i].joined : 0;
	case MODEL_ACTIVE:
		return i < MODEL_CHANNELS ? m->channels[i].active : 0;
	default:
		return 0;
	}
}

/* The first that came to a list after that time, which becomes its own. */
int model_next(const struct model *m, enum model_state kind, int number,
	       unsigned int *after)
{
	unsigned int first = UINT_MAX, when;
	int i, found = MODEL_NONE;

	for (i = 0; i < MODEL_OWNERS; i++) {
		when = since(m, i, kind, number);
		if (when > *after && when < first) {
			first = when;
			found = i;
		}
	}
	*after = first;
	return found;
}

/* To the tail of the LRU, or of its group's range. */
void model_place(struct model *m, int owner)
{
	m->owners[owner].placed = ++m->time;
}

/* Nodes and links */

/* The first node of a channel, or of any, that comes after this one; or 0. */
int model_next_node(const struct model *m, int channel, int after)
{
	int o, c, node, first = 0;

	for (o = 0; o < MODEL_OWNERS; o++) {
		for (c = 0; c < MODEL_CHANNELS; c++) {
			node = m->owners[o].at[c].node;
			if ((channel == c || channel == MODEL_NONE) &&
			    node > after && (!first || node < first))
				first = node;
		}
	}
	return first;
}

/* That of the fence, else a new one, else 0: the fence is older than one that had a node. */
static int node_of(struct model *m, int fence)
{
	int channel = m->fences[fence].channel, node = 0;

	while ((node = model_next_node(m, channel, node)))
		if (m->nodes[node].fence == fence)
			return node;
	if (m->fences[fence].seqno <= m->channels[channel].last)
		return 0;

	m->channels[channel].last = m->fences[fence].seqno;
	m->nodes[++m->nr_nodes] = (struct model_node){ channel, fence };
	return m->nr_nodes;
}

int model_nr_links(const struct model *m, int owner)
{
	int c, count = 0;

	for (c = 0; c < MODEL_CHANNELS; c++)
		count += m->owners[owner].at[c].node > 0;
	return count;
}

static void link_to(struct model *m, int owner, int node)
{
	struct model_channel *c = &m->channels[m->nodes[node].channel];
	struct model_owner *o = &m->owners[owner];
	struct model_use *use = &o->at[m->nodes[node].channel];

	if (use->node >= node)
		return;
	o->placed = 0;
	*use = (struct model_use){ .node = node, .since = ++m->time };
	if (!c->joined && !c->active)
		c->joined = UINT_MAX - ++m->time;
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

void model_use(struct model *m, const int *owners, int count, int fence)
{
	int channel = m->fences[fence].channel, node, i;

	for (i = 0; i < count; i++) {
		reserve(m, owners[i], 1, false);
		resv_add(m, &m->owners[owners[i]], fence);
	}
	if (!count || channel == MODEL_NONE || model_signaled(m, fence) ||
	    !m->channels[channel].registered || m->channels[channel].killed)
		return;
	node = node_of(m, fence);
	for (i = 0; i < count && node; i++)
		link_to(m, owners[i], node);
	if (!node)
		m->unlinked += count;
}

/* Buffers, groups and channels come and go. */

void model_create(struct model *m, int owner)
{
	m->owners[owner] =
		(struct model_owner){ .state = MODEL_ALIVE, .nr_links = 1 };
	model_place(m, owner);
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
		if (g->at[c].node)
			link_to(m, bo, g->at[c].node);

	o->group = 0;
	if (!model_nr_links(m, bo))
		model_place(m, bo);
	return enough;
}

/* What the channel was before is forgotten, but the numbers of its fences go on. */
void model_register(struct model *m, int channel)
{
	struct model_channel *c = &m->channels[channel];

	*c = (struct model_channel){ .registered = true,
				     .silent = c->silent,
				     .seqno = c->seqno };
}

void model_init(struct model *m)
{
	int type;

	memset(m, 0, sizeof(*m));
	m->limit = U64_MAX;
	for (type = 0; type < MODEL_TYPES; type++)
		m->limits[type] = U64_MAX;
}

/* The lists, drawn */

/* @names: room for MODEL_NAMES; the names are appended */
static void print(const struct model *m, enum model_state kind, int number,
		  char *names)
{
	unsigned int after = 0;
	int o;

	while ((o = model_next(m, kind, number, &after)) != MODEL_NONE) {
		if (kind != MODEL_ON_LRU || o < MODEL_BOS) {
			model_append_name(names, model_name(o));
			continue;
		}
		model_append_name(names, '[');
		print(m, MODEL_ON_LRU, o, names);
		model_append_name(names, ']');
	}
}

void model_print_lru(const struct model *m, char *names)
{
	*names = 0;
	print(m, MODEL_ON_LRU, 0, names);
}

void model_print_nodes(const struct model *m, int channel, char *names)
{
	int node = 0;
	size_t length;

	*names = 0;
	while ((node = model_next_node(m, channel, node))) {
		if (*names)
			model_append_name(names, ' ');
		print(m, MODEL_ALIVE, node, names);
		length = strlen(names);
		model_append_name(names, '/');
		print(m, MODEL_BURIED, node, names);
		if (!names[length + 1])
			names[length] = 0;
	}
}

/* "AB, locked C, fence 7: DE": the ripe, the locked, and those who wait for a fence */
void model_print_dead(const struct model *m, int type, char *names)
{
	unsigned int after = 0;
	int bo, fence;

	*names = 0;
	print(m, MODEL_RIPE, type, names);
	strlcat(names, ", locked ", MODEL_NAMES);
	print(m, MODEL_LOCKED, type, names);
	while ((bo = model_next(m, MODEL_BLOCKERS, type, &after)) !=
	       MODEL_NONE) {
		fence = m->owners[bo].blocker;
		sprintf(names + strlen(names), ", fence %d: ", fence);
		print(m, MODEL_BLOCKED, model_behind(fence, type), names);
	}
}
