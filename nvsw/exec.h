/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What executes. nvkm tells the chip what it tells hardware: where runlists and instance blocks
 * are in VRAM, which channels may run, and when to stop. All else the chip finds there. ::
 *
 *   fifo.c    what nvkm calls
 *   sched.c   one channel of each runlist at a time, a little per tick of its timer
 *   pbdma.c   entries of the ring, the words that they name, and methods in these
 *   host.c    methods of all channels: semaphores
 *   copy.c, inline.c, report.c   those of engines
 *   access.c  memory at virtual addresses
 *   count.c   what nobody knew, and debugfs
 *
 * Each calls only those below it.
 */
#ifndef NVSW_EXEC_H
#define NVSW_EXEC_H

#include <linux/hrtimer.h>
#include <linux/prandom.h>
#include <linux/spinlock.h>

#include "memory.h"

struct nvkm_device;

#define NVSW_NR_CHANS 128
#define NVSW_NR_RUNLS 2
#define NVSW_NR_SUBCHANNELS 8
/* Methods of a subchannel, in words. */
#define NVSW_NR_METHODS 0x1000

/* Engines and clients, as hardware numbers them in faults. */
#define NVSW_ENGINE_CE0 0x0f
#define NVSW_ENGINE_CE1 0x10
#define NVSW_ENGINE_GR 0x40
#define NVSW_CLIENT_HOST 0x06

/**
 * enum nvsw_step - how a channel got on
 * @NVSW_STEP_MORE: it has done a part, and there is more
 * @NVSW_STEP_IDLE: there is nothing to do
 * @NVSW_STEP_WAIT: it waits for a semaphore
 * @NVSW_STEP_STUCK: it will not go on: it faulted, or hangs
 */
enum nvsw_step {
	NVSW_STEP_MORE,
	NVSW_STEP_IDLE,
	NVSW_STEP_WAIT,
	NVSW_STEP_STUCK,
};

enum nvsw_compare { NVSW_EQUAL, NVSW_GEQ, NVSW_AND };

enum nvsw_hang { NVSW_HANG_NONE, NVSW_HANG_PREEMPTIBLE, NVSW_HANG_FOR_GOOD };

/**
 * struct nvsw_acquire - a semaphore that a channel waits for
 * @active: it does
 * @address: virtual
 * @value: compared with what is there
 * @compare: how
 */
struct nvsw_acquire {
	bool active;
	u64 address;
	u32 value;
	enum nvsw_compare compare;
};

/**
 * struct nvsw_copy - a copy that is under way
 * @active: it is
 * @launch: how, and what follows it
 * @shadow: the methods that were set
 * @lines: of it
 * @line: which one is next
 * @done: elements of that line that are done
 */
struct nvsw_copy {
	bool active;
	u32 launch;
	const u32 *shadow;
	u32 lines;
	u32 line;
	u32 done;
};

/**
 * struct nvsw_inline - data that comes with methods
 * @address: where the next word goes
 * @start: of the line
 * @left: bytes of the line
 * @lines: that are left, with this one
 */
struct nvsw_inline {
	u64 address;
	u64 start;
	u32 left;
	u32 lines;
};

/**
 * struct nvsw_chan - a channel; all protected by the chip's lock
 * @chip: whose
 * @id: its number
 * @tsg: of its group
 * @runl: the runlist it was seen on
 * @inst: the address of its instance block in VRAM
 * @driver: it is the driver's own, which moves buffers with it
 * @bound: @inst counts
 * @enabled: it may be chosen
 * @rung: its doorbell was, so what it has to do is to be looked at
 * @faulted: and not recovered since
 * @hang: by request
 * @pdb: of its address space; read when it was loaded, as the following
 * @userd: the address in VRAM of what it shares with who fills its ring
 * @ring: the virtual address of the ring
 * @ring_size: in entries
 * @gp_get: which entry is next
 * @gp_put: which one is not there yet
 * @get: the virtual address of the next word
 * @end: where these words end
 * @method: of the next word, in bytes
 * @subchannel: its
 * @count: how many words are methods
 * @increments: by which @method changes after a word, how many times
 * @class: of each subchannel
 * @semaphore: methods of it that were set, by the word
 * @acquire: what it waits for
 * @copy: what it copies
 * @inlined: data that it writes
 * @fault_address: where it faulted
 * @fault: why; NVSW_FAULT_NONE if it did not
 * @fault_write: it was writing
 * @shadow: the last word of each method of each subchannel
 */
