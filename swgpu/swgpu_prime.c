// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/mm.h>

#include <drm/drm_gem.h>
#include <drm/drm_prime.h>
#include <drm/ttm/ttm_tt.h>

#include "swgpu_drv.h"

/**
 * DOC: sharing
 *
 * A buffer that another device attaches to is moved to GTT and pinned there until
 * the last one has detached. An import is a buffer of its own on the device that
 * imports: it shares the reservation object of the exporter, so all wait for the
 * fences of all, and its pages. If the exporter is a swgpu too, both share the tag,
 * and the jobs of both check it; the memory of others is left alone.
 *
 * With the fence-ordered LRU a dead import stays until it is let go where no
 * reservation is held: on the way in and out of every ioctl, some at a time, and
 * when a file is opened or closed. Nobody needs to be short of memory for that.
 */

/* Reached with the reservation held. */
int swgpu_prime_pin(struct drm_gem_object *obj)
{
	struct ttm_operation_ctx ctx = { .interruptible = true };
	struct ttm_place places[SWGPU_MAX_PLACES];
	struct ttm_placement placement = {
		.placement = places,
		.num_placement = swgpu_places(SWGPU_DOMAIN_GTT, places),
	};
	struct ttm_buffer_object *tbo = &gem_to_swgpu_bo(obj)->tbo;
	int ret;

	dma_resv_assert_held(obj->resv);

	ret = ttm_bo_validate(tbo, &placement, &ctx);
	if (!ret)
		ttm_bo_pin(tbo);
	return ret;
}

void swgpu_prime_unpin(struct drm_gem_object *obj)
{
	ttm_bo_unpin(&gem_to_swgpu_bo(obj)->tbo);
}

/* Of a buffer that is pinned. */
struct sg_table *swgpu_prime_get_sg_table(struct drm_gem_object *obj)
{
	struct ttm_tt *tt = gem_to_swgpu_bo(obj)->tbo.ttm;

	return drm_prime_pages_to_sg(obj->dev, tt->pages, tt->num_pages);
}

static const struct dma_buf_ops dma_buf_ops = {
	.cache_sgt_mapping = true,
	.attach = drm_gem_map_attach,
	.detach = drm_gem_map_detach,
	.map_dma_buf = drm_gem_map_dma_buf,
	.unmap_dma_buf = drm_gem_unmap_dma_buf,
	.release = drm_gem_dmabuf_release,
	.mmap = drm_gem_dmabuf_mmap,
};

/* As drm_gem_prime_export(), with operations by which we know our own. */
struct dma_buf *swgpu_prime_export(struct drm_gem_object *obj, int flags)
{
	struct dma_buf_export_info info = {
		.exp_name = KBUILD_MODNAME,
		.owner = THIS_MODULE,
		.ops = &dma_buf_ops,
		.size = obj->size,
		.flags = flags,
		.priv = obj,
		.resv = obj->resv,
	};

	return drm_gem_dmabuf_export(obj->dev, &info);
}

/* A buffer of our own comes back as itself, one of another device as an import. */
struct drm_gem_object *swgpu_prime_import(struct drm_device *drm,
					  struct dma_buf *dma_buf)
{
	struct drm_gem_object *obj = dma_buf->priv;

	if (dma_buf->ops == &dma_buf_ops && obj->dev == drm) {
		drm_gem_object_get(obj);
		return obj;
	}
	return drm_gem_prime_import(drm, dma_buf);
}

/* The tag of a swgpu's buffer, with a reference, or NULL */
static struct swgpu_tag_cell *tag_of(struct dma_buf *dma_buf)
{
	if (dma_buf->ops != &dma_buf_ops)
		return NULL;
	return swgpu_tag_cell_get(gem_to_swgpu_bo(dma_buf->priv)->tag);
}

/**
 * swgpu_prime_import_sg_table - &drm_driver.gem_prime_import_sg_table
 * @drm: the device that imports
 * @attach: its attachment
 * @sgt: the memory
 *
 * Return: a buffer, or -EINVAL if its size is odd, -ENOMEM, -ERESTARTSYS.
 */
struct drm_gem_object *
swgpu_prime_import_sg_table(struct drm_device *drm,
			    struct dma_buf_attachment *attach,
			    struct sg_table *sgt)
{
	struct swgpu_device *sdev = to_swgpu(drm);
	struct dma_buf *dma_buf = attach->dmabuf;
	struct swgpu_tag_cell *tag;
	struct swgpu_bo *bo;
	int ret;

	if (!dma_buf->size || !PAGE_ALIGNED(dma_buf->size))
		return ERR_PTR(-EINVAL);
	if (dma_buf->size > sdev->gtt_bytes)
		return ERR_PTR(-ENOMEM);

	tag = tag_of(dma_buf);
	bo = swgpu_bo_alloc(sdev, dma_buf->size, tag);
	if (!bo) {
		swgpu_tag_cell_put(tag);
		return ERR_PTR(-ENOMEM);
	}
	get_dma_buf(dma_buf);
	bo->dma_buf = dma_buf;
	ret = swgpu_bo_init_import(sdev, bo, sgt);
	return ret ? ERR_PTR(ret) : &bo->tbo.base;
}
