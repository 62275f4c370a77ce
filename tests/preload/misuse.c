/* SPDX-License-Identifier: BSD-2-Clause */
/* misuse.c - the ways to misuse malloc(), by name. Prints "survived" when nothing stopped it. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void delete_sized(void *p, size_t size) __asm__("_ZdlPvm") __attribute__((weak));
void delete_array_sized(void *p, size_t size) __asm__("_ZdaPvm") __attribute__((weak));
void free_sized(void *p, size_t size) __attribute__((weak));

/* Not seen through by the compiler, and not by buffered output: every case prints with write(). */
static void *volatile hold;
static volatile char seen;

static void *get(size_t size)
{
	hold = malloc(size);
	return hold;
}

static void double_free_small(void)
{
	char *p = get(40);

	free(p);
	free(p);
}

static void double_free_large(void)
{
	char *p = get(100000);

	free(p);
	free(p);
}

static void double_free_delayed(void)
{
	char *p = get(40), *q = get(40), *r = get(40);

	free(p);
	free(q);
	free(r);
	free(p);
}

static void free_interior(void)
{
	free((char *)get(64) + 16);
}

static void free_unaligned(void)
{
	free((char *)get(64) + 1);
}

static void free_interior_large(void)
{
	free((char *)get(100000) + 4096);
}

static void free_unaligned_large(void)
{
	free((char *)get(100000) + 1);
}

static void free_stack(void)
{
	char local[64];

	hold = local;
	free(hold);
}

static void overflow(size_t size, size_t bytes)
{
	char *p = get(size);

	memset(p + size, 0, bytes);
	free(p);
}

static void overflow_1(void) { overflow(40, 1); }
static void overflow_8(void) { overflow(48, 8); }
static void overflow_1_large(void) { overflow(100000, 1); }
static void overflow_8_large(void) { overflow(98304, 8); }
static void overflow_1_huge(void) { overflow(5 << 20, 1); }
static void zero_size_write(void) { overflow(0, 1); }

static void underflow_1(void)
{
	char *p = get(40);

	p[-1] = 0;
	free(p);
}

static void write_after_free(void)
{
	char *p = get(40);

	free(p);
	p[8] = 1;
	get(40);
}

/* What is read must not be what was there: as a pointer it faults. */
static void read_after_free(void)
{
	char **p = get(64), c = 'x';

	p[0] = p[4] = &c;
	free(p);
	if (*p[0] == 'x')
		write(1, "still there\n", 12);
}

static void read_after_free_large(void)
{
	char **p = get(100000), c = 'x';

	p[2000] = &c;
	free(p);
	if (*p[2000] == 'x')
		write(1, "still there\n", 12);
}

static void read_zero_size(void)
{
	char **p = get(0);

	seen = *p[0];
}

static void uninitialised_read(void)
{
	char **p;

	free(memset(get(64), 0, 64));
	p = get(64);
	seen = *p[3];
}

static void uninitialised_free(void)
{
	void **p;

	free(memset(get(64), 0, 64));
	p = get(64);
	free(p[3]);
}

static void sized_delete(void)
{
	if (delete_sized)
		delete_sized(get(40), 48);
}

static void sized_delete_array(void)
{
	if (delete_array_sized)
		delete_array_sized(get(40), 39);
}

static void sized_free(void)
{
	if (free_sized)
		free_sized(get(40), 41);
}

static void sized_right(void)
{
	delete_sized(get(40), 40);
	delete_sized(get(1), 0); /* what operator new makes of 0 */
	delete_array_sized(get(33), 33);
	free_sized(get(40), 40);
	free_sized(NULL, 40);
	delete_sized(get(100000), 100000);
}

static void realloc_freed(void)
{
	char *p = get(40);

	free(p);
	hold = realloc(p, 100);
}

static void realloc_overflow(void)
{
	char *p = realloc(get(40), 20);

	p[20] = 1;
	free(p);
}

static void usable_size(void)
{
	char *p = get(40);

	memset(p, 1, 40);
	p = realloc(p, 60);
	memset(p + 40, 1, 20);
	free(p);
	free(NULL);
	free(calloc(0, 8));
	free(get(0));
	free(aligned_alloc(64, 640));
	free(aligned_alloc(8192, 100));
	free(get(5 << 20));
}

#define CASE(name) { #name, name }
static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	CASE(double_free_small), CASE(double_free_large), CASE(double_free_delayed), CASE(free_interior),
	CASE(free_unaligned), CASE(free_interior_large), CASE(free_unaligned_large), CASE(free_stack),
	CASE(overflow_1), CASE(overflow_8), CASE(overflow_1_large), CASE(overflow_8_large), CASE(overflow_1_huge),
	CASE(zero_size_write), CASE(underflow_1), CASE(write_after_free), CASE(read_after_free),
	CASE(read_after_free_large), CASE(read_zero_size), CASE(uninitialised_read), CASE(uninitialised_free),
	CASE(sized_delete), CASE(sized_delete_array), CASE(sized_free), CASE(sized_right), CASE(realloc_freed),
	CASE(realloc_overflow), CASE(usable_size),
};

int main(int argc, char **argv)
{
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (argc > 1 && !strcmp(argv[1], cases[i].name)) {
			cases[i].run();
			write(1, "survived\n", 9);
			return 0;
		}
		if (argc == 1)
			dprintf(1, "%s\n", cases[i].name);
	}
	return argc > 1 ? 2 : 0;
}
