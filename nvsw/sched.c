// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Time. Each runlist has a timer, and does a little whenever that rings: it reads a new list,
 * takes a channel off, chooses one, or lets the one that runs go on. How long it is until the
 * next tick is random. Nothing happens at once, neither what the doorbell asks for, nor what
 * nvkm asks for: it has to wait, as it has to for hardware.
 *
 * A channel that runs is not stopped by being disabled or taken off the list, but by preempt
 * or reset, as on hardware.
 */
#include <linux/module.h>

#include <drm/ttm/ttm_resource.h>

#include <core/device.h>
#include <core/event.h>
#include <engine/fifo.h>
#include <subdev/fault.h>

#include "board.h"
#include "exec.h"

static uint seed = 1;
module_param_named(nvsw_seed, seed, uint, 0444);
MODULE_PARM_DESC(nvsw_seed, "of the software chip's times");

static uint delay_us = 50;
module_param_named(nvsw_delay_us, delay_us, uint, 0644);
MODULE_PARM_DESC(nvsw_delay_us,
		 "the longest time between two ticks of a runlist");

/* A runlist on which nothing goes on looks less often whether a semaphore was released. */
#define WAIT_FACTOR 10

/* Words of a tick, at most; a page that is copied counts as one. */
#define WORDS 64

/* In VRAM: an entry is a group, or a channel. */
#define ENTRY_SIZE 16
#define ENTRY_IS_GROUP BIT(0)

static ktime_t delay_locked(struct nvsw_runl *runl)
{
	u32 longest = max(READ_ONCE(delay_us), 1u), us;

	if (runl->waiting)
		longest *= WAIT_FACTOR;
	us = prandom_u32_state(&runl->chip->random) % longest + 1;
	return ns_to_ktime(us * NSEC_PER_USEC);
}

void nvsw_runl_kick_locked(struct nvsw_runl *runl)
{
	lockdep_assert_held(&runl->chip->lock);

	if (runl->ticking)
		return;
	runl->ticking = true;
	hrtimer_start(&runl->timer, delay_locked(runl), HRTIMER_MODE_REL);
}

static struct nvsw_chan *chan_of(struct nvsw_chip *chip, u32 id)
{
	return id < NVSW_NR_CHANS ? chip->chans[id] : NULL;
}

/* An entry of the list. The channel must be what nvkm said that it is. */
static void read_entry(struct nvsw_runl *runl, const u32 *entry, int *tsg)
{
	struct nvsw_chan *chan;
	u64 inst;

	if (entry[0] & ENTRY_IS_GROUP) {
		*tsg = entry[2] & 0xfff;
		return;
	}
	chan = chan_of(runl->chip, entry[2] & 0xfff);
	inst = (u64)entry[3] << 32 | (entry[2] & ~0xfff);
	if (!chan || !chan->bound || chan->inst != inst ||
	    runl->nr == NVSW_NR_CHANS) {
		pr_err("nvsw: runlist %d has a channel %u that is not there\n",
		       runl->id, entry[2] & 0xfff);
		return;
	}
	chan->tsg = *tsg;
	chan->runl = runl->id;
	runl->list[runl->nr++] = chan->id;
}

static void read_list(struct nvsw_runl *runl)
{
	struct nvsw_board *board = nvsw_board();
	int tsg = -1;
	u64 at;
	u32 i;

	runl->commit = false;
	runl->nr = 0;
	for (i = 0; i < runl->commit_nr; i++) {
		at = runl->commit_address + i * ENTRY_SIZE;
		if (at + ENTRY_SIZE > board->vram_size)
			return;
		read_entry(runl, board->vram + at, &tsg);
	}
}

static bool can_run(const struct nvsw_chan *chan)
{
	return chan && chan->bound && chan->enabled && !chan->faulted &&
	       chan->hang != NVSW_HANG_PREEMPTIBLE &&
	       (nvsw_pbdma_has_work(chan) || chan->hang == NVSW_HANG_FOR_GOOD);
}

static struct nvsw_chan *find_next(struct nvsw_runl *runl)
{
	struct nvsw_chan *chan;
	unsigned int i;

	for (i = 0; i < runl->nr; i++) {
		chan = chan_of(runl->chip,
			       runl->list[(runl->next + i) % runl->nr]);
		if (can_run(chan)) {
			runl->next = (runl->next + i + 1) % runl->nr;
			return chan;
		}
	}
	return NULL;
}

static void unload(struct nvsw_runl *runl)
{
	if (runl->current_chan)
		nvsw_pbdma_save(runl->current_chan);
	runl->current_chan = NULL;
}

static void choose(struct nvsw_runl *runl)
{
	runl->current_chan = find_next(runl);
	if (runl->current_chan)
		nvsw_pbdma_load(runl->current_chan);
}

/* What hangs for good, or has faulted, does not save its context: only a reset helps. */
static void preempt(struct nvsw_runl *runl)
{
	struct nvsw_chan *chan = runl->current_chan;

	if (chan && (chan->faulted || chan->hang == NVSW_HANG_FOR_GOOD))
		return;
	unload(runl);
	runl->preempt = false;
}

