/* SPDX-License-Identifier: BSD-2-Clause */
/* Usercopy windows: what the kernel refuses is refused, in its words. */
#include "support.h"

struct message {
	int secret;
	char text[24];
	int key;
};

static const char *refused(const void *ptr, size_t n, bool to_user)
{
	bool ok;
	const char *text;

	capture_start();
	ok = kmem_check_usercopy(ptr, n, to_user);
	text = capture_end();
	cr_expect_eq(ok, !*text, "a report if and only if it is refused: %s", text);
	return ok ? "" : text;
}

#define REFUSED(ptr, n, to_user, want)                                             \
	do {                                                                       \
		const char *text = refused(ptr, n, to_user);                       \
		cr_expect_str_eq(text, want);                                      \
	} while (0)

Test(usercopy, window_of_a_cache)
{
	struct kmem_cache *s = KMEM_CACHE_USERCOPY(message, 0, text);
	struct message *m = kmem_cache_alloc(s, GFP_KERNEL);

	cr_expect_eq(s->useroffset, offsetof(struct message, text));
	cr_expect_eq(s->usersize, 24);
	REFUSED(m->text, 24, true, "");
	REFUSED(m->text + 23, 1, false, "");
	REFUSED(m->text, 0, true, "");
	REFUSED(m, 0, true, "");
	REFUSED(m->text, 25, true,
		"kmem: usercopy: Kernel memory exposure attempt detected from SLUB object 'message' (offset 4, size 25)!\n");
	REFUSED(m, 8, false,
		"kmem: usercopy: Kernel memory overwrite attempt detected to SLUB object 'message' (offset 0, size 8)!\n");
	REFUSED(&m->key, 4, true,
		"kmem: usercopy: Kernel memory exposure attempt detected from SLUB object 'message' (offset 28, size 4)!\n");
	kmem_cache_free(s, m);
	kmem_cache_destroy(s);
}

Test(usercopy, no_window_no_copy)
{
	struct kmem_cache *s = kmem_cache_create("private", 64, 0, 0, NULL);
	void *p = kmem_cache_alloc(s, GFP_KERNEL);

	REFUSED(p, 1, true,
		"kmem: usercopy: Kernel memory exposure attempt detected from SLUB object 'private' (offset 0, size 1)!\n");
	kmem_cache_free(s, p);
	kmem_cache_destroy(s);
}

Test(usercopy, kmalloc_is_open_to_its_end)
{
	char *p = kmalloc(100, GFP_KERNEL), *large = kmalloc(20000, GFP_KERNEL);

	REFUSED(p, 128, true, "");
	REFUSED(p + 127, 1, true, "");
	REFUSED(p + 100, 29, true,
		"kmem: usercopy: Kernel memory exposure attempt detected from SLUB object 'kmalloc-128' (offset 100, size 29)!\n");
	REFUSED(large + 4096, 32768 - 4096, false, "");
	REFUSED(large + 4096, 32768 - 4095, false,
		"kmem: usercopy: Kernel memory overwrite attempt detected to page alloc (offset 4096, size 28673)!\n");
	kfree(p);
	kfree(large);
}

Test(usercopy, addresses)
{
	char local[8] = "";

	REFUSED(local, sizeof(local), true, "");
	REFUSED(NULL, 4, true, "kmem: usercopy: Kernel memory exposure attempt detected from null address (offset 0, size 4)!\n");
	REFUSED((void *)-8L, 16, false,
		"kmem: usercopy: Kernel memory overwrite attempt detected to wrapped address (offset 0, size 16)!\n");
}

Test(usercopy, an_object_that_never_left_its_slab)
{
	struct kmem_cache *s = KMEM_CACHE_USERCOPY(message, 0, text);
	struct message *m = kmem_cache_alloc(s, GFP_KERNEL);
	struct page *slab = slab_of(m);
	uint32_t i;

	for (i = 0; i < slab->objects; i++)
		if (!slab_object_taken(s, slab, slab_object(s, slab, i)))
			break;
	cr_assert_lt(i, slab->objects);
	cr_expect_str_neq(refused((char *)slab_object(s, slab, i) + 4, 4, true), "");
	kmem_cache_free(s, m);
}
