// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The reference model: its lists, drawn.
 */
#include "model.h"

void model_print_lru(const struct model *m, char *names)
{
	int i, k, o;

	*names = 0;
	for (i = 0; i < m->nr_lru; i++) {
		o = m->lru[i];
		if (o < MODEL_BOS) {
			model_append_name(names, model_name(o));
			continue;
		}
		model_append_name(names, '[');
		for (k = 0; k < m->owners[o].nr_range; k++)
			model_append_name(names,
					  model_name(m->owners[o].range[k]));
		model_append_name(names, ']');
	}
}

static void print_members(const struct model *m, int node, bool zombies,
			  char *names)
{
	int o, channel = m->nodes[node].channel;
	unsigned int after = 0;

	while ((o = model_next_on_node(m, node, zombies, after)) !=
	       MODEL_NONE) {
		if (zombies && !after)
			model_append_name(names, '/');
		model_append_name(names, model_name(o));
		after = m->owners[o].at[channel].stamp;
	}
}

void model_print_nodes(const struct model *m, int channel, char *names)
{
	int node;

	*names = 0;
	for (node = 0; node < m->nr_nodes; node++) {
		if (m->nodes[node].channel != channel ||
		    !model_node_exists(m, node))
			continue;
		if (*names)
			model_append_name(names, ' ');
		print_members(m, node, false, names);
		print_members(m, node, true, names);
	}
}
