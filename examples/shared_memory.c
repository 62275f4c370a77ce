/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shared_memory.c - genalloc deals out pieces of a shared-memory segment. It
 * keeps its own books elsewhere, so nothing that another process writes there can
 * damage them. The "physical address" of a piece is its offset in the segment:
 * the one name for it that is the same in every process.
 *
 *   $ build/examples/shared_memory
 *   offset 0: "first message"
 *   offset 4096: "second message, page aligned"
 *   65536 of 65536 bytes free again
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <kmem/genalloc.h>

#define SEGMENT (64 << 10)

/* A copy of text in the segment. */
static void *put(struct gen_pool *pool, const char *text, int align)
{
	void *p = gen_pool_dma_alloc_align(pool, strlen(text) + 1, NULL, align);

	return p ? strcpy(p, text) : NULL;
}

/* The other process: it knows the file and offsets in it, and maps it where it likes. */
static int show(int fd, const phys_addr_t *offset, int nr)
{
	const char *segment = mmap(NULL, SEGMENT, PROT_READ, MAP_SHARED, fd, 0);

	if (segment == MAP_FAILED)
		return 1;
	for (int i = 0; i < nr; i++)
		printf("offset %lu: \"%s\"\n", offset[i], segment + offset[i]);
	return fflush(stdout);
}

int main(void)
{
	int fd = shm_open("/kmem-example", O_RDWR | O_CREAT, 0600), status;
	struct gen_pool *pool = gen_pool_create(6, -1); /* granules of 64 bytes */
	const char *text[2] = { "first message", "second message, page aligned" };
	void *segment, *piece[2];
	phys_addr_t offset[2];

	if (!pool || fd < 0 || shm_unlink("/kmem-example") || ftruncate(fd, SEGMENT))
		return 1;
	segment = mmap(NULL, SEGMENT, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (segment == MAP_FAILED || gen_pool_add_virt(pool, (unsigned long)segment, 0, SEGMENT, -1))
		return 1;

	for (int i = 0; i < 2; i++) {
		piece[i] = put(pool, text[i], i ? 4096 : 64);
		offset[i] = gen_pool_virt_to_phys(pool, (unsigned long)piece[i]);
	}
	if (fork() == 0)
		_exit(show(fd, offset, 2));
	if (wait(&status) < 0 || status)
		return 1;

	for (int i = 0; i < 2; i++)
		gen_pool_free(pool, (unsigned long)piece[i], strlen(text[i]) + 1); /* the size is for the caller to know */
	printf("%zu of %zu bytes free again\n", gen_pool_avail(pool), gen_pool_size(pool));
	return gen_pool_destroy(pool) != 0;
}
