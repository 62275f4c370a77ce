/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * operators_own.cc - a program with its own operator new and delete, which hands
 * out pointers behind a header: every other form has to end in these.
 */
#pragma GCC diagnostic ignored "-Wsized-deallocation" /* the sized ones are what is tested */

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <new>

static int news, deletes;

void *operator new(size_t size)
{
	char *p = (char *)malloc(size + 32);

	news++;
	*(uint64_t *)(void *)p = 0x600d;
	return p + 32;
}

void operator delete(void *p) noexcept
{
	char *start = (char *)p - 32;

	deletes++;
	if (*(uint64_t *)(void *)start != 0x600d)
		abort();
	free(start);
}

static void *hidden(void *p)
{
	__asm__("" : "+r"(p) : : "memory");
	return p;
}

int main()
{
	operator delete(hidden(operator new(40)));
	operator delete(hidden(operator new(40)), 40);
	operator delete[](hidden(operator new[](40)));
	operator delete[](hidden(operator new[](40)), 40);
	operator delete(hidden(operator new(40, std::nothrow)), std::nothrow);
	operator delete[](hidden(operator new[](40, std::nothrow)), std::nothrow);
	printf("%d news, %d deletes\n", news, deletes);
	return news != 6 || deletes != 6;
}
