/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _TTM_FENCE_LRU_HISTORY_H_
#define _TTM_FENCE_LRU_HISTORY_H_

#include "mock.h"
#include "model.h"

/**
 * struct history_step - one step: what is to be done, and to whom
 * @op: which operation
 * @who: operands; each means one of those to whom it can be done
 */
struct history_step {
	u16 op;
	u16 who[5];
};

/**
 * struct history - an engine and a model that lead the same life
 * @test: the test
 * @dev: the engine's device
 * @model: the model
 * @bos: by the model's numbers
 * @groups: by the model's numbers, less MODEL_BOS
 * @channels: by the model's numbers
 * @fences: by the model's numbers
 * @need: an allocation that goes on
 * @model_need: the same of the model
 * @calm: little is released, and much is imported, so that much comes together
 * @nr_types: memory types of its buffers
 * @counted: the model's counters
 * @said: what the last step did
 * @difference: in what they differ
 */
struct history {
	struct kunit *test;
	struct mock_device *dev;
	struct model model;
	struct mock_bo *bos[MODEL_BOS];
	struct mock_group *groups[MODEL_GROUPS];
	struct mock_channel *channels[MODEL_CHANNELS];
	struct mock_fence *fences[MODEL_FENCES];
	struct ttm_fence_lru_need need;
	struct model_need model_need;
	bool calm;
	int nr_types;
	struct ttm_fence_lru_stats counted;
	char said[128];
	char difference[1200];
};

/* history_steps.c */
void history_do(struct history *h, const struct history_step *step);

/* history_memory.c: memory is wanted, released and counted */
void history_evict(struct history *h, int bo, const u16 *who);
void history_reclaim(struct history *h, int type, const u16 *who);
void history_retire(struct history *h, int unused, const u16 *who);
void history_shrink(struct history *h, int type, const u16 *who);
void history_drain(struct history *h, int unused, const u16 *who);
void history_set_limit(struct history *h, int type, const u16 *who);
void history_trim(struct history *h, int unused, const u16 *who);
void history_wait(struct history *h, int type, const u16 *who);
void history_wait_oldest(struct history *h, int type, const u16 *who);
void history_visit_busy(struct history *h, int unused, const u16 *who);

/* history_compare.c */
__printf(2, 3) void history_say(struct history *h, const char *format, ...);
void history_compare_numbers(struct history *h, const char *what, u64 engine,
			     u64 model);
void history_compare_names(struct history *h, const char *what,
			   const char *engine, const char *model);
void history_print_dead(struct history *h, int type, char *names);
bool history_compare(struct history *h);

#endif
