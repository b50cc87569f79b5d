/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _TTM_FENCE_LRU_MODEL_H_
#define _TTM_FENCE_LRU_MODEL_H_

#include <linux/types.h>

/*
 * What the engine promises, in the plainest form: arrays, and loops over all of them.
 * Nothing here is shared with the engine. Buffers, groups, channels and fences are
 * numbers; a node is the place of its fence in the order of emission.
 */
#define MODEL_BOS 20
#define MODEL_GROUPS 2
#define MODEL_OWNERS (MODEL_BOS + MODEL_GROUPS)
#define MODEL_CHANNELS 4
#define MODEL_FENCES 1024
#define MODEL_NODES 1024
#define MODEL_RESV 64
#define MODEL_NAMES 512
#define MODEL_TYPES 4
#define MODEL_NONE (-1)
/* In place of a memory type; as the engine's */
#define MODEL_ANY_TYPE 0xff
/* As the engine's: zombies of one step, and of a shrink's leftovers */
#define MODEL_BATCH 32
/* And what is done at a time about limits. */
#define MODEL_TRIM_HEADS 16
#define MODEL_TRIM_ZOMBIES 8

enum model_site { MODEL_RELEASE, MODEL_RECLAIM, MODEL_DRAIN, MODEL_SHRINK };

enum model_life { MODEL_GONE, MODEL_ALIVE, MODEL_DEAD };

struct model_fence {
	int channel;
	u64 seqno;
	bool silent;
	bool armed;
	bool done;
};

struct model_node {
	int channel;
	int fence;
};

/* A buffer's or group's membership in a node. */
struct model_use {
	int node;
	unsigned int stamp;
	bool zombie;
};

/* A buffer, or a group: then those that have no links of their own are its range. */
struct model_owner {
	enum model_life life;
	struct model_use at[MODEL_CHANNELS];
	int resv[MODEL_RESV];
	int nr_resv;
	int group;
	int type;
	u64 bytes;
	bool import;
	bool locked;
	bool cleaned;
	int nr_links;
	int range[MODEL_BOS];
	int nr_range;
};

struct model_channel {
	bool registered;
	bool killed;
	bool silent;
	u64 seqno;
	int settled;
	int counted;
	int stalled;
};

struct model {
	struct model_owner owners[MODEL_OWNERS];
	struct model_channel channels[MODEL_CHANNELS];
	struct model_fence fences[MODEL_FENCES];
	int nr_fences;
	struct model_node nodes[MODEL_NODES];
	int nr_nodes;
	int lru[MODEL_OWNERS];
	int nr_lru;
	int leftover[MODEL_BOS];
	int nr_leftover;
	unsigned int stamp;
	int heads[MODEL_CHANNELS];
	u64 pass;
	u64 passes;
	u64 limit;
	u64 limits[MODEL_TYPES];
	unsigned int deferred;
	unsigned int armed;
	char cleaned[MODEL_NAMES];
	char destroyed[MODEL_NAMES];
};

void model_init(struct model *m);
void model_create(struct model *m, int bo, int type, u64 bytes, bool import);
int model_emit(struct model *m, int channel, bool silent);
void model_use(struct model *m, int owner, int fence);
void model_signal(struct model *m, int fence);
void model_put(struct model *m, int bo, bool no_memory);
bool model_reclaim(struct model *m, unsigned int budget, u64 *released,
		   u64 *pass);
u64 model_shrink(struct model *m, int type, u64 target);
unsigned int model_drain(struct model *m);
u64 model_poll(struct model *m, unsigned int budget);
void model_register(struct model *m, int channel);
void model_kill(struct model *m, int channel);
void model_unregister(struct model *m, int channel);
void model_group_create(struct model *m, int group);
void model_group_end(struct model *m, int group);
void model_join(struct model *m, int group, int bo);
bool model_leave(struct model *m, int bo, bool no_memory);
void model_set_limit(struct model *m, int type, u64 bytes);
void model_trim(struct model *m);
void model_visit_busy(struct model *m, char *names);
void model_look(struct model *m);
void model_stall(struct model *m);
bool model_can_evict(struct model *m, int bo);
void model_evict(struct model *m, int bo);

bool model_signaled(const struct model *m, int fence);
int model_nr_links(const struct model *m, int owner);
bool model_is_leftover(const struct model *m, int bo);
bool model_is_waited_for(struct model *m, int channel, int type);
bool model_is_seen(const struct model *m, int bo);
void model_print_lru(const struct model *m, char *names);
void model_print_nodes(const struct model *m, int channel, char *names);

/* What its two files share. */
void model_append_name(char *names, char name);
void model_append(int *list, int *nr, int item);
bool model_remove(int *list, int *nr, int item);
bool model_arm(struct model *m, int fence);
bool model_node_exists(const struct model *m, int node);
int model_first_node(const struct model *m, int channel);
int model_last_node(const struct model *m, int channel);
int model_next_on_node(const struct model *m, int node, bool zombie,
		       unsigned int after);
void model_place(struct model *m, int owner);
void model_unplace(struct model *m, int owner);
bool model_unlink(struct model *m, int owner, int channel);
void model_forget_pass(struct model *m);
void model_clean(struct model *m, int bo);
void model_sample_last(struct model *m, int channel);

static inline char model_name(int owner)
{
	return owner < MODEL_BOS ? 'A' + owner : '*';
}

#endif
