/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* A thread that makes requests, and what it has. */
#ifndef CLIENT_H
#define CLIENT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "node.h"
#include "random.h"
#include "record.h"
#include "swgpu_drm.h"

#define NR_DEVICES	2
#define NR_BUFFERS	24
#define NR_CHANNELS	4
#define NR_DMA_BUFS	6
#define NR_SYNC_FILES	4
#define NR_THREADS	2

/* No request may take longer, unless it says so. */
#define BOUND		(30 * SECOND)

/**
 * struct buffer - a buffer, or where one was
 * @handle: 0: none
 * @dev: whose
 * @size: in bytes
 * @offset: for mmap(), also of a buffer that is closed; 0: not known
 * @map: NULL: not mapped
 * @map_size: of the mapping
 * @word: what the pages in @map hold; 0: not known
 * @epoch: of the device when it was mapped
 */
struct buffer {
	uint32_t handle;
	uint32_t dev;
	uint64_t size;
	uint64_t offset;
	char *map;
	uint64_t map_size;
	uint64_t word;
	uint32_t epoch;
};

/**
 * struct channel - a channel, or none
 * @id: 0: none
 * @dev: whose
 * @hung_ns: since when it hangs; 0: it does not
 */
struct channel {
	uint32_t id;
	uint32_t dev;
	uint64_t hung_ns;
};

struct process;

/**
 * struct client - a thread
 * @process: whose
 * @task: its record
 * @random: of this step
 * @buffers: its buffers; the other thread may use their handles, too
 * @channels: its channels
 * @dma_bufs: file descriptors, or -1
 * @sync_files: file descriptors, or -1
 * @epochs: of the devices, as this thread knows them
 */
struct client {
	struct process *process;
	struct task *task;
	struct random random;
	struct buffer buffers[NR_BUFFERS];
	struct channel channels[NR_CHANNELS];
	int dma_bufs[NR_DMA_BUFS];
	int sync_files[NR_SYNC_FILES];
	uint32_t epochs[NR_DEVICES];
};

/**
 * struct process - what its threads share
 * @fds: of the devices, always the same numbers
 * @gone: the device went: open it again
 * @epoch: how often it was opened
 * @vram_bytes: its size
 * @new_handle: its holder is the only one to make handles
 * @shared: a child has the files, too, and makes handles as it likes
 * @copy_hung_ns: since when the copy engine of a device hangs for us; 0: it does not
 * @post: DMA-bufs are sent to [0] and received from [1], by anybody
 * @may_hang: channels may hang here
 * @clients: its threads
 */
struct process {
	int fds[NR_DEVICES];
	bool gone[NR_DEVICES];
	uint32_t epoch[NR_DEVICES];
	uint64_t vram_bytes;
	pthread_mutex_t new_handle;
	bool shared;
	uint64_t copy_hung_ns[NR_DEVICES];
	int post[2];
	bool may_hang;
	struct client clients[NR_THREADS];
};

/* Runs until it is told to stop. Does not return. */
void process_run(uint32_t nr, const int post[2]) __attribute__((noreturn));
/* Opens a device again, if it is there. */
int process_open(struct process *p, uint32_t dev);

void client_init(struct client *c, struct process *process, struct task *task);
/* Makes @steps steps, or as many as there is time for. */
void client_run(struct client *c, uint64_t steps);
/* What was told of a device that is opened again. */
void client_forget(struct client *c, uint32_t dev);

/* system.c: from now on its process gets a signal at another interval. */
int client_set_timer(struct client *c);

/* Chance of one in @n. */
static inline bool one_in(struct client *c, uint64_t n)
{
	return !random_below(&c->random, n);
}

/* Of any of the two devices. */
static inline uint32_t any_device(struct client *c)
{
	return one_in(c, 4);
}

static inline struct buffer *any_buffer(struct client *c)
{
	return &c->buffers[random_below(&c->random, NR_BUFFERS)];
}

/**
 * struct action - one thing to do
 * @name: of it
 * @weight: how often, relatively
 * @run: does it; returns 0 or a negative errno
 */
struct action {
	const char *name;
	uint32_t weight;
	int (*run)(struct client *c);
};

/* Each array ends with an action without a name. */
extern const struct action request_actions[];
extern const struct action memory_actions[];
extern const struct action share_actions[];
extern const struct action system_actions[];

/* The action number @i, or NULL. The first call decides which there are. */
const char *action_name(uint32_t i);

/* ask.c: makes a request, perhaps with arguments that are not what the caller meant. */
int ask(struct client *c, const char *name, uint32_t dev, unsigned long request, void *args);
/* A request to any file, as it is. */
int ask_file(struct client *c, const char *name, int fd, unsigned long request, void *args);
/* A handle that is right most of the time. */
uint32_t ask_handle(struct client *c, const struct buffer *b);
uint32_t ask_channel(struct client *c, uint32_t dev);

/* touch.c: touches memory that may not be there. False if it is not. */
bool touch_read(const void *from, void *to, uint64_t size);
bool touch_write(void *to, const void *from, uint64_t size);
void touch_init(void);

/* memory.c */
int buffer_map(struct client *c, struct buffer *b, int prot);
void buffer_check_new(struct client *c, struct buffer *b);
void buffer_unmap(struct buffer *b);

#endif
