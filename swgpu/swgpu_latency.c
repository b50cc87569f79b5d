// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/limits.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include <drm/drm_debugfs.h>

#include "swgpu_drv.h"

#define MAX_SAMPLES SZ_1M

int swgpu_latency_init(struct swgpu_latency *lat)
{
	spin_lock_init(&lat->lock);
	lat->samples = vmalloc(array_size(MAX_SAMPLES, sizeof(*lat->samples)));
	lat->sorted = vmalloc(array_size(MAX_SAMPLES, sizeof(*lat->sorted)));
	if (lat->samples && lat->sorted)
		return 0;
	swgpu_latency_fini(lat);
	return -ENOMEM;
}

void swgpu_latency_fini(struct swgpu_latency *lat)
{
	vfree(lat->sorted);
	vfree(lat->samples);
}

void swgpu_latency_add(struct swgpu_latency *lat, u64 ns)
{
	spin_lock(&lat->lock);
	lat->allocs++;
	lat->max_ns = max(lat->max_ns, ns);
	lat->total_ns += ns;
	if (lat->nr_samples < MAX_SAMPLES)
		lat->samples[lat->nr_samples++] = min_t(u64, ns, U32_MAX);
	spin_unlock(&lat->lock);
}

static int compare(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

/* The smallest value that at least so many in 1000 of the sorted ones do not exceed */
static u32 quantile(const u32 *sorted, u32 nr, u32 permille)
{
	return nr ? sorted[DIV_ROUND_UP((u64)nr * permille, 1000) - 1] : 0;
}

/**
 * swgpu_latency_read - compute percentiles
 * @lat: the samples
 * @out: its members about allocations are set
 * @reset: forget the samples
 *
 * Context: one at a time, by &swgpu_measure.query.
 */
void swgpu_latency_read(struct swgpu_latency *lat, struct drm_swgpu_stats *out,
			bool reset)
{
	u32 *sorted = lat->sorted;
	u32 nr;

	spin_lock(&lat->lock);
	nr = lat->nr_samples;
	memcpy(sorted, lat->samples, nr * sizeof(*sorted));
	out->allocs = lat->allocs;
	out->alloc_max_ns = lat->max_ns;
	out->alloc_total_ns = lat->total_ns;
	if (reset) {
		lat->nr_samples = 0;
		lat->allocs = 0;
		lat->max_ns = 0;
		lat->total_ns = 0;
	}
	spin_unlock(&lat->lock);

	sort(sorted, nr, sizeof(*sorted), compare, NULL);
	out->alloc_p50_ns = quantile(sorted, nr, 500);
	out->alloc_p99_ns = quantile(sorted, nr, 990);
	out->alloc_p999_ns = quantile(sorted, nr, 999);
}

/* Four classes an octave; from 4 ns on, the smallest there is. */
static u32 class_of(u32 ns)
{
	u32 octave = ilog2(max(ns, 4));

	return max(ns, 4) >> (octave - 2) << (octave - 2);
}

/* debugfs: in each line what so many allocations took at least, and how many */
int swgpu_latency_show(struct seq_file *m, void *unused)
{
	struct drm_debugfs_entry *entry = m->private;
	struct swgpu_measure *measure = &to_swgpu(entry->dev)->measure;
	struct swgpu_latency *lat = &measure->latency;
	u32 i, first = 0, nr;
	int ret;

	ret = mutex_lock_interruptible(&measure->query);
	if (ret)
		return ret;
	spin_lock(&lat->lock);
	nr = lat->nr_samples;
	memcpy(lat->sorted, lat->samples, nr * sizeof(*lat->sorted));
	spin_unlock(&lat->lock);

	sort(lat->sorted, nr, sizeof(*lat->sorted), compare, NULL);
	for (i = 1; i <= nr; i++) {
		if (i < nr &&
		    class_of(lat->sorted[i]) == class_of(lat->sorted[first]))
			continue;
		seq_printf(m, "%u %u\n", class_of(lat->sorted[first]),
			   i - first);
		first = i;
	}
	mutex_unlock(&measure->query);
	return 0;
}
