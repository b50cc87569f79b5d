// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Several processes share buffers between two devices, at random. */

#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gpu.h"

#define NR_CHILDREN	3
#define NR_BUFFERS	12
#define NR_STEPS	250
#define MAX_BOS		4

/* One side of what is shared: the buffers of device 0, or the imports on device 1 */
struct side {
	int fd;
	uint32_t channels[2];
	uint32_t handles[NR_BUFFERS];
};

static bool no_room(int ret)
{
	return ret == -ENOMEM || ret == -ENOSPC;
}

static int drop(struct side *s, int i)
{
	uint32_t handle = s->handles[i];

	s->handles[i] = 0;
	return handle ? gpu_close(s->fd, handle) : 0;
}

static int create(struct side *exporter, int i)
{
	uint64_t pages = gpu_stats(exporter->fd, 0).vram_bytes / PAGE / 20;
	int ret = drop(exporter, i);

	if (ret)
		return ret;
	ret = gpu_create(exporter->fd, (1 + rand() % pages) * PAGE,
			 rand() % 2 ? VRAM : VRAM | GTT, &exporter->handles[i]);
	if (ret)
		exporter->handles[i] = 0;
	return no_room(ret) ? 0 : ret;
}

static int share(struct side *exporter, struct side *importer, int i)
{
	int ret, dma_buf;

	ret = drop(importer, i);
	if (ret || !exporter->handles[i])
		return ret;
	dma_buf = gpu_export(exporter->fd, exporter->handles[i]);
	if (dma_buf < 0)
		return dma_buf;
	ret = gpu_import(importer->fd, dma_buf, &importer->handles[i]);
	close(dma_buf);
	if (ret)
		importer->handles[i] = 0;
	return no_room(ret) ? 0 : ret;
}

static int submit(struct side *s, uint32_t domains)
{
	struct drm_swgpu_submit_bo bos[MAX_BOS];
	int i, nr = 0, ret, first = rand() % NR_BUFFERS;

	for (i = 0; i < 1 + rand() % MAX_BOS; i++) {
		uint32_t handle = s->handles[(first + i) % NR_BUFFERS];

		if (handle)
			bos[nr++] = (struct drm_swgpu_submit_bo) {
				.handle = handle,
				.flags = 1 + rand() % 3,
				.domains = domains,
			};
	}
	ret = gpu_submit(s->fd, s->channels[rand() % 2], bos, nr, rand() % (500 * 1000), NULL);
	return no_room(ret) ? 0 : ret;
}

static int step(struct side *exporter, struct side *importer)
{
	int i = rand() % NR_BUFFERS;

	switch (rand() % 8) {
	case 0:
		return create(exporter, i);
	case 1:
		return share(exporter, importer, i);
	case 2:
		return drop(rand() % 2 ? exporter : importer, i);
	case 3:
	case 4:
		return submit(importer, GTT);
	default:
		return submit(exporter, rand() % 3 ? VRAM : VRAM | GTT);
	}
}

static int run_child(int seed, void *shared)
{
	struct side exporter = { .fd = gpu_open() }, importer = { .fd = gpu_open_other() };
	int i, ret = 0;

	(void)shared;
	srand(seed);
	for (i = 0; !ret && i < 2; i++) {
		ret = gpu_channel(exporter.fd, &exporter.channels[i]);
		if (!ret)
			ret = gpu_channel(importer.fd, &importer.channels[i]);
	}
	for (i = 0; !ret && i < NR_BUFFERS; i++)
		ret = create(&exporter, i);
	for (i = 0; !ret && i < NR_STEPS; i++)
		ret = step(&exporter, &importer);
	return -ret;
}

void test_stress_share(int fd)
{

	if (!check(fd >= 0))
		return;
	run_children(NR_CHILDREN, run_child, NULL);
}
