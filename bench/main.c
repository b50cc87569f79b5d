// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Benchmark of the fence-ordered LRU: the table of measurements, and the files in
 * debugfs by which they are run.
 *
 *	list	the names of the measurements
 *	run	write a name to it to run that one; returns when that is done
 *	results	what it measured, lines of key=value
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "bench.h"
#include "contention.h"

#define RESULTS_SIZE (4 << 20)

/* By the number of buffers: is the cost of one the same? */
static const struct bench_config by_size[] = {
	{ .buffers = 1000, .per_node = 10, .channels = 1 },
	{ .buffers = 10000, .per_node = 10, .channels = 1 },
	{ .buffers = 100000, .per_node = 10, .channels = 1 },
	{ .buffers = 1000000, .per_node = 10, .channels = 1 },
};

/* The same where no prefetcher can guess the next one. */
static const struct bench_config shuffled[] = {
	{ .buffers = 1000, .per_node = 10, .channels = 1, .shuffled = true },
	{ .buffers = 10000, .per_node = 10, .channels = 1, .shuffled = true },
	{ .buffers = 100000, .per_node = 10, .channels = 1, .shuffled = true },
	{ .buffers = 1000000, .per_node = 10, .channels = 1, .shuffled = true },
};

/* By the number of buffers per node: what does a node cost? */
static const struct bench_config by_node[] = {
	{ .buffers = 10000, .per_node = 1, .channels = 1 },
	{ .buffers = 10000, .per_node = 10, .channels = 1 },
	{ .buffers = 10000, .per_node = 100, .channels = 1 },
	{ .buffers = 10000, .per_node = 1000, .channels = 1 },
	{ .buffers = 10000, .per_node = 1, .channels = 1, .told = true },
	{ .buffers = 10000, .per_node = 1000, .channels = 1, .told = true },
};

/* By the number of channels, each node on another than the one before. */
#define BY_CHANNELS(_channels)           \
	{                                \
		.buffers = 16384,        \
		.per_node = 1,           \
		.told = true,            \
		.channels = (_channels), \
	}
static const struct bench_config by_channel[] = {
	BY_CHANNELS(1),	 BY_CHANNELS(2),   BY_CHANNELS(4),    BY_CHANNELS(16),
	BY_CHANNELS(64), BY_CHANNELS(256), BY_CHANNELS(1024), BY_CHANNELS(4096),
};

/* By the number of nodes: is a retire, as a report makes one, linear? */
static const struct bench_config by_nodes[] = {
	{ .buffers = 1000, .per_node = 1, .channels = 1 },
	{ .buffers = 2000, .per_node = 1, .channels = 1 },
	{ .buffers = 10000, .per_node = 1, .channels = 1 },
	{ .buffers = 20000, .per_node = 1, .channels = 1 },
	{ .buffers = 100000, .per_node = 1, .channels = 1 },
	{ .buffers = 200000, .per_node = 1, .channels = 1 },
	{ .buffers = 500000, .per_node = 1, .channels = 1 },
	{ .buffers = 1000000, .per_node = 1, .channels = 1 },
};

/* By the number of channels of which one holds something. */
#define QUIET(_channels)                 \
	{                                \
		.buffers = 1000,         \
		.per_node = 10,          \
		.channels = (_channels), \
		.quiet = true,           \
	}
static const struct bench_config quiet[] = {
	QUIET(1),
	QUIET(16),
	QUIET(256),
	QUIET(4096),
};

static const struct bench_config through_ttm[] = {
	{ .buffers = 1024, .per_node = 16, .channels = 1 },
	{ .buffers = 1024, .per_node = 1, .channels = 1 },
	{ .buffers = 1024, .per_node = 256, .channels = 1 },
	{ .buffers = 1024, .per_node = 1, .channels = 16 },
	{ .buffers = 1024, .per_node = 16, .channels = 16 },
	{ .buffers = 4096, .per_node = 256, .channels = 16 },
	{ .buffers = 10240, .per_node = 16, .channels = 1 },
	{ .buffers = 1024, .per_node = 16, .channels = 1, .pages = true },
};

/* By the number of channels, with one task and with two. */
#define ON_CPUS(_cpus, _channels)        \
	{                                \
		.buffers = 4096,         \
		.per_node = 16,          \
		.channels = (_channels), \
		.cpus = (_cpus),         \
	}
static const struct bench_config on_cpus[] = {
	ON_CPUS(1, 1),	ON_CPUS(2, 1),	ON_CPUS(1, 4),	ON_CPUS(2, 4),
	ON_CPUS(1, 16), ON_CPUS(2, 16), ON_CPUS(1, 64), ON_CPUS(2, 64),
};

static const struct bench_measurement measurements[] = {
	{ "clock", bench_clock, .repetitions = 11 },
	{ "engine_buffers", bench_engine, by_size, ARRAY_SIZE(by_size), 11 },
	{ "engine_shuffled", bench_engine, shuffled, ARRAY_SIZE(shuffled), 11 },
	{ "engine_nodes", bench_engine, by_node, ARRAY_SIZE(by_node), 11 },
	{ "engine_channels", bench_engine, by_channel, ARRAY_SIZE(by_channel),
	  11 },
	{ "engine_retire", bench_engine, by_nodes, ARRAY_SIZE(by_nodes), 11 },
	{ "engine_quiet", bench_engine, quiet, ARRAY_SIZE(quiet), 11 },
	{ "ttm", bench_ttm, through_ttm, ARRAY_SIZE(through_ttm), 21 },
	{ "ttm_cpus", bench_cpus, on_cpus, ARRAY_SIZE(on_cpus), 21 },
};

