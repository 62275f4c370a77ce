/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * leaky.c - a program on libkmem that loses some objects, for kmemleak to find.
 *
 *   $ build/examples/leaky &
 *   READY pid=1234 leaks=7
 *   $ build/kmemleak -p 1234
 *
 * It keeps a working set that must not be reported, reached in every way that
 * programs reach memory:
 *
 *   list      linked through a member, so every pointer but none is to a start
 *   tree      from a global
 *   interior  the only pointer leads into the middle of the object
 *   tls       the only pointer is a thread-local variable
 *   stack     the only pointer is a local variable of a sleeping thread
 *   circle    two objects that point at each other, one of them known
 *
 * and loses seven objects in six ways to be reported:
 *
 *   3  of cache "request"      forgotten one by one
 *   2  of cache "session"      that point at each other: one direct, one indirect
 *   1  of kmalloc-128
 *   1  large kmalloc of 20000 bytes
 *
 * Options: --seconds N ends it by itself; else it waits for the end of stdin or
 * SIGTERM. --after N loses the objects N seconds after READY, so that a trace
 * (kmemleak --trace) can be running by then.
 */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <kmem/slab.h>

#define NOINLINE __attribute__((noinline))

#define NR_ITEMS    100
#define TREE_DEPTH  6
#define NR_REQUESTS 3
#define NR_LEAKS    (NR_REQUESTS + 2 + 1 + 1)

struct link {
	struct link *next, *prev;
};

struct item {
	char name[24];
	struct link link;
};

struct node {
	struct node *left, *right;
	long key;
};

struct request {
	int id;
	char verb[8];
	char path[48];
};

struct session {
	struct session *peer;
	int id;
	char user[32];
};

static struct kmem_cache *item_cache, *node_cache, *request_cache, *session_cache;

static struct link items = { &items, &items };
static struct node *tree;
static char *middle;
static struct session *known;
static __thread void *thread_local_object;
static volatile sig_atomic_t stop_requested;

static void *must(void *p)
{
	if (p)
		return p;
	fputs("leaky: out of memory\n", stderr);
	exit(1);
}

/* ---- what is kept ------------------------------------------------------------------------ */

static NOINLINE void keep_list(void)
{
	for (int i = 0; i < NR_ITEMS; i++) {
		struct item *item = must(kmem_cache_zalloc(item_cache, GFP_KERNEL));

		snprintf(item->name, sizeof(item->name), "item %d", i);
		item->link.prev = items.prev;
		item->link.next = &items;
		items.prev->next = &item->link;
		items.prev = &item->link;
	}
}

static NOINLINE struct node *keep_tree(int depth, long key)
{
	struct node *node = must(kmem_cache_zalloc(node_cache, GFP_KERNEL));

	node->key = key;
	if (depth) {
		node->left = keep_tree(depth - 1, 2 * key);
		node->right = keep_tree(depth - 1, 2 * key + 1);
	}
	return node;
}

static NOINLINE struct session *make_pair(int id)
{
	struct session *a = must(kmem_cache_zalloc(session_cache, GFP_KERNEL));
	struct session *b = must(kmem_cache_zalloc(session_cache, GFP_KERNEL));

	a->id = id;
	b->id = id + 1;
	a->peer = b;
	b->peer = a;
	return a;
}

static NOINLINE void keep_the_rest(void)
{
	tree = keep_tree(TREE_DEPTH, 1);
	middle = (char *)must(kmalloc(200, GFP_KERNEL)) + 72;
	thread_local_object = must(kmalloc(300, GFP_KERNEL));
	known = make_pair(1);
}

static void free_tree(struct node *node)
{
	if (!node)
		return;
	free_tree(node->left);
	free_tree(node->right);
	kmem_cache_free(node_cache, node);
}

