// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Random histories, played to the engine and to the model, compared after every step.
 *
 * Parameters: seed of the first history, the next has one more, and so on;
 * histories, how many; steps, of each. A difference prints the shortest history that
 * shows it, and the lists before and after its last step.
 */
#include <kunit/static_stub.h>

#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/slab.h>

#include <drm/drm_print.h>

#include "../ttm_fence_lru/internal.h"
#include "history.h"

static uint param_histories = 1000;
module_param_named(histories, param_histories, uint, 0444);
MODULE_PARM_DESC(histories, "Random histories to play");

static uint param_steps = 200;
module_param_named(steps, param_steps, uint, 0444);
MODULE_PARM_DESC(steps, "Steps of a random history");

/* The seed says of how many channels and types, and how much is released. */
static struct history *history_create(struct kunit *test, unsigned int seed)
{
	struct history *h = kvzalloc(sizeof(*h), GFP_KERNEL);
	int c;

	KUNIT_ASSERT_NOT_NULL(test, h);
	h->test = test;
	h->dev = mock_device_create(test);
	h->calm = seed / MODEL_CHANNELS % 2;
	h->nr_types = 1 + seed / MODEL_CHANNELS / 2 % MODEL_TYPES;
	model_init(&h->model);
	for (c = 0; c < MODEL_CHANNELS; c++) {
		h->channels[c] = mock_channel_create(h->dev);
		/* One of them cannot be asked. */
		h->model.channels[c].silent = c == MODEL_CHANNELS - 1;
		if (c <= seed % MODEL_CHANNELS)
			model_register(&h->model, c);
		else
			mock_channel_unregister(h->channels[c]);
	}
	return h;
}

static void history_destroy(struct history *h)
{
	int bo;

	for (bo = 0; bo < MODEL_BOS; bo++)
		if (h->model.owners[bo].state != MODEL_GONE)
			h->bos[bo]->locked = false;
	mock_device_end(h->dev);
	mock_device_destroy(h->dev);
	kvfree(h);
}

/* The lists of the engine. */
static void draw(struct history *h, const char *when)
{
	char *names = kmalloc(MOCK_MAX_NAMES, GFP_KERNEL);
	int c, type;

	KUNIT_ASSERT_NOT_NULL(h->test, names);
	mock_print_lru(h->dev, names);
	kunit_info(h->test, "  %s: LRU: %s", when, names);
	for (c = 0; c < MODEL_CHANNELS; c++) {
		if (!h->channels[c]->registered)
			continue;
		mock_print_nodes(h->channels[c], names);
		kunit_info(h->test, "  %s: channel %d: %s", when, c, names);
	}
	for (type = 0; type < MODEL_TYPES; type++) {
		history_print_dead(h, type, names);
		kunit_info(h->test, "  %s: type %d: %s", when, type, names);
	}
	kunit_info(h->test, "  %s: released: %s", when, h->dev->cleaned);
	kfree(names);
}

/* Play one step to both. False if they differ then. */
static bool play(struct history *h, const struct history_step *step)
{
	h->difference[0] = 0;
	h->said[0] = 0;
	history_do(h, step);
	return history_compare(h);
}

/* Play steps, up to the first that shows a difference. Returns how many were right. */
static unsigned int play_all(struct kunit *test, unsigned int seed,
			     const struct history_step *steps, unsigned int nr,
			     bool show)
{
	struct history *h = history_create(test, seed);
	unsigned int i;

	for (i = 0; i < nr; i++) {
		if (show && i == nr - 1)
			draw(h, "before");
		if (!play(h, &steps[i]))
			break;
		if (show && h->said[0])
			kunit_info(test, "  %s", h->said);
	}
	if (i == nr) {
		history_destroy(h);
		return nr;
	}
	if (show) {
		kunit_info(test, "  %s", h->said);
		draw(h, "after");
		kunit_info(test, "  but %s", h->difference);
	}
	/* What is wrong cannot be torn down; it stays. */
	return i;
}

/* Leave out every step without which the last still shows a difference. */
static unsigned int shorten(struct kunit *test, unsigned int seed,
			    struct history_step *steps, unsigned int nr)
{
	struct history_step without;
	unsigned int i, right;

	for (i = nr - 1; i-- > 0;) {
		without = steps[i];
		memmove(&steps[i], &steps[i + 1],
			(nr - 1 - i) * sizeof(*steps));
		right = play_all(test, seed, steps, nr - 1, false);
		if (right < nr - 1) {
			/* Those that were needed before may not be any more. */
			nr = right + 1;
			i = nr - 1;
			continue;
		}
		memmove(&steps[i + 1], &steps[i],
			(nr - 1 - i) * sizeof(*steps));
		steps[i] = without;
	}
	return nr;
}

static bool play_history(struct kunit *test, unsigned int seed,
			 struct history_step *steps)
{
	struct rnd_state rnd;
	unsigned int right;

	prandom_seed_state(&rnd, seed);
	prandom_bytes_state(&rnd, steps, param_steps * sizeof(*steps));

	right = play_all(test, seed, steps, param_steps, false);
	if (right == param_steps)
		return true;

	kunit_info(test, "seed %u differs at step %u:", seed, right);
	play_all(test, seed, steps, right + 1, true);
	kunit_info(test, "without what is not needed for it:");
	play_all(test, seed, steps, shorten(test, seed, steps, right + 1),
		 true);
	return false;
}

static void the_engine_does_what_the_model_does(struct kunit *test)
{
	unsigned int seed = mock_seed(test), i;
	struct history_step *steps;

	steps = kunit_kcalloc(test, param_steps, sizeof(*steps), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, steps);

	for (i = 0; i < param_histories; i++) {
		if (!play_history(test, seed + i, steps)) {
			KUNIT_FAIL(test, "repeat it with seed %u, histories 1",
				   seed + i);
			return;
		}
		cond_resched();
	}
	kunit_info(test, "%u histories of %u steps", param_histories,
		   param_steps);
}

static struct kunit_case cases[] = {
	KUNIT_CASE_SLOW(the_engine_does_what_the_model_does),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_history",
	.test_cases = cases,
};

kunit_test_suite(suite);