static struct dentry *directory;
static struct bench_results results;
static DEFINE_MUTEX(bench_lock);

__printf(2, 3) static void append(struct bench_results *res, const char *format,
				  ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(res->text + res->length, res->size - res->length,
			   format, args);
	va_end(args);
	if (length >= res->size - res->length)
		res->full = true;
	else
		res->length += length;
}

/* One sample: @ops operations took the time of @timer. */
void bench_emit(struct bench_results *res, const char *what,
		const char *flavour, const struct bench_config *config,
		const struct bench_timer *timer, u64 ops)
{
	static const struct bench_config none;

	if (!config)
		config = &none;
	append(res, "what=%s flavour=%s buffers=%u per_node=%u channels=%u ",
	       what, flavour, config->buffers, config->per_node,
	       config->channels);
	append(res, "order=%s told=%u memory=%s ops=%llu ",
	       config->shuffled ? "shuffled" : "ascending", config->told,
	       config->pages ? "pages" : "vram", ops);
	append(res, "quiet=%u steps=%llu ", config->quiet, timer->steps);
	append(res, "cpu_ns=%llu wall_ns=%llu sections=%llu\n", timer->cpu_ns,
	       timer->wall_ns, timer->sections);
}

/* The same of what several CPUs did, and how often they waited. */
void bench_emit_contended(struct bench_results *res, const char *what,
			  const char *flavour,
			  const struct bench_config *config,
			  const struct bench_timer *timer,
			  struct bench_contention *contention, u64 ops)
{
	static const char *const locks[NUM_BENCH_LOCKS] = {
		[BENCH_LOCK_LRU] = "lru",
		[BENCH_LOCK_CHANNEL] = "channel",
		[BENCH_LOCK_ENGINE] = "engine",
		[BENCH_LOCK_OTHER] = "other",
		[BENCH_LOCK_SLEEPING] = "sleeping",
	};
	int i;

	append(res, "what=%s flavour=%s cpus=%u channels=%u per_node=%u ", what,
	       flavour, config->cpus, config->channels, config->per_node);
	for (i = 0; i < NUM_BENCH_LOCKS; i++)
		append(res, "%s=%lld ", locks[i],
		       atomic64_read(&contention->waits[i]));
	append(res, "spun_ns=%lld ops=%llu cpu_ns=%llu wall_ns=%llu\n",
	       atomic64_read(&contention->spun_ns), ops, timer->cpu_ns,
	       timer->wall_ns);
}

void bench_emit_value(struct bench_results *res, const char *name, u64 value)
{
	append(res, "value=%s is=%llu\n", name, value);
}

static int run(const struct bench_measurement *measurement)
{
	int ret;

	mutex_lock(&bench_lock);
	results.length = 0;
	results.full = false;
	ret = measurement->run(measurement, &results);
	if (!ret && results.full)
		ret = -ENOBUFS;
	mutex_unlock(&bench_lock);
	if (ret)
		pr_err("bench: %s: error %d\n", measurement->name, ret);
	return ret;
}

static ssize_t run_write(struct file *file, const char __user *buf,
			 size_t count, loff_t *ppos)
{
	char name[32] = {};
	int i, ret;

	if (count >= sizeof(name))
		return -EINVAL;
	if (copy_from_user(name, buf, count))
		return -EFAULT;

	for (i = 0; i < ARRAY_SIZE(measurements); i++) {
		if (strcmp(strim(name), measurements[i].name))
			continue;
		ret = run(&measurements[i]);
		return ret ?: count;
	}
	return -ENOENT;
}

static const struct file_operations run_fops = {
	.owner = THIS_MODULE,
	.write = run_write,
};

static ssize_t results_read(struct file *file, char __user *buf, size_t count,
			    loff_t *ppos)
{
	ssize_t ret;

	mutex_lock(&bench_lock);
	ret = simple_read_from_buffer(buf, count, ppos, results.text,
				      results.length);
	mutex_unlock(&bench_lock);
	return ret;
}

static const struct file_operations results_fops = {
	.owner = THIS_MODULE,
	.read = results_read,
};

static int list_show(struct seq_file *m, void *unused)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(measurements); i++)
		seq_printf(m, "%s\n", measurements[i].name);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(list);

static int __init bench_init(void)
{
	results.size = RESULTS_SIZE;
	results.text = kvzalloc(results.size, GFP_KERNEL);
	if (!results.text)
		return -ENOMEM;

	bench_clock_calibrate();
	directory = debugfs_create_dir("ttm_fence_lru_bench", NULL);
	debugfs_create_file("list", 0444, directory, NULL, &list_fops);
	debugfs_create_file("run", 0200, directory, NULL, &run_fops);
	debugfs_create_file("results", 0444, directory, NULL, &results_fops);
	return 0;
}

static void __exit bench_exit(void)
{
	debugfs_remove(directory);
	kvfree(results.text);
}

module_init(bench_init);
module_exit(bench_exit);

MODULE_DESCRIPTION("Benchmark of the fence-ordered LRU");
MODULE_LICENSE("Dual MIT/GPL");
