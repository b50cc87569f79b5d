/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _TTM_FENCE_LRU_MODEL_H_
#define _TTM_FENCE_LRU_MODEL_H_

#include <linux/types.h>

/*
 * What the engine promises, in the plainest form: arrays, and loops over all of them.
 * Nothing here is shared with the engine. Buffers, groups, channels and fences are
 * numbers. There are no lists: whatever stands on one knows since when, and the list is
 * all that stand there, in that order. A node is a number in the order of emission, from
 * 1 on, and exists while somebody is on it.
 */
#define MODEL_BOS 26
#define MODEL_GROUPS 2
#define MODEL_OWNERS (MODEL_BOS + MODEL_GROUPS)
#define MODEL_CHANNELS 6
#define MODEL_FENCES 1024
#define MODEL_NODES 1024
#define MODEL_RESV 64
#define MODEL_NAMES 512
#define MODEL_TYPES 3
#define MODEL_NONE (-1)
/* In place of a memory type; as the engine's */
#define MODEL_ANY_TYPE 0xff
/* As the engine's: zombies of one attempt, fences that are tested at a trim */
#define MODEL_BATCH 8
#define MODEL_TRIM_BLOCKERS 4
/* And what a sweep looks at. */
#define MODEL_SWEEP_CHANNELS 4
#define MODEL_SWEEP_NODES 16

/* What an owner is; and with whom it stands on a list of which number. */
enum model_state {
	MODEL_GONE,
	MODEL_DYING,
	/* On a node */
	MODEL_ALIVE,
	MODEL_BURIED,
	/* Of a memory type; or behind a fence, as model_behind() says */
	MODEL_RIPE,
	MODEL_LOCKED,
	MODEL_BLOCKED,
	/* Other lists: the LRU, or a group's range; one of each behind a fence, of a type */
	MODEL_ON_LRU,
	MODEL_BLOCKERS,
	/* Not of owners, but of channels */
	MODEL_JOINED,
	MODEL_ACTIVE,
};

struct model_fence {
	int channel;
	u64 seqno;
	bool silent;
	bool armed;
	bool done;
	/* Since when it stands where it does among the blockers of a type */
	unsigned int since[MODEL_TYPES];
};

struct model_node {
	int channel;
	int fence;
};

/* A buffer's or group's membership in a node, 0 for none. */
struct model_use {
	int node;
	unsigned int since;
};

/* A buffer, or a group. */
struct model_owner {
	enum model_state state;
	struct model_use at[MODEL_CHANNELS];
	/* Since when on the LRU, or in the range of its group; 0: parked */
	unsigned int placed;
	/* Since when among the ripe, the locked or the blocked */
	unsigned int since;
	/* The last node of those that it left while it was alive */
	int last_node;
	int blocker;
	int resv[MODEL_RESV];
	int nr_resv;
	int group;
	int type;
	u64 bytes;
	bool import;
	bool refused;
	bool locked;
	bool cleaned;
	int nr_links;
};

struct model_channel {
	bool registered;
	bool killed;
	bool silent;
	/* Of its last fence, and of the newest that had a node */
	u64 seqno;
	u64 last;
	/* Whether the next retire is to find it, the last to join first; or since when */
	unsigned int joined;
	unsigned int active;
	/* Nodes up to these have been seen signaled, and swept */
	int settled;
	int swept;
	/* Somebody waits for it to go on, since this fence was its first */
	bool waited;
	int waited_for;
};

struct model {
	struct model_owner owners[MODEL_OWNERS];
	struct model_channel channels[MODEL_CHANNELS];
	struct model_fence fences[MODEL_FENCES];
	int nr_fences;
	struct model_node nodes[MODEL_NODES];
	int nr_nodes;
	unsigned int time;
	u64 limit;
	u64 limits[MODEL_TYPES];
	u64 peak_bytes;
	u64 deferred;
	u64 armed;
	u64 unlinked;
	char cleaned[MODEL_NAMES];
	char destroyed[MODEL_NAMES];
};

enum model_step { MODEL_TO_RETIRE, MODEL_TO_UNBLOCK, MODEL_TO_UNLOCK };

struct model_need {
	int type;
	enum model_step step;
	int locked;
};

/* What to wait for: of which type, up to which node, also of those waited for. */
struct model_due {
	int type;
	int last_node;
	bool patient;
};

/* model.c: buffers, groups and channels */
void model_init(struct model *m);
void model_create(struct model *m, int owner);
int model_emit(struct model *m, int channel, bool silent);
void model_use(struct model *m, const int *owners, int count, int fence);
void model_register(struct model *m, int channel);
void model_join(struct model *m, int group, int bo);
bool model_leave(struct model *m, int bo, bool no_memory);

void model_append_name(char *names, char name);
bool model_signaled(const struct model *m, int fence);
bool model_arm(struct model *m, int fence);
int model_next_node(const struct model *m, int channel, int after);
int model_next(const struct model *m, enum model_state kind, int number,
	       unsigned int *after);
int model_nr_links(const struct model *m, int owner);
void model_place(struct model *m, int owner);

/* model_retire.c: what leaves the channels, and what is busy */
void model_retire(struct model *m, bool arm);
void model_sweep(struct model *m);
void model_unregister(struct model *m, int channel);
void model_note_wait(struct model *m, int channel);
int model_frontiers(struct model *m, struct model_due *due, int *fences,
		    int max);
void model_visit_busy(struct model *m, bool patient, char *names);
int model_oldest_zombie(struct model *m, int type, bool patient, int after);

/* model_reclaim.c: what becomes of the dead */
void model_put(struct model *m, int bo, bool no_memory);
bool model_can_evict(const struct model *m, int bo);
void model_evict(struct model *m, int bo);
int model_reclaim(struct model *m, struct model_need *need);
u64 model_shrink(struct model *m, int type, u64 target);
int model_drain(struct model *m);
void model_trim(struct model *m);
void model_print_lru(const struct model *m, char *names);
void model_print_nodes(const struct model *m, int channel, char *names);
void model_print_dead(const struct model *m, int type, char *names);

static inline char model_name(int owner)
{
	return owner < MODEL_BOS ? 'A' + owner : '*';
}

static inline int model_behind(int fence, int type)
{
	return fence * MODEL_TYPES + type;
}

static inline bool model_is_dead(const struct model *m, int owner)
{
	return m->owners[owner].state >= MODEL_BURIED;
}

#endif