/* What a tidy program does at its end. Without it the compiler would see that `tree` and others are never read. */
static void free_kept(void)
{
	while (items.next != &items) {
		struct link *link = items.next;

		items.next = link->next;
		kmem_cache_free(item_cache, (char *)link - offsetof(struct item, link));
	}
	free_tree(tree);
	kfree(middle - 72);
	kfree(thread_local_object);
	kmem_cache_free(session_cache, known->peer);
	kmem_cache_free(session_cache, known);
}

/* Holds an object by nothing but a local variable until the process ends. */
static void *sleeper(void *arg)
{
	void *volatile local = must(kmalloc(400, GFP_KERNEL));
	int *ready = arg;

	__atomic_store_n(ready, 1, __ATOMIC_RELEASE);
	for (;;)
		pause();
	return local;
}

static int start_sleeper(void)
{
	static int ready;
	pthread_t thread;
	int err = pthread_create(&thread, NULL, sleeper, &ready);

	while (!err && !__atomic_load_n(&ready, __ATOMIC_ACQUIRE))
		usleep(100);
	return err;
}

/* ---- what is lost ------------------------------------------------------------------------ */

static NOINLINE void lose_requests(void)
{
	for (int i = 0; i < NR_REQUESTS; i++) {
		struct request *request = must(kmem_cache_zalloc(request_cache, GFP_KERNEL));

		request->id = i;
		strcpy(request->verb, "GET");
		snprintf(request->path, sizeof(request->path), "/index/%d.html", i);
	}
}

/* A call that the compiler cannot see through: else it drops writes to memory that nobody reads. */
static NOINLINE void label(char *where, const char *text)
{
	strcpy(where, text);
	__asm__ volatile("" : : "r"(where) : "memory");
}

static NOINLINE void lose_the_rest(void)
{
	label(make_pair(100)->user, "nobody");
	label(must(kzalloc(128, GFP_KERNEL)), "a lost buffer");
	label(must(kzalloc(20000, GFP_KERNEL)), "a large lost buffer");
}

/* Overwrite what the calls above left on the stack, so that chance does not keep the lost objects alive. */
static NOINLINE void scrub_stack(void)
{
	volatile char dead[32 << 10];

	for (size_t i = 0; i < sizeof(dead); i++)
		dead[i] = 0;
}

/* ---- the program ------------------------------------------------------------------------- */

static void on_term(int signal)
{
	(void)signal;
	stop_requested = 1;
}

static void wait_for_end(int timeout_ms)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	char drop[256];

	while (!stop_requested && poll(&in, 1, timeout_ms) > 0)
		if (read(STDIN_FILENO, drop, sizeof(drop)) <= 0)
			return;
}

static int make_caches(void)
{
	item_cache = kmem_cache_create("item", sizeof(struct item), 0, 0, NULL);
	node_cache = kmem_cache_create("node", sizeof(struct node), 0, 0, NULL);
	request_cache = kmem_cache_create("request", sizeof(struct request), 0, 0, NULL);
	session_cache = kmem_cache_create("session", sizeof(struct session), 0, 0, NULL);
	return item_cache && node_cache && request_cache && session_cache ? 0 : -1;
}

static int usage(void)
{
	fputs("Usage: leaky [--seconds N] [--after N]\n", stderr);
	return 2;
}

static void lose(void)
{
	lose_requests();
	lose_the_rest();
	scrub_stack();
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_term };
	int timeout_ms = -1, after = 0;

	for (int i = 1; i < argc; i += 2) {
		if (i + 1 == argc)
			return usage();
		if (!strcmp(argv[i], "--seconds"))
			timeout_ms = atoi(argv[i + 1]) * 1000;
		else if (!strcmp(argv[i], "--after"))
			after = atoi(argv[i + 1]);
		else
			return usage();
	}
	sigaction(SIGTERM, &action, NULL);
	if (make_caches() || start_sleeper())
		return 1;
	keep_list();
	keep_the_rest();
	if (!after)
		lose();
	printf("READY pid=%d leaks=%d\n", (int)getpid(), NR_LEAKS);
	fflush(stdout);
	if (after && !sleep((unsigned int)after))
		lose();
	wait_for_end(timeout_ms);
	free_kept();
	return 0;
}
