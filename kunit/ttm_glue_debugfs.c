// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The files about dead buffers, read and written as from userspace.
 */
#include <linux/cred.h>
#include <linux/debugfs.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mman.h>
#include <linux/mount.h>
#include <linux/uaccess.h>

#include "ttm_glue_helpers.h"

/**
 * struct debugfs - a directory in it
 * @dev: the device of the files
 * @dir: the directory
 * @mount: where it can be opened, mounted or not
 * @pins: of @mount
 * @user: a page of userspace
 */
struct debugfs {
	struct glue_device *dev;
	struct dentry *dir;
	struct vfsmount *mount;
	int pins;
	char __user *user;
};

static void begin(struct debugfs *fs, struct glue_device *dev)
{
	struct kunit *test = dev->test;
	unsigned long user;
	int ret;

	*fs = (struct debugfs){ .dev = dev };
	user = kunit_vm_mmap(test, NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_NE(test, user, 0);
	KUNIT_ASSERT_LT(test, user, TASK_SIZE);
	fs->user = (char __user *)user;
	ret = simple_pin_fs(get_fs_type("debugfs"), &fs->mount, &fs->pins);
	KUNIT_ASSERT_EQ(test, ret, 0);
	fs->dir = debugfs_create_dir(test->name, NULL);
	ttm_device_create_debugfs(&dev->bdev, fs->dir);
}

static void end(struct debugfs *fs)
{
	debugfs_remove(fs->dir);
	simple_release_fs(&fs->mount, &fs->pins);
}

static bool is_there(struct debugfs *fs, const char *name)
{
	struct dentry *dentry = debugfs_lookup(name, fs->dir);

	dput(dentry);
	return dentry;
}

static struct file *open(struct debugfs *fs, const char *name, int flags)
{
	struct path path = {
		.mnt = fs->mount,
		.dentry = debugfs_lookup(name, fs->dir),
	};
	struct file *file;

	KUNIT_ASSERT_NOT_NULL_MSG(fs->dev->test, path.dentry, "%s", name);
	file = dentry_open(&path, flags, current_cred());
	dput(path.dentry);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(fs->dev->test, file);
	return file;
}

static void expect_read(struct debugfs *fs, const char *name, const char *part)
{
	struct file *file = open(fs, name, O_RDONLY);
	struct kunit *test = fs->dev->test;
	loff_t pos = 0;
	char text[1024];
	ssize_t size;

	size = file->f_op->read(file, fs->user, sizeof(text) - 1, &pos);
	__fput_sync(file);
	KUNIT_ASSERT_GT(test, size, 0);
	KUNIT_ASSERT_EQ(test, copy_from_user(text, fs->user, size), 0);
	text[size] = '\0';
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(text, part), "no \"%s\" in %s",
				  part, text);
}

static void write(struct debugfs *fs, const char *name, const char *text)
{
	struct file *file = open(fs, name, O_WRONLY);
	struct kunit *test = fs->dev->test;
	size_t size = strlen(text);
	loff_t pos = 0;

	KUNIT_ASSERT_EQ(test, copy_to_user(fs->user, text, size), 0);
	KUNIT_EXPECT_EQ(test, file->f_op->write(file, fs->user, size, &pos),
			size);
	__fput_sync(file);
}

static struct glue_fence *bury(struct glue_device *dev, char name)
{
	struct glue_bo *bo = glue_bo(dev, name, &glue_vram);
	struct glue_fence *fence = glue_use(bo, 0);

	glue_put(bo);
	return fence;
}

static void what_the_dead_keep_can_be_read(struct kunit *test)
{
	struct debugfs fs;

	begin(&fs, test->priv);
	expect_read(&fs, "ttm_zombies", "busy=0 zombies=0 ");
	bury(test->priv, 'z');
	expect_read(&fs, "ttm_zombies", "busy=1 zombies=1 ");
	end(&fs);
}

static void what_is_busy_is_drawn(struct kunit *test)
{
	struct debugfs fs;

	begin(&fs, test->priv);
	expect_read(&fs, "ttm_channels", " busy=0\n");
	bury(test->priv, 'z');
	expect_read(&fs, "ttm_channels", " busy=1\n");
	expect_read(&fs, "ttm_channels", " alive=0 dead=1]\n");
	end(&fs);
}

static void how_much_that_may_be_can_be_changed(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct debugfs fs;

	begin(&fs, dev);
	expect_read(&fs, "ttm_zombies_limit", "18446744073709551615\n");
	write(&fs, "ttm_zombies_limit", "4096");
	expect_read(&fs, "ttm_zombies_limit", "4096\n");
	end(&fs);

	/* One too many dies, and the first may go. */
	glue_complete(bury(dev, 'y'));
	bury(dev, 'z');
	glue_expect_zombies(dev, 1, 0);
}

static void all_that_can_be_had_can_be_asked_for(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct debugfs fs;

	begin(&fs, dev);
	glue_complete(bury(dev, 'y'));
	bury(dev, 'z');
	write(&fs, "ttm_zombies_reclaim", "1");
	glue_expect_zombies(dev, 1, 0);
	glue_expect_freed(dev, TTM_FREED_AT_DRAIN, 1);
	end(&fs);
}

static void without_a_fence_lru_there_is_no_file(struct kunit *test)
{
	struct glue_device *dev = glue_device_create(test, false);
	struct debugfs fs;

	begin(&fs, dev);
	KUNIT_EXPECT_FALSE(test, is_there(&fs, "ttm_zombies"));
	KUNIT_EXPECT_FALSE(test, is_there(&fs, "ttm_channels"));
	KUNIT_EXPECT_FALSE(test, is_there(&fs, "ttm_zombies_limit"));
	KUNIT_EXPECT_FALSE(test, is_there(&fs, "ttm_zombies_reclaim"));
	end(&fs);
	glue_device_destroy(dev);
}

static int init(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_DEBUG_FS))
		kunit_skip(test, "no debugfs");
	return glue_init(test);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(what_the_dead_keep_can_be_read),
	KUNIT_CASE(what_is_busy_is_drawn),
	KUNIT_CASE(how_much_that_may_be_can_be_changed),
	KUNIT_CASE(all_that_can_be_had_can_be_asked_for),
	KUNIT_CASE(without_a_fence_lru_there_is_no_file),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_glue_debugfs",
	.init = init,
	.exit = glue_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
