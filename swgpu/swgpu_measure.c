// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/math64.h>
#include <linux/sched.h>
#include <linux/seq_file.h>

#include <drm/drm_debugfs.h>
#include <drm/drm_managed.h>
#include <drm/drm_print.h>

#include "swgpu_drv.h"
#include "swgpu_trace.h"

void swgpu_count_add(struct swgpu_device *sdev, enum swgpu_count what,
		     u64 value)
{
	atomic64_add(value, &sdev->measure.count[what]);
}

void swgpu_measure_eviction(struct swgpu_device *sdev, u64 bytes)
{
	swgpu_count_add(sdev, SWGPU_COUNT_EVICTIONS, 1);
	swgpu_count_add(sdev, SWGPU_COUNT_EVICTED_BYTES, bytes);
	trace_swgpu_evict(bytes);
}

/* How many buffers there are, but for those that died while they were busy. */
static u64 count_alive(struct swgpu_measure *m)
{
	s64 alive = atomic64_read(&m->buffers) - READ_ONCE(m->zombies.count);

	/* The two are not read at once. */
	return max_t(s64, alive, 0);
}

/**
 * swgpu_measure_alloc - an allocation has ended
 * @sdev: the device
 * @bytes: what was wanted
 * @start: when it began
 * @result: 0, or why there is none
 */
void swgpu_measure_alloc(struct swgpu_device *sdev, u64 bytes, ktime_t start,
			 int result)
{
	u64 ns = ktime_to_ns(ktime_sub(swgpu_now(), start));

	trace_swgpu_alloc(bytes, ns, result, count_alive(&sdev->measure));
	swgpu_latency_add(&sdev->measure.latency, ns);
}

/* To be called before @bytes changes, with the lock. */
static void add_up(struct swgpu_zombies *z)
{
	ktime_t now = swgpu_now();

	z->kib_ns += (z->bytes >> 10) * ktime_to_ns(ktime_sub(now, z->changed));
	z->changed = now;
}

/**
 * swgpu_measure_death - the last reference to a buffer is gone
 * @bo: the buffer; its reservation need not be held
 *
 * If it is busy it counts as a zombie until its memory is released. The same
 * test in both modes, so that their numbers compare.
 */
void swgpu_measure_death(struct swgpu_bo *bo)
{
	struct swgpu_device *sdev = to_swgpu(bo->tbo.base.dev);
	struct swgpu_zombies *z = &sdev->measure.zombies;

	if (!bo->tbo.resource ||
	    dma_resv_test_signaled(bo->tbo.base.resv, DMA_RESV_USAGE_BOOKKEEP))
		return;

	swgpu_count_add(sdev, SWGPU_COUNT_DEFERRED, 1);
	bo->zombie_type = bo->tbo.resource->mem_type;
	spin_lock(&z->lock);
	add_up(z);
	z->count++;
	z->bytes += bo->tbo.base.size;
	z->type_bytes[bo->zombie_type] += bo->tbo.base.size;
	z->peak_bytes = max(z->peak_bytes, z->bytes);
	trace_swgpu_death(bo, z->count, z->bytes);
	spin_unlock(&z->lock);
	swgpu_history_sample(sdev);
}

/* The memory of a dead buffer is about to be released. */
void swgpu_measure_release(struct swgpu_bo *bo)
{
	struct swgpu_zombies *z = &to_swgpu(bo->tbo.base.dev)->measure.zombies;

	if (bo->zombie_type < 0)
		return;

	spin_lock(&z->lock);
	add_up(z);
	z->count--;
	z->bytes -= bo->tbo.base.size;
	z->type_bytes[bo->zombie_type] -= bo->tbo.base.size;
	trace_swgpu_freed(bo, z->count, z->bytes);
	spin_unlock(&z->lock);
	bo->zombie_type = -1;
}

u64 swgpu_measure_zombies(struct swgpu_device *sdev)
{
	return READ_ONCE(sdev->measure.zombies.count);
}

/* Mark the current task as one that drops a buffer. */
void swgpu_measure_deleting_begin(struct swgpu_device *sdev,
				  struct swgpu_deleting *mark)
{
	struct swgpu_measure *m = &sdev->measure;

	mark->task = current;
	spin_lock_irq(&m->deleting_lock);
	list_add(&mark->entry, &m->deleting);
	spin_unlock_irq(&m->deleting_lock);
}

