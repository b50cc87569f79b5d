/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _SWGPU_TAG_H_
#define _SWGPU_TAG_H_

#include <linux/kref.h>
#include <linux/types.h>

struct page;
struct ttm_buffer_object;
struct ttm_tt;

/**
 * struct swgpu_tag - mark that a job leaves in memory
 *
 * The last bytes of a buffer's first page and those of its last page, which
 * may be the same page.
 */
struct swgpu_tag {
	/** @bo: id of the buffer that the memory belongs to */
	u64 bo;
	/** @job: id of the last job that wrote it, 0 if none has */
	u64 job;
};

/**
 * struct swgpu_tag_cell - the tag that a buffer's memory must hold
 *
 * Outlives the buffer for as long as jobs refer to it, so that what TTM does
 * to the buffer meanwhile cannot hide from the check.
 */
struct swgpu_tag_cell {
	/** @kref: one for the buffer, one for each import and for each job */
	struct kref kref;
	/** @bo: id of the buffer on all devices; constant */
	u64 bo;
	/**
	 * @job: id of the last job that wrote the buffer. Written by jobs when
	 * they run; those are ordered by the fences of the buffer.
	 */
	u64 job;
	/**
	 * @lost: a copy was canceled, so where the buffer is now its contents never
	 * came. Set before the fence of the copy signals.
	 */
	bool lost;
};

/**
 * struct swgpu_tag_place - the physical memory of a buffer's two tags
 *
 * No reference is held on the pages: a GPU's page table holds none either.
 */
struct swgpu_tag_place {
	/** @first: the buffer's first page */
	struct page *first;
	/** @last: the buffer's last page, possibly @first */
	struct page *last;
};

struct swgpu_tag_cell *swgpu_tag_cell_create(void);
struct swgpu_tag_cell *swgpu_tag_cell_get(struct swgpu_tag_cell *cell);
void swgpu_tag_cell_put(struct swgpu_tag_cell *cell);

bool swgpu_tag_place_of(struct ttm_buffer_object *tbo,
			struct swgpu_tag_place *place);
void swgpu_tag_write(const struct swgpu_tag_place *place, u64 bo, u64 job);
bool swgpu_tag_check(const struct swgpu_tag_place *place, u64 bo, u64 job);
void swgpu_tag_poison(const struct swgpu_tag_place *place);

#endif
