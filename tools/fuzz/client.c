// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A thread: one action after the other, by a random number for each step. */

#include <string.h>
#include <unistd.h>

#include "client.h"
#include "known.h"

static const struct action *actions[MAX_ACTIONS];
static uint32_t nr_actions, total_weight;

static void add_actions(const struct action *action)
{
	for (; action->name; action++) {
		if (known(action->name))
			continue;
		actions[nr_actions++] = action;
		total_weight += action->weight;
	}
}

const char *action_name(uint32_t i)
{
	if (!nr_actions) {
		add_actions(request_actions);
		add_actions(memory_actions);
		add_actions(share_actions);
		add_actions(system_actions);
	}
	return i < nr_actions ? actions[i]->name : NULL;
}

static uint32_t any_action(struct client *c)
{
	uint64_t at = random_below(&c->random, total_weight);
	uint32_t i = 0;

	while (at >= actions[i]->weight)
		at -= actions[i++]->weight;
	return i;
}

/*
 * Each step begins with numbers of its own: what a step does to the state of the kernel has
 * no influence on what the next one tries.
 */
static void begin_step(struct client *c)
{
	struct task *t = c->task;

	t->step++;
	c->random.state = record->seed;
	c->random.state = random_next(&c->random) + (t->process * NR_TASKS + t->thread);
	c->random.state = random_next(&c->random) + t->generation;
	c->random.state = random_next(&c->random) + t->step;
}

static void step(struct client *c)
{
	uint32_t i, dev;

	begin_step(c);
	for (dev = 0; dev < NR_DEVICES; dev++) {
		if (c->process->gone[dev] && process_open(c->process, dev))
			usleep(5000);
		if (c->epochs[dev] != c->process->epoch[dev])
			client_forget(c, dev);
	}
	i = any_action(c);
	__atomic_fetch_add(&record->done[i], 1, __ATOMIC_RELAXED);
	if (!actions[i]->run(c))
		__atomic_fetch_add(&record->good[i], 1, __ATOMIC_RELAXED);
}

void client_run(struct client *c, uint64_t steps)
{
	while (steps-- && !record->stop && !record->failed)
		step(c);
}

void client_init(struct client *c, struct process *process, struct task *task)
{
	memset(c, 0, sizeof(*c));
	memset(c->dma_bufs, -1, sizeof(c->dma_bufs));
	memset(c->sync_files, -1, sizeof(c->sync_files));
	c->process = process;
	c->task = task;
}

void client_forget(struct client *c, uint32_t dev)
{
	int i;

	c->epochs[dev] = c->process->epoch[dev];
	/* Mappings outlive the file, and its device. */
	for (i = 0; i < NR_BUFFERS; i++) {
		if (c->buffers[i].dev == dev)
			c->buffers[i].handle = 0;
	}
	for (i = 0; i < NR_CHANNELS; i++) {
		if (c->channels[i].dev == dev)
			c->channels[i] = (struct channel){};
	}
}
