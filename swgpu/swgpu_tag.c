// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/highmem.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include <drm/ttm/ttm_tt.h>

#include "swgpu_drv.h"
#include "swgpu_tag.h"

/**
 * DOC: tags
 *
 * A buffer gets its first tag when it is created. A job notes at submission
 * which pages the buffer occupies, as a GPU's page table would, and looks at
 * those very pages when it ends. They must still hold what the last job that
 * wrote the buffer left, or somebody has released or reused the memory under an
 * unsignaled fence. To be caught even if nobody reuses the memory, tags are
 * poisoned when memory is released. Moves are no test: they wait by themselves.
 *
 * What the memory must hold is noted when a writer *runs*, not when it is
 * submitted: a job that is canceled writes nothing. Two jobs never write the
 * note at a time because writers wait for all earlier users of the buffer.
 */

#define TAG_OFFSET (PAGE_SIZE - sizeof(struct swgpu_tag))
#define TAG_POISON 0x6b6b6b6b6b6b6b6bULL

static_assert(sizeof(struct swgpu_tag) == SWGPU_TAG_BYTES);

/* A buffer may be used by several devices, so its id is unique among all. */
struct swgpu_tag_cell *swgpu_tag_cell_create(void)
{
	static atomic64_t last_bo;
	struct swgpu_tag_cell *cell = kzalloc_obj(*cell, GFP_KERNEL_ACCOUNT);

	if (!cell)
		return NULL;
	kref_init(&cell->kref);
	cell->bo = atomic64_inc_return(&last_bo);
	return cell;
}

/* Another reference. Nothing is no cell. */
struct swgpu_tag_cell *swgpu_tag_cell_get(struct swgpu_tag_cell *cell)
{
	if (cell)
		kref_get(&cell->kref);
	return cell;
}

static void release_cell(struct kref *kref)
{
	kfree(container_of(kref, struct swgpu_tag_cell, kref));
}

void swgpu_tag_cell_put(struct swgpu_tag_cell *cell)
{
	if (cell)
		kref_put(&cell->kref, release_cell);
}

/* Without an IOMMU, and with the CPU in the GPU's place, a page is a page. */
static void place_of_sg(struct sg_table *sgt, struct swgpu_tag_place *place)
{
	struct scatterlist *last = sg_last(sgt->sgl, sgt->orig_nents);

	place->first = sg_page(sgt->sgl);
	place->last = sg_page(last) +
		      ((last->offset + last->length - 1) >> PAGE_SHIFT);
}

/**
 * swgpu_tag_place_of - find the pages of a buffer's tags
 * @tbo: the buffer, reserved
 * @place: out: the pages
 *
 * Return: true if the buffer has memory.
 */
bool swgpu_tag_place_of(struct ttm_buffer_object *tbo,
			struct swgpu_tag_place *place)
{
	struct ttm_tt *tt = tbo->ttm;

	dma_resv_assert_held(tbo->base.resv);

	if (!tbo->resource)
		return false;
	if (tbo->resource->mem_type == TTM_PL_VRAM) {
		swgpu_vram_place(tbo->resource, place);
		return true;
	}
	if (!tt || !ttm_tt_is_populated(tt))
		return false;
	if (tt->sg) {
		place_of_sg(tt->sg, place);
		return true;
	}
	place->first = tt->pages[0];
	place->last = tt->pages[tt->num_pages - 1];
	return true;
}

static void write_page(struct page *page, u64 bo, u64 job)
{
	struct swgpu_tag tag = { .bo = bo, .job = job };

	memcpy_to_page(page, TAG_OFFSET, (char *)&tag, sizeof(tag));
}

static bool check_page(struct page *page, u64 bo, u64 job)
{
	struct swgpu_tag tag;

	memcpy_from_page((char *)&tag, page, TAG_OFFSET, sizeof(tag));
	return tag.bo == bo && tag.job == job;
}

void swgpu_tag_write(const struct swgpu_tag_place *place, u64 bo, u64 job)
{
	write_page(place->first, bo, job);
	if (place->last != place->first)
		write_page(place->last, bo, job);
}

bool swgpu_tag_check(const struct swgpu_tag_place *place, u64 bo, u64 job)
{
	return check_page(place->first, bo, job) &&
	       check_page(place->last, bo, job);
}

/* Make every job that still counts on this memory fail its check. */
void swgpu_tag_poison(const struct swgpu_tag_place *place)
{
	swgpu_tag_write(place, TAG_POISON, TAG_POISON);
}
