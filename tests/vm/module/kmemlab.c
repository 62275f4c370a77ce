// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * kmemlab.c - caches of any kind, and their objects, at the command of a script; see tools/common/kmemlab.h.
 *
 * For guests of tests/vm only: whoever may write to the device can fill the memory.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "kmemlab.h"

static DEFINE_MUTEX(lock);
static struct kmem_cache *caches[KMEMLAB_CACHES];
static void **objects;
static u8 *owners;

static void construct(void *object)
{
	*(volatile char *)object = 0;
}

static slab_flags_t flags_of(const struct kmemlab_request *r)
{
	slab_flags_t flags = SLAB_NO_MERGE;

	flags |= r->flags & KMEMLAB_HWCACHE ? SLAB_HWCACHE_ALIGN : 0;
	flags |= r->flags & KMEMLAB_RECLAIM ? SLAB_RECLAIM_ACCOUNT : 0;
	flags |= r->flags & KMEMLAB_ACCOUNT ? SLAB_ACCOUNT : 0;
	flags |= r->flags & KMEMLAB_RCU ? SLAB_TYPESAFE_BY_RCU : 0;
	return flags;
}

static int create(struct kmemlab_request *r)
{
	r->name[sizeof(r->name) - 1] = '\0';
	if (caches[r->cache])
		return -EEXIST;
	caches[r->cache] = kmem_cache_create(r->name, r->size, r->align, flags_of(r),
					     r->flags & KMEMLAB_CTOR ? construct : NULL);
	return caches[r->cache] ? 0 : -ENOMEM;
}

static int allocate(const struct kmemlab_request *r)
{
	if (objects[r->object] || !caches[r->cache])
		return -EINVAL;
	objects[r->object] = kmem_cache_alloc(caches[r->cache], GFP_KERNEL);
	owners[r->object] = r->cache;
	return objects[r->object] ? 0 : -ENOMEM;
}

static int release(u32 object)
{
	if (!objects[object])
		return -EINVAL;
	kmem_cache_free(caches[owners[object]], objects[object]);
	objects[object] = NULL;
	return 0;
}

static int carry_out(struct kmemlab_request *r)
{
	if (r->cache >= KMEMLAB_CACHES || r->object >= KMEMLAB_OBJECTS)
		return -ERANGE;
	switch (r->kind) {
	case KMEMLAB_ALLOC:
		return allocate(r);
	case KMEMLAB_FREE:
		return release(r->object);
	case KMEMLAB_CREATE:
		return create(r);
	default:
		return -EINVAL;
	}
}

static ssize_t lab_write(struct file *file, const char __user *buffer, size_t len, loff_t *offset)
{
	size_t done = 0;
	int rc = 0;

	mutex_lock(&lock);
	for (; !rc && done + sizeof(struct kmemlab_request) <= len; done += sizeof(struct kmemlab_request)) {
		struct kmemlab_request r;

		if (copy_from_user(&r, buffer + done, sizeof(r)))
			rc = -EFAULT;
		else
			rc = carry_out(&r);
	}
	mutex_unlock(&lock);
	return rc ? rc : (ssize_t)done;
}

static int lab_close(struct inode *inode, struct file *file)
{
	u32 i;

	mutex_lock(&lock);
	for (i = 0; i < KMEMLAB_OBJECTS; i++)
		if (objects[i])
			release(i);
	for (i = 0; i < KMEMLAB_CACHES; i++) {
		kmem_cache_destroy(caches[i]);
		caches[i] = NULL;
	}
	mutex_unlock(&lock);
	return 0;
}

static const struct file_operations operations = {
	.owner = THIS_MODULE,
	.write = lab_write,
	.release = lab_close,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "kmemlab",
	.fops = &operations,
	.mode = 0600,
};

static int __init kmemlab_init(void)
{
	int rc = -ENOMEM;

	objects = vcalloc(KMEMLAB_OBJECTS, sizeof(*objects));
	owners = vcalloc(KMEMLAB_OBJECTS, sizeof(*owners));
	if (objects && owners)
		rc = misc_register(&device);
	if (rc) {
		vfree(objects);
		vfree(owners);
	}
	return rc;
}

static void __exit kmemlab_exit(void)
{
	misc_deregister(&device);
	vfree(objects);
	vfree(owners);
}

module_init(kmemlab_init);
module_exit(kmemlab_exit);
MODULE_LICENSE("Dual BSD/GPL");
MODULE_DESCRIPTION("slab caches at the command of a script");
