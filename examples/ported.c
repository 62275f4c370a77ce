/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ported.c - kernel-style code that runs in userspace as it is: a table of named
 * sessions, each with a log that grows. Only main() knows that it is a program.
 *
 *   $ cc -Iinclude/kmem/compat ported.c -lkmem     (docs/PORTING.md)
 *   $ build/examples/ported
 *   10000 sessions, 3 bytes logged by session 42
 *   0 sessions left
 */
#include <errno.h>
#include <stdio.h>
#include <linux/mm.h>
#include <linux/slab.h>

/* What other kernel headers would bring: linux/list.h, linux/container_of.h. */
struct hlist_node {
	struct hlist_node *next;
};

#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr) - offsetof(type, member)))

struct session {
	struct hlist_node hash;
	unsigned int id;
	const char *name;
	size_t logged;
	char *log;
};

struct table {
	unsigned int nr_buckets, nr_sessions;
	struct hlist_node bucket[];
};

static struct kmem_cache *session_cache;

static struct hlist_node *table_bucket(struct table *table, unsigned int id)
{
	return &table->bucket[id % table->nr_buckets];
}

static struct session *session_find(struct table *table, unsigned int id)
{
	struct hlist_node *at;

	for (at = table_bucket(table, id)->next; at; at = at->next)
		if (container_of(at, struct session, hash)->id == id)
			return container_of(at, struct session, hash);
	return NULL;
}

static int session_create(struct table *table, unsigned int id, const char *name, gfp_t gfp)
{
	/* Freed on every way out but the last. */
	char *copy __free(kfree) = kstrdup(name, gfp);
	struct hlist_node *bucket = table_bucket(table, id);
	struct session *session;

	if (!copy)
		return -ENOMEM;
	if (session_find(table, id))
		return -EEXIST;
	session = kmem_cache_zalloc(session_cache, gfp);
	if (!session)
		return -ENOMEM;
	session->id = id;
	session->name = no_free_ptr(copy);
	session->hash.next = bucket->next;
	bucket->next = &session->hash;
	table->nr_sessions++;
	return 0;
}

static int session_log(struct session *session, const char *text, gfp_t gfp)
{
	size_t bytes = strlen(text);
	char *log = krealloc(session->log, size_add(session->logged, bytes), gfp);

	if (!log)
		return -ENOMEM;
	memcpy(log + session->logged, text, bytes);
	session->log = log;
	session->logged += bytes;
	return 0;
}

static void session_destroy(struct table *table, struct session *session)
{
	struct hlist_node *at = table_bucket(table, session->id);

	while (at->next != &session->hash)
		at = at->next;
	at->next = session->hash.next;
	table->nr_sessions--;
	kfree_sensitive(session->log);
	kfree(session->name);
	kmem_cache_free(session_cache, session);
}

static struct table *table_create(unsigned int nr_buckets)
{
	/* Too large for kmalloc(), perhaps: kvmalloc() finds a way. */
	struct table *table = kvzalloc(struct_size(table, bucket, nr_buckets), GFP_KERNEL);

	if (table)
		table->nr_buckets = nr_buckets;
	return table;
}

int main(void)
{
	struct table *table;
	char name[16];
	unsigned int id;
	int rc = 0;

	session_cache = KMEM_CACHE(session, SLAB_HWCACHE_ALIGN | SLAB_ACCOUNT);
	table = table_create(1000003);
	if (!session_cache || !table)
		return 1;
	for (id = 0; id < 10000 && !rc; id++) {
		snprintf(name, sizeof(name), "session-%u", id);
		rc = session_create(table, id, name, GFP_KERNEL);
	}
	if (rc || session_create(table, 42, "again", GFP_ATOMIC) != -EEXIST)
		return 1;
	rc = session_log(session_find(table, 42), "log", GFP_NOWAIT);
	printf("%u sessions, %zu bytes logged by session 42\n", table->nr_sessions, session_find(table, 42)->logged);
	while (id-- > 0)
		session_destroy(table, session_find(table, id));
	printf("%u sessions left\n", table->nr_sessions);
	kvfree(table);
	return rc || kmem_cache_destroy(session_cache);
}
