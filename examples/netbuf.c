/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netbuf.c - network buffers from a region pool: packets come in bursts, and what
 * belongs to a burst is freed in one go when it is done. Each buffer costs an
 * addition, no free, and no header. Large ones have blocks of their own, which go
 * back as soon as they are sent.
 *
 *   $ build/examples/netbuf
 *   1600 packets in 100 bursts, 1200000 bytes
 *   3200 pieces, 3200 of them freed, by 100 resets
 *   0 bytes in use, and no more memory held than for one burst
 */
#include <stdio.h>
#include <string.h>
#include <kmem/mp_pool.h>

#define BURST 16
#define JUMBO 9000

struct netbuf {
	struct netbuf *next;
	size_t len;
	unsigned char *data;
};

/* One packet, its data at the start of a cache line. */
static struct netbuf *receive(struct mp_pool *pool, size_t len)
{
	struct netbuf *nb = mp_alloc(pool, sizeof(*nb));

	if (!nb || !(nb->data = mp_memalign(pool, len, 64)))
		return NULL;
	memset(nb->data, 0x45, len);
	nb->len = len;
	return nb;
}

static size_t transmit(struct mp_pool *pool, const struct netbuf *nb)
{
	if (nb->len == JUMBO)
		mp_free(pool, nb->data);
	return nb->len;
}

int main(void)
{
	struct mp_pool *pool = mp_create_pool(4096);
	size_t bytes = 0, held = 0;
	struct mp_stats stats;
	int packets = 0;

	if (!pool)
		return 1;
	for (int burst = 0; burst < 100; burst++) {
		struct netbuf *queue = NULL;

		for (int i = 0; i < BURST; i++) {
			struct netbuf *nb = receive(pool, i ? 200 : JUMBO);

			if (!nb)
				return 1;
			nb->next = queue;
			queue = nb;
		}
		for (; queue; queue = queue->next, packets++)
			bytes += transmit(pool, queue);
		mp_stats(pool, &stats);
		held = held ? held : stats.held;
		mp_reset_pool(pool); /* all buffers of the burst */
	}
	mp_stats(pool, &stats);
	printf("%d packets in 100 bursts, %zu bytes\n", packets, bytes);
	printf("%lu pieces, %lu of them freed, by %lu resets\n", stats.allocation_count, stats.free_count, stats.resets);
	printf("%lu bytes in use, and %s held than for one burst\n", stats.current_allocated,
	       stats.held <= held ? "no more memory" : "more memory");
	mp_destroy_pool(pool);
	return 0;
}
