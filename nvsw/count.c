// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What nobody knew: methods that the chip ignored, by class. And what else can be seen and
 * asked for in debugfs, in the directory nvsw.
 */
#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/hash.h>
#include <linux/pci.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>

#include "board.h"
#include "exec.h"

#define SIZE_BITS 10
#define SIZE BIT(SIZE_BITS)

/**
 * struct unknown - a method that was ignored
 * @class: of the subchannel
 * @method: in bytes
 * @times: how often; 0 if this entry is free
 */
struct unknown {
	u32 class;
	u32 method;
	unsigned long times;
};

/* Counted under the chip's lock; who reads them gets a snapshot. */
static struct unknown unknowns[SIZE];
static unsigned long others;
static struct dentry *directory;

void nvsw_count_unknown(u32 class, u32 method)
{
	unsigned int at = hash_32(class << 16 | method, SIZE_BITS), i;
	struct unknown *unknown;

	for (i = 0; i < SIZE; i++) {
		unknown = &unknowns[(at + i) % SIZE];
		if (!unknown->times) {
			unknown->class = class;
			unknown->method = method;
		} else if (unknown->class != class ||
			   unknown->method != method) {
			continue;
		}
		unknown->times++;
		return;
	}
	others++;
}

static int unknown_show(struct seq_file *file, void *data)
{
	int i;

	for (i = 0; i < SIZE; i++)
		if (unknowns[i].times)
			seq_printf(file, "class=%04x method=%04x times=%lu\n",
				   unknowns[i].class, unknowns[i].method,
				   unknowns[i].times);
	if (others)
		seq_printf(file, "others=%lu\n", others);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(unknown);

static int counters_show(struct seq_file *file, void *data)
{
	const struct nvsw_chip *chip = file->private;

	seq_printf(file, "ticks=%lu\n", READ_ONCE(chip->ticks));
	seq_printf(file, "interrupts=%lu\n", READ_ONCE(chip->interrupts));
	seq_printf(file, "faults=%lu\n", READ_ONCE(chip->faults));
	seq_printf(file, "copied_bytes=%lu\n", READ_ONCE(chip->copied_bytes));
	seq_printf(file, "moved_out=%lu\n", READ_ONCE(chip->moved_out));
	seq_printf(file, "moved_in=%lu\n", READ_ONCE(chip->moved_in));
	seq_printf(file, "pages_2m=%lu pages_64k=%lu pages_4k=%lu sparse=%lu\n",
		   READ_ONCE(nvsw_walks.huge), READ_ONCE(nvsw_walks.large),
		   READ_ONCE(nvsw_walks.small), READ_ONCE(nvsw_walks.sparse));
	seq_printf(file, "unexpected_registers=%d\n",
		   atomic_read(&nvsw_board()->unexpected));
	seq_printf(file, "losses=%d\n", atomic_read(&nvsw_board()->losses));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(counters);

/* "<channel> preemptible", "<channel> for-good" or "<channel> none". */
static int parse_hang(const char *text, unsigned int *id, enum nvsw_hang *hang)
{
	static const char *const names[] = { "none", "preemptible",
					     "for-good" };
	char name[16];
	int ret;

	if (sscanf(text, "%u %15s", id, name) != 2 || *id >= NVSW_NR_CHANS)
		return -EINVAL;
	ret = match_string(names, ARRAY_SIZE(names), name);
	if (ret < 0)
		return ret;
	*hang = ret;
	return 0;
}

static ssize_t hang_write(struct file *file, const char __user *data,
			  size_t size, loff_t *offset)
{
	struct nvsw_chip *chip = file->private_data;
	enum nvsw_hang hang;
	char text[32] = {};
	unsigned long flags;
	unsigned int id;
	int ret;

	if (size >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, data, size))
		return -EFAULT;
	ret = parse_hang(text, &id, &hang);
	if (ret)
		return ret;
	raw_spin_lock_irqsave(&chip->lock, flags);
	if (chip->chans[id]) {
		chip->chans[id]->hang = hang;
		nvsw_runl_kick_locked(&chip->runls[chip->chans[id]->runl]);
	} else {
		ret = -ENOENT;
	}
	raw_spin_unlock_irqrestore(&chip->lock, flags);
	return ret ? ret : size;
}

static const struct file_operations hang_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = hang_write,
};

/*
 * The driver is told to sleep and to wake up, as the machine would tell it, but nobody is
 * frozen meanwhile: the task that writes to this is alone with the device. One that takes the
 * driver away waits for its lock, and so for this.
 */
static ssize_t sleep_write(struct file *file, const char __user *data,
			   size_t size, loff_t *offset)
{
	struct device *dev = &nvsw_board()->pdev->dev;
	const struct dev_pm_ops *pm = dev->driver->pm;
	int ret;

	if (!device_trylock(dev))
		return -EBUSY;
	ret = pm->suspend(dev);
	if (!ret)
		ret = pm->resume(dev);
	device_unlock(dev);
	return ret ? ret : size;
}

static const struct file_operations sleep_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = sleep_write,
};

void nvsw_count_init(struct nvsw_chip *chip)
{
	directory = debugfs_create_dir("nvsw", NULL);
	debugfs_create_file("unknown_methods", 0400, directory, chip,
			    &unknown_fops);
	debugfs_create_file("counters", 0400, directory, chip, &counters_fops);
	debugfs_create_file("hang", 0200, directory, chip, &hang_fops);
	debugfs_create_file("sleep", 0200, directory, chip, &sleep_fops);
}

void nvsw_count_fini(void)
{
	debugfs_remove(directory);
}
