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
 * @pass: a pass of reclaim that may go on
 * @model_pass: the same of the model
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
	struct ttm_fence_lru_pass pass;
	u64 model_pass;
	char said[128];
	char difference[1200];
};

typedef bool (*history_fits_t)(struct history *h, int number);

bool history_is_gone(struct history *h, int owner);
bool history_is_alive(struct history *h, int owner);
bool history_exists(struct history *h, int owner);
bool history_is_member(struct history *h, int owner);
bool history_is_single(struct history *h, int owner);
bool history_can_evict(struct history *h, int owner);
bool history_is_empty_group(struct history *h, int owner);
bool history_is_usable(struct history *h, int channel);
bool history_is_registered(struct history *h, int channel);
bool history_is_unregistered(struct history *h, int channel);
int history_choose(struct history *h, history_fits_t fits, int from, int to,
		   u16 who);
int history_choose_bo(struct history *h, history_fits_t fits, u16 who);
int history_choose_group(struct history *h, history_fits_t fits, u16 who);
int history_choose_channel(struct history *h, history_fits_t fits, u16 who);

__printf(2, 3) void history_differs(struct history *h, const char *format, ...);
__printf(2, 3) void history_say(struct history *h, const char *format, ...);
void history_compare_results(struct history *h, u64 engine, u64 model);
void history_reclaim(struct history *h, const u16 *who);
void history_shrink(struct history *h, const u16 *who);
void history_drain(struct history *h, const u16 *who);
void history_poll(struct history *h, const u16 *who);
void history_evict(struct history *h, const u16 *who);
void history_look(struct history *h, const u16 *who);
void history_stall(struct history *h, const u16 *who);
void history_set_limit(struct history *h, const u16 *who);
void history_trim(struct history *h, const u16 *who);
void history_visit_busy(struct history *h, const u16 *who);
void history_do(struct history *h, const struct history_step *step);
bool history_compare(struct history *h);

#endif
