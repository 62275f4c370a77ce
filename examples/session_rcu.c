/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session_rcu.c - a reader that takes no lock, with SLAB_TYPESAFE_BY_RCU: while it
 * looks, the object may be freed and used again, but it stays a session. So it
 * takes a reference, if there is one to take, and only then looks whose it got.
 *
 *   $ build/examples/session_rcu
 *   100000 sessions found while they were replaced, 0 of them changed in use
 */
#include <pthread.h>
#include <stdio.h>
#include <urcu.h> /* and -lurcu */
#include <urcu/ref.h>
#include <kmem/slab.h>

struct session {
	struct urcu_ref ref; /* 0: free */
	unsigned int id, same_id;
};

static struct kmem_cache *cache;
static struct session *table[16]; /* by id modulo 16 */
static unsigned int newest, found, wrong;

static void session_init(void *s) /* once per object: a reader may look at the count of a free one */
{
	((struct session *)s)->ref.refcount = 0;
}

static void session_free(struct urcu_ref *ref) /* no grace period: the next session may be this object */
{
	kmem_cache_free(cache, caa_container_of(ref, struct session, ref));
}

static void session_use(unsigned int id)
{
	struct session *s;

	rcu_read_lock(); /* until its end, no slab goes back to the page allocator */
	s = rcu_dereference(table[id % 16]);
	if (s && urcu_ref_get_unless_zero(&s->ref)) {
		uatomic_add(&found, s->id == id); /* else it is another one by now */
		wrong += s->id != s->same_id;
		urcu_ref_put(&s->ref, session_free);
	}
	rcu_read_unlock();
}

static void *reader(void *unused)
{
	rcu_register_thread();
	while (uatomic_read(&found) < 100000)
		session_use(uatomic_read(&newest));
	rcu_unregister_thread();
	return unused;
}

int main(void)
{
	struct session *s;
	pthread_t thread;

	cache = kmem_cache_create("session", sizeof(*s), 0, SLAB_TYPESAFE_BY_RCU, session_init);
	if (!cache || pthread_create(&thread, NULL, reader, NULL))
		return 1;
	for (unsigned int id = 1; id < 20 || uatomic_read(&found) < 100000; uatomic_set(&newest, id++)) {
		s = kmem_cache_alloc(cache, GFP_KERNEL);
		s->id = s->same_id = id;
		cmm_smp_wmb(); /* complete before anybody can take a reference */
		uatomic_set(&s->ref.refcount, 1);
		if ((s = rcu_xchg_pointer(&table[id % 16], s)))
			urcu_ref_put(&s->ref, session_free);
	}
	pthread_join(thread, NULL);
	printf("%u sessions found while they were replaced, %u of them changed in use\n", found, wrong);
	for (int i = 0; i < 16; i++)
		urcu_ref_put(&table[i]->ref, session_free);
	return wrong || kmem_cache_destroy(cache);
}
