// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A process: two threads that play, and one that lets channels go on that hang. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "client.h"

/* How long a channel hangs. */
#define HANG_NS		(100 * MS)

/* Of the number of the device, whichever are there. */
int process_open(struct process *p, uint32_t dev)
{
	int fd = node_open("swgpu", dev);

	if (fd < 0)
		return fd;
	p->epoch[dev]++;
	p->gone[dev] = false;
	if (dup2(fd, p->fds[dev]) >= 0)
		fcntl(p->fds[dev], F_SETFD, FD_CLOEXEC);
	close(fd);
	return 0;
}

static void resume(struct process *p, uint32_t dev, uint32_t channel)
{
	struct drm_swgpu_fault args = { .channel = channel, .fault = SWGPU_FAULT_RESUME };

	ioctl(p->fds[dev], DRM_IOCTL_SWGPU_FAULT, &args);
}

static void resume_channels(struct process *p, struct client *c, uint64_t now)
{
	int i;

	for (i = 0; i < NR_CHANNELS; i++) {
		struct channel *channel = &c->channels[i];

		if (channel->hung_ns && now > channel->hung_ns + HANG_NS) {
			channel->hung_ns = 0;
			resume(p, channel->dev, channel->id);
		}
	}
}

static void resume_all(struct process *p, uint64_t now)
{
	uint32_t i;

	for (i = 0; i < NR_THREADS; i++)
		resume_channels(p, &p->clients[i], now);
	for (i = 0; i < NR_DEVICES; i++) {
		if (p->copy_hung_ns[i] && now > p->copy_hung_ns[i] + HANG_NS) {
			p->copy_hung_ns[i] = 0;
			resume(p, i, 0);
		}
	}
}

static void *resume_for_ever(void *data)
{
	for (;;) {
		resume_all(data, now_ns());
		sleep_ns(20 * MS);
	}
	return NULL;
}

/* What a signal interrupts is made again, or goes on. */
static void tick(int signal)
{
	(void)signal;
}

/* Signals come all the time. */
static void start_ticks(struct client *c)
{
	struct sigaction action = {
		.sa_handler = tick,
		.sa_flags = one_in(c, 2) ? SA_RESTART : 0,
	};

	sigaction(SIGALRM, &action, NULL);
	client_set_timer(c);
}

static void *play(void *data)
{
	struct client *c = data;

	c->task->pid = gettid();
	client_run(c, ~0ull);
	return NULL;
}

static void open_devices(struct process *p)
{
	struct drm_swgpu_stats stats = {};
	uint32_t dev;

	for (dev = 0; dev < NR_DEVICES; dev++) {
		/* So that it always has the same number. */
		p->fds[dev] = open("/dev/null", O_RDWR | O_CLOEXEC);
		while (process_open(p, dev) && !record->stop && !record->failed)
			sleep_ns(10 * MS);
	}
	ioctl(p->fds[0], DRM_IOCTL_SWGPU_STATS, &stats);
	p->vram_bytes = stats.vram_bytes ? stats.vram_bytes : 32 << 20;
}

void process_run(uint32_t nr, const int post[2])
{
	static struct process p;
	pthread_t janitor, threads[NR_THREADS];
	uint32_t i;

	memcpy(p.post, post, sizeof(p.post));
	pthread_mutex_init(&p.new_handle, NULL);
	p.may_hang = true;
	touch_init();
	open_devices(&p);
	for (i = 0; i < NR_THREADS; i++)
		client_init(&p.clients[i], &p, &record->tasks[nr][i]);
	p.clients[0].random.state = record->seed + nr;
	start_ticks(&p.clients[0]);
	pthread_create(&janitor, NULL, resume_for_ever, &p);
	for (i = 1; i < NR_THREADS; i++)
		pthread_create(&threads[i], NULL, play, &p.clients[i]);
	play(&p.clients[0]);
	for (i = 1; i < NR_THREADS; i++)
		pthread_join(threads[i], NULL);
	resume_all(&p, now_ns() + BOUND);
	_exit(0);
}
