/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * leaker.c - a kernel module that leaks a known number of objects when /proc/leaker is written to:
 * 50 of kmalloc(200) and 50 of its own cache are lost, 50 of its cache stay on a list, and 200 are
 * freed by kfree_rcu(), half of them kmalloc(200), of which no event tells.
 */
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#define EACH       50
#define EACH_RCU   100
#define KMALLOCED  200

struct thing {
	struct thing *next;
	struct rcu_head rcu;
	char rest[100];
};

static struct kmem_cache *things;
static struct thing *kept;

/* Not inlined: each is a call site of its own in a report. */
static noinline void leaker_lose_kmalloc(void)
{
	char *bytes = kmalloc(KMALLOCED, GFP_KERNEL);

	if (bytes)
		memset(bytes, 'L', KMALLOCED);
	barrier();
}

static noinline void leaker_lose_thing(void)
{
	struct thing *thing = kmem_cache_zalloc(things, GFP_KERNEL);

	if (thing)
		thing->rest[0] = 'T';
	barrier();
}

static noinline void leaker_keep(void)
{
	struct thing *thing = kmem_cache_zalloc(things, GFP_KERNEL);

	if (!thing)
		return;
	thing->next = kept;
	kept = thing;
}

static noinline void leaker_free_later(bool own_cache)
{
	struct thing *thing = own_cache ? kmem_cache_zalloc(things, GFP_KERNEL)
					: kzalloc(KMALLOCED, GFP_KERNEL);

	if (thing)
		kfree_rcu(thing, rcu);
}

static ssize_t leaker_write(struct file *file, const char __user *text, size_t bytes, loff_t *offset)
{
	int i;

	for (i = 0; i < EACH; i++) {
		leaker_lose_kmalloc();
		leaker_lose_thing();
		leaker_keep();
	}
	for (i = 0; i < EACH_RCU; i++) {
		leaker_free_later(true);
		leaker_free_later(false);
	}
	return bytes;
}

static const struct proc_ops leaker_ops = { .proc_write = leaker_write };

static int __init leaker_init(void)
{
	things = kmem_cache_create("leaker", sizeof(struct thing), 0, SLAB_ACCOUNT | SLAB_RECLAIM_ACCOUNT, NULL);
	if (!things)
		return -ENOMEM;
	if (!proc_create("leaker", 0200, NULL, &leaker_ops)) {
		kmem_cache_destroy(things);
		return -ENOMEM;
	}
	return 0;
}

module_init(leaker_init);
MODULE_DESCRIPTION("Loses a known number of objects");
MODULE_LICENSE("Dual BSD/GPL");