void nvsw_runl_reset_locked(struct nvsw_runl *runl)
{
	lockdep_assert_held(&runl->chip->lock);

	runl->current_chan = NULL;
	runl->preempt = false;
}

static void run(struct nvsw_runl *runl)
{
	struct nvsw_chan *chan = runl->current_chan;

	runl->waiting = true;
	if (chan->faulted || chan->hang != NVSW_HANG_NONE)
		return;
	switch (nvsw_pbdma_run(chan, WORDS)) {
	case NVSW_STEP_MORE:
		runl->waiting = false;
		/* The next one's turn, at times; a copy is not interrupted. */
		if (!chan->copy.active &&
		    prandom_u32_state(&runl->chip->random) % 4 == 0)
			unload(runl);
		break;
	case NVSW_STEP_IDLE:
		runl->waiting = false;
		unload(runl);
		break;
	case NVSW_STEP_WAIT:
		unload(runl);
		break;
	case NVSW_STEP_STUCK:
		chan->faulted = true;
		chan->chip->faults++;
		break;
	}
}

static bool has_work(struct nvsw_runl *runl)
{
	unsigned int i;

	if (runl->commit || runl->preempt || runl->current_chan)
		return true;
	if (runl->blocked)
		return false;
	for (i = 0; i < runl->nr; i++)
		if (can_run(chan_of(runl->chip, runl->list[i])))
			return true;
	return false;
}

/* Returns the channel that has just faulted, if any. */
static struct nvsw_chan *tick_locked(struct nvsw_runl *runl)
{
	struct nvsw_chan *before = runl->current_chan, *chan;
	bool faulted = before && before->faulted;

	runl->chip->ticks++;
	if (runl->commit)
		read_list(runl);
	if (runl->preempt)
		preempt(runl);
	if (!runl->current_chan && !runl->blocked)
		choose(runl);
	chan = runl->current_chan;
	if (!chan)
		return NULL;
	run(runl);
	return chan->faulted && !(faulted && chan == before) ? chan : NULL;
}

/* What an interrupt handler would find in the fault registers. */
static void describe_fault(const struct nvsw_chan *chan,
			   struct nvkm_fault_data *info)
{
	*info = (struct nvkm_fault_data){
		.addr = chan->fault_address,
		.inst = chan->inst,
		.time = ktime_get_ns(),
		.engine = chan->runl ? NVSW_ENGINE_CE1 : NVSW_ENGINE_GR,
		.valid = 1,
		.hub = 1,
		.access = chan->fault_write,
		.client = NVSW_CLIENT_HOST,
		.reason = chan->fault,
	};
}

/* Tells nvkm what an interrupt would, without the lock. */
static void tell(struct nvsw_chip *chip, bool nonstall,
		 const struct nvkm_fault_data *fault)
{
	struct nvkm_fifo *fifo = chip->device->fifo;

	if (nonstall)
		nvkm_event_ntfy(&fifo->nonstall.event, 0,
				NVKM_FIFO_NONSTALL_EVENT);
	if (fault)
		nvkm_fifo_fault(fifo, (struct nvkm_fault_data *)fault);
}

static enum hrtimer_restart tick(struct hrtimer *timer)
{
	struct nvsw_runl *runl = container_of(timer, struct nvsw_runl, timer);
	struct nvsw_chip *chip = runl->chip;
	struct nvkm_fault_data fault;
	struct nvsw_chan *faulted;
	unsigned long flags;
	bool nonstall, again;

	raw_spin_lock_irqsave(&chip->lock, flags);
	faulted = tick_locked(runl);
	if (faulted)
		describe_fault(faulted, &fault);
	nonstall = chip->nonstall && chip->nonstall_allowed;
	if (nonstall) {
		chip->nonstall = false;
		chip->interrupts++;
	}
	again = has_work(runl);
	runl->ticking = again;
	if (again)
		hrtimer_forward_now(timer, delay_locked(runl));
	raw_spin_unlock_irqrestore(&chip->lock, flags);

	tell(chip, nonstall, faulted ? &fault : NULL);
	return again ? HRTIMER_RESTART : HRTIMER_NORESTART;
}

/* Linux 6.12 has two functions for that; 7.3, which TTM's header tells it by, this one. */
#ifndef TTM_NUM_MOVE_FENCES
static void hrtimer_setup(struct hrtimer *timer,
			  enum hrtimer_restart (*function)(struct hrtimer *),
			  clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = function;
}
#endif

void nvsw_sched_start(struct nvsw_chip *chip)
{
	int i;

	prandom_seed_state(&chip->random, seed);
	for (i = 0; i < NVSW_NR_RUNLS; i++) {
		chip->runls[i] = (struct nvsw_runl){ .chip = chip, .id = i };
		hrtimer_setup(&chip->runls[i].timer, tick, CLOCK_MONOTONIC,
			      HRTIMER_MODE_REL);
	}
}

/* Nothing kicks any more. */
void nvsw_sched_stop(struct nvsw_chip *chip)
{
	int i;

	for (i = 0; i < NVSW_NR_RUNLS; i++)
		hrtimer_cancel(&chip->runls[i].timer);
}