void swgpu_measure_deleting_end(struct swgpu_device *sdev,
				struct swgpu_deleting *mark)
{
	struct swgpu_measure *m = &sdev->measure;

	spin_lock_irq(&m->deleting_lock);
	list_del(&mark->entry);
	spin_unlock_irq(&m->deleting_lock);
}

/* Only TTM's delayed delete runs our fences through a workqueue. */
static bool current_deletes(struct swgpu_measure *m)
{
	struct swgpu_deleting *mark;
	unsigned long flags;
	bool found = false;

	if (current->flags & PF_WQ_WORKER)
		return true;

	spin_lock_irqsave(&m->deleting_lock, flags);
	list_for_each_entry(mark, &m->deleting, entry) {
		found = mark->task == current;
		if (found)
			break;
	}
	spin_unlock_irqrestore(&m->deleting_lock, flags);
	return found;
}

/**
 * swgpu_measure_signaling - somebody wants an interrupt for a fence
 * @sdev: the device
 *
 * Context: any; the lock of the fence is held.
 */
void swgpu_measure_signaling(struct swgpu_device *sdev)
{
	bool for_dead = current_deletes(&sdev->measure);

	trace_swgpu_interrupt(for_dead);
	swgpu_count_add(sdev, SWGPU_COUNT_SIGNALING, 1);
	if (for_dead)
		swgpu_count_add(sdev, SWGPU_COUNT_SIGNALING_BY_DELETE, 1);
}

static u64 read_count(struct swgpu_measure *m, enum swgpu_count what,
		      bool reset)
{
	u64 now = atomic64_read(&m->count[what]);
	u64 value = now - m->base[what];

	if (reset)
		m->base[what] = now;
	return value;
}

static void read_counts(struct swgpu_measure *m, struct drm_swgpu_stats *out,
			bool reset)
{
	out->buffers_created = read_count(m, SWGPU_COUNT_CREATED, reset);
	out->deferred_deletes = read_count(m, SWGPU_COUNT_DEFERRED, reset);
	out->signaling_enabled = read_count(m, SWGPU_COUNT_SIGNALING, reset);
	out->signaling_enabled_by_delete =
		read_count(m, SWGPU_COUNT_SIGNALING_BY_DELETE, reset);
	out->work_items = read_count(m, SWGPU_COUNT_WORK_ITEMS, reset);
	out->context_switches = read_count(m, SWGPU_COUNT_SWITCHES, reset);
	out->jobs = read_count(m, SWGPU_COUNT_JOBS, reset);
	out->tag_errors = read_count(m, SWGPU_COUNT_TAG_ERRORS, reset);
	out->evictions = read_count(m, SWGPU_COUNT_EVICTIONS, reset);
	out->evicted_bytes = read_count(m, SWGPU_COUNT_EVICTED_BYTES, reset);
	out->copies = read_count(m, SWGPU_COUNT_COPIES, reset);
}

static void read_freed(struct swgpu_device *sdev, struct drm_swgpu_stats *out,
		       bool reset)
{
	struct swgpu_measure *m = &sdev->measure;
	int i;

	for (i = 0; i < SWGPU_FREED_AT_COUNT; i++) {
		u64 now = swgpu_freed_bytes(&sdev->ttm, i);

		out->freed_bytes_at[i] = now - m->freed_base[i];
		if (reset)
			m->freed_base[i] = now;
	}
}

static void read_zombies(struct swgpu_zombies *z, struct drm_swgpu_stats *out,
			 bool reset)
{
	u64 ns;

	spin_lock(&z->lock);
	add_up(z);
	ns = ktime_to_ns(ktime_sub(z->changed, z->since));
	out->mean_zombie_bytes = ns ? div64_u64(z->kib_ns, ns) << 10 : 0;
	out->zombies = z->count;
	out->zombie_bytes = z->bytes;
	out->vram_zombie_bytes = z->type_bytes[TTM_PL_VRAM];
	out->gtt_zombie_bytes = z->type_bytes[TTM_PL_TT];
	out->peak_zombie_bytes = z->peak_bytes;
	if (reset) {
		z->peak_bytes = z->bytes;
		z->since = z->changed;
		z->kib_ns = 0;
	}
	spin_unlock(&z->lock);
}

