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
	char said[128];
	char difference[1200];
};

__printf(2, 3) void history_differs(struct history *h, const char *format, ...);
void history_do(struct history *h, const struct history_step *step);
bool history_compare(struct history *h);

#endif
