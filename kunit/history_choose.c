// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Whom a step of a history is done to: one of those to whom it can be done.
 */
#include "history.h"

bool history_is_gone(struct history *h, int owner)
{
	return h->model.owners[owner].life == MODEL_GONE;
}

bool history_is_alive(struct history *h, int owner)
{
	return h->model.owners[owner].life == MODEL_ALIVE;
}

bool history_exists(struct history *h, int owner)
{
	return !history_is_gone(h, owner);
}

bool history_is_member(struct history *h, int bo)
{
	return history_is_alive(h, bo) &&
	       h->model.owners[bo].group != MODEL_NONE;
}

bool history_is_single(struct history *h, int bo)
{
	return history_is_alive(h, bo) &&
	       h->model.owners[bo].group == MODEL_NONE;
}

bool history_can_evict(struct history *h, int bo)
{
	return model_can_evict(&h->model, bo);
}

bool history_is_empty_group(struct history *h, int group)
{
	int bo;

	for (bo = 0; bo < MODEL_BOS; bo++)
		if (history_is_alive(h, bo) &&
		    h->model.owners[bo].group == group)
			return false;
	return history_is_alive(h, group) && !model_nr_links(&h->model, group);
}

bool history_is_usable(struct history *h, int channel)
{
	return h->model.channels[channel].registered &&
	       !h->model.channels[channel].killed;
}

bool history_is_registered(struct history *h, int channel)
{
	return h->model.channels[channel].registered;
}

bool history_is_unregistered(struct history *h, int channel)
{
	return !history_is_registered(h, channel);
}

/* One of those that fit, or MODEL_NONE. */
int history_choose(struct history *h, history_fits_t fits, int from, int to,
		   u16 who)
{
	int i, count = 0;

	for (i = from; i < to; i++)
		count += fits(h, i);
	if (!count)
		return MODEL_NONE;
	count = who % count;
	for (i = from; !fits(h, i) || count--; i++)
		;
	return i;
}

int history_choose_bo(struct history *h, history_fits_t fits, u16 who)
{
	return history_choose(h, fits, 0, MODEL_BOS, who);
}

int history_choose_group(struct history *h, history_fits_t fits, u16 who)
{
	return history_choose(h, fits, MODEL_BOS, MODEL_OWNERS, who);
}

int history_choose_channel(struct history *h, history_fits_t fits, u16 who)
{
	return history_choose(h, fits, 0, MODEL_CHANNELS, who);
}