static int read_stats(struct swgpu_device *sdev, struct drm_swgpu_stats *out,
		      bool reset)
{
	struct swgpu_measure *m = &sdev->measure;
	int ret;

	ret = mutex_lock_interruptible(&m->query);
	if (ret)
		return ret;
	swgpu_latency_read(&m->latency, out, reset);
	read_counts(m, out, reset);
	read_freed(sdev, out, reset);
	read_zombies(&m->zombies, out, reset);
	if (reset)
		swgpu_history_reset(&m->history);
	out->buffers = atomic64_read(&m->buffers);
	swgpu_usage_read(sdev, out);
	out->fence_lru = !!swgpu_fence_lru(&sdev->ttm);
	mutex_unlock(&m->query);
	return 0;
}

int swgpu_stats_ioctl(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_swgpu_stats *args = data;

	if (args->pad || args->flags & ~SWGPU_STATS_RESET)
		return -EINVAL;
	return read_stats(to_swgpu(drm), args, args->flags & SWGPU_STATS_RESET);
}

/* debugfs: one "name: value" in each line */
int swgpu_stats_show(struct seq_file *m, void *unused)
{
	struct drm_debugfs_entry *entry = m->private;
	struct drm_swgpu_stats s = {};
	int i, ret;

	ret = read_stats(to_swgpu(entry->dev), &s, false);
	if (ret)
		return ret;

#define SHOW(member) \
	seq_printf(m, #member ": %llu\n", (unsigned long long)s.member)
	SHOW(fence_lru);
	SHOW(buffers_created);
	SHOW(deferred_deletes);
	SHOW(signaling_enabled);
	SHOW(signaling_enabled_by_delete);
	SHOW(work_items);
	SHOW(context_switches);
	SHOW(jobs);
	SHOW(tag_errors);
	SHOW(evictions);
	SHOW(evicted_bytes);
	SHOW(copies);
	for (i = 0; i < SWGPU_FREED_AT_COUNT; i++)
		seq_printf(m, "freed_bytes_at[%d]: %llu\n", i,
			   s.freed_bytes_at[i]);
	SHOW(allocs);
	SHOW(alloc_p50_ns);
	SHOW(alloc_p99_ns);
	SHOW(alloc_p999_ns);
	SHOW(alloc_max_ns);
	SHOW(alloc_total_ns);
	SHOW(zombies);
	SHOW(zombie_bytes);
	SHOW(peak_zombie_bytes);
	SHOW(mean_zombie_bytes);
	SHOW(buffers);
	SHOW(vram_bytes);
	SHOW(vram_used_bytes);
	SHOW(vram_held_bytes);
	SHOW(vram_zombie_bytes);
	SHOW(vram_signaled_bytes);
	SHOW(gtt_used_bytes);
	SHOW(gtt_held_bytes);
	SHOW(gtt_zombie_bytes);
	SHOW(gtt_signaled_bytes);
#undef SHOW
	return 0;
}

static void measure_fini(struct drm_device *drm, void *unused)
{
	struct swgpu_device *sdev = to_swgpu(drm);

	if (sdev->measure.probing)
		swgpu_probe_unregister(sdev);
	swgpu_latency_fini(&sdev->measure.latency);
	mutex_destroy(&sdev->measure.query);
}

/**
 * swgpu_measure_init - start counting
 * @sdev: the device
 * @probe: use the kernel's tracepoints too
 *
 * Return: 0, or -ENOMEM, or -ENOENT if @probe and a tracepoint is missing.
 */
int swgpu_measure_init(struct swgpu_device *sdev, bool probe)
{
	struct swgpu_measure *m = &sdev->measure;
	int ret;

	mutex_init(&m->query);
	spin_lock_init(&m->zombies.lock);
	m->zombies.since = swgpu_now();
	m->zombies.changed = m->zombies.since;
	spin_lock_init(&m->deleting_lock);
	INIT_LIST_HEAD(&m->deleting);
	swgpu_history_init(&m->history);
	ret = swgpu_latency_init(&m->latency);
	if (ret)
		return ret;
	if (probe) {
		ret = swgpu_probe_register(sdev);
		if (ret) {
			swgpu_latency_fini(&m->latency);
			return ret;
		}
		m->probing = true;
	}
	return drmm_add_action_or_reset(&sdev->drm, measure_fini, NULL);
}