struct nvsw_chan {
	struct nvsw_chip *chip;
	int id;
	int tsg;
	int runl;
	u64 inst;
	bool driver;
	bool bound;
	bool enabled;
	bool rung;
	bool faulted;
	enum nvsw_hang hang;
	u64 pdb;
	u64 userd;
	u64 ring;
	u32 ring_size;
	u32 gp_get;
	u32 gp_put;
	u64 get;
	u64 end;
	u32 method;
	u32 subchannel;
	u32 count;
	u32 increments;
	u32 class[NVSW_NR_SUBCHANNELS];
	u32 semaphore[0x80 / 4];
	struct nvsw_acquire acquire;
	struct nvsw_copy copy;
	struct nvsw_inline inlined;
	u64 fault_address;
	enum nvsw_fault fault;
	bool fault_write;
	u32 shadow[NVSW_NR_SUBCHANNELS][NVSW_NR_METHODS];
};

/**
 * struct nvsw_runl - a runlist
 * @chip: whose
 * @id: its number
 * @timer: of its ticks
 * @ticking: @timer is armed
 * @list: channels, in their order
 * @nr: how many
 * @next: which one is chosen next
 * @commit: a new list is to be read
 * @commit_address: where it is in VRAM
 * @commit_nr: its entries
 * @preempt: the channel that runs is to be taken off
 * @blocked: no channel is chosen
 * @waiting: the last tick found nothing that goes on
 * @current_chan: the channel that runs
 */
struct nvsw_runl {
	struct nvsw_chip *chip;
	int id;
	struct hrtimer timer;
	bool ticking;
	u8 list[NVSW_NR_CHANS];
	unsigned int nr;
	unsigned int next;
	bool commit;
	u64 commit_address;
	unsigned int commit_nr;
	bool preempt;
	bool blocked;
	bool waiting;
	struct nvsw_chan *current_chan;
};

/**
 * struct nvsw_chip - the state of the chip
 * @lock: protects all of it
 * @device: nvkm's
 * @chans: by number
 * @runls: its runlists
 * @random: for times; reproducible, as far as what happens is
 * @nonstall: somebody is to be told that there may be news
 * @nonstall_allowed: and wants to
 * @interrupts: how often somebody was told
 * @ticks: of all runlists
 * @faults: of channels
 * @copied_bytes: by copy engines, without a change of components
 * @moved_out: buffers that the driver had copied out of VRAM
 * @moved_in: and into it
 */
struct nvsw_chip {
	raw_spinlock_t lock;
	struct nvkm_device *device;
	struct nvsw_chan *chans[NVSW_NR_CHANS];
	struct nvsw_runl runls[NVSW_NR_RUNLS];
	struct rnd_state random;
	bool nonstall;
	bool nonstall_allowed;
	unsigned long interrupts;
	unsigned long ticks;
	unsigned long faults;
	unsigned long copied_bytes;
	unsigned long moved_out;
	unsigned long moved_in;
};

/* sched.c. Those whose names end in _locked want the chip's lock. */
void nvsw_sched_start(struct nvsw_chip *chip);
void nvsw_sched_stop(struct nvsw_chip *chip);
void nvsw_runl_kick_locked(struct nvsw_runl *runl);
/* An engine of the runlist is reset: the channel on it is gone from there. */
void nvsw_runl_reset_locked(struct nvsw_runl *runl);

/* pbdma.c */
void nvsw_pbdma_load(struct nvsw_chan *chan);
void nvsw_pbdma_save(struct nvsw_chan *chan);
bool nvsw_pbdma_has_work(const struct nvsw_chan *chan);
enum nvsw_step nvsw_pbdma_run(struct nvsw_chan *chan, unsigned int words);

/* host.c */
void nvsw_host_method(struct nvsw_chan *chan, u32 method, u32 data);
/* Whether the semaphore that it waits for lets it go on. */
bool nvsw_host_acquired(struct nvsw_chan *chan);

/* copy.c, inline.c, report.c: false if they do not know the method. */
bool nvsw_copy_method(struct nvsw_chan *chan, const u32 *shadow, u32 method,
		      u32 data);
void nvsw_copy_go_on(struct nvsw_chan *chan);
bool nvsw_inline_method(struct nvsw_chan *chan, const u32 *shadow, u32 method,
			u32 data);
bool nvsw_report_method(struct nvsw_chan *chan, const u32 *shadow, u32 method,
			u32 data);

/* access.c: false if there was a fault, which is in the channel then. */
bool nvsw_read(struct nvsw_chan *chan, u64 address, void *buffer, size_t size);
bool nvsw_write(struct nvsw_chan *chan, u64 address, const void *buffer,
		size_t size);
bool nvsw_move(struct nvsw_chan *chan, u64 to, u64 from, size_t size);
bool nvsw_read32(struct nvsw_chan *chan, u64 address, u32 *value);
/* Whether the page is one of VRAM. */
bool nvsw_in_vram(struct nvsw_chan *chan, u64 address);
/* A value; and, if wanted, the time behind it. */
bool nvsw_write_report(struct nvsw_chan *chan, u64 address, u32 value,
		       bool with_time);

/* count.c */
void nvsw_count_unknown(u32 class, u32 method);
void nvsw_count_init(struct nvsw_chip *chip);
void nvsw_count_fini(void);

#endif
