// SPDX-License-Identifier: BSD-2-Clause
/* Kernel code that uses linux/shrinker.h. */
#include <linux/shrinker.h>
#include <linux/slab.h>

static void *held[100];
static unsigned long nr_held;

static unsigned long held_count(struct shrinker *shrinker, struct shrink_control *sc)
{
	(void)sc;
	return shrinker->private_data == held && nr_held ? nr_held : SHRINK_EMPTY;
}

static unsigned long held_scan(struct shrinker *shrinker, struct shrink_control *sc)
{
	unsigned long freed = 0;

	(void)shrinker;
	if (!(sc->gfp_mask & __GFP_FS))
		return SHRINK_STOP;
	while (nr_held && freed < sc->nr_to_scan) {
		kfree(held[--nr_held]);
		freed++;
	}
	return freed;
}

int main(void)
{
	struct shrinker *shrinker = shrinker_alloc(SHRINKER_NUMA_AWARE, "held-%d", 1);

	if (!shrinker)
		return 1;
	shrinker->count_objects = held_count;
	shrinker->scan_objects = held_scan;
	shrinker->seeks = DEFAULT_SEEKS;
	shrinker->private_data = held;
	shrinker_register(shrinker);
	while (nr_held < 100)
		held[nr_held++] = kmalloc(100, GFP_KERNEL);
	while (nr_held && kmem_drop_slab())
		continue;
	shrinker_free(shrinker);
	return nr_held != 0;
}
