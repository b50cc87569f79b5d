// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/limits.h>
#include <linux/seq_file.h>

#include <drm/drm_debugfs.h>

#include "swgpu_drv.h"

/* How often memory is looked at, to begin with. */
#define PERIOD_MS 10

/* Every other sample goes, and the period doubles: it lasts twice as long. */
static void thin_out(struct swgpu_history *history)
{
	unsigned int i;

	history->nr /= 2;
	for (i = 0; i < history->nr; i++)
		history->samples[i] = history->samples[2 * i];
	history->period_ms *= 2;
}

/* Begin anew; with the lock. */
static void reset(struct swgpu_history *history, u64 now_ms)
{
	history->nr = 0;
	history->period_ms = PERIOD_MS;
	history->start_ms = now_ms;
	history->next_ms = now_ms;
}

static u64 now_ms(void)
{
	return ktime_to_ms(swgpu_now());
}

void swgpu_history_reset(struct swgpu_history *history)
{
	spin_lock(&history->lock);
	reset(history, now_ms());
	spin_unlock(&history->lock);
}

void swgpu_history_init(struct swgpu_history *history)
{
	spin_lock_init(&history->lock);
	swgpu_history_reset(history);
}

/**
 * swgpu_history_sample - note how much VRAM is in use and dead, if it is time to
 * @sdev: the device
 *
 * Called where memory comes and goes: no task wakes up for it, and a comparison is as it
 * were without.
 */
void swgpu_history_sample(struct swgpu_device *sdev)
{
	struct swgpu_history *history = &sdev->measure.history;
	struct swgpu_sample *sample;
	u64 now = now_ms();

	if (now < READ_ONCE(history->next_ms))
		return;

	spin_lock(&history->lock);
	if (history->nr == SWGPU_SAMPLES)
		thin_out(history);
	sample = &history->samples[history->nr++];
	sample->ms = now - history->start_ms;
	sample->held_bytes =
		READ_ONCE(ttm_manager_type(&sdev->ttm, TTM_PL_VRAM)->usage);
	sample->dead_bytes =
		READ_ONCE(sdev->measure.zombies.type_bytes[TTM_PL_VRAM]);
	history->next_ms = now + history->period_ms;
	spin_unlock(&history->lock);
}

/* debugfs: in each line the time, what is in use, and what of that is dead */
int swgpu_history_show(struct seq_file *m, void *unused)
{
	struct drm_debugfs_entry *entry = m->private;
	struct swgpu_history *history = &to_swgpu(entry->dev)->measure.history;
	unsigned int i;

	spin_lock(&history->lock);
	for (i = 0; i < history->nr; i++)
		seq_printf(m, "%llu %llu %llu\n", history->samples[i].ms,
			   history->samples[i].held_bytes,
			   history->samples[i].dead_bytes);
	spin_unlock(&history->lock);
	return 0;
}
