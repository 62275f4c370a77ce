/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * operators.cc - every form of C++'s operator new and delete, and what follows when
 * memory is out. Knows nothing of libkmem: it has to pass natively, too. As a
 * plugin (-DPLUGIN) it is loaded by a program that is not C++.
 */
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <new>

static int failures;

#define CHECK(condition)                                                        \
	do {                                                                    \
		if (!(condition)) {                                             \
			printf("line %d: %s\n", __LINE__, #condition);          \
			failures++;                                             \
		}                                                               \
	} while (0)

/* The compiler may neither know a size nor pair new with delete. */
static size_t hidden(size_t size)
{
	__asm__("" : "+r"(size));
	return size;
}

static void *hidden(void *p)
{
	__asm__("" : "+r"(p) : : "memory");
	return p;
}

static const size_t sizes[] = { 0, 1, 8, 16, 24, 100, 1000, 4096, 8192, 8193, 100000, 5 << 20 };

static void all_forms(size_t size)
{
	const std::align_val_t line{ 64 }, page{ 4096 };
	void *p[8] = {
		operator new(size), operator new[](size), operator new(size, std::nothrow), operator new[](size, std::nothrow),
		operator new(size, line), operator new[](size, page), operator new(size, line, std::nothrow),
		operator new[](size, page, std::nothrow),
	};

	for (int i = 0; i < 8; i++) {
		CHECK(p[i] && (uintptr_t)p[i] % (i < 4 ? 16 : i % 2 ? 4096 : 64) == 0);
		memset(hidden(p[i]), i, size);
		for (int j = 0; j < i; j++)
			CHECK(p[i] != p[j]);
	}
	for (int i = 0; i < 8; i++)
		CHECK(!size || ((unsigned char *)p[i])[size - 1] == i);
	operator delete(hidden(p[0]));
	operator delete[](hidden(p[1]));
	operator delete(hidden(p[2]), std::nothrow);
	operator delete[](hidden(p[3]), std::nothrow);
	operator delete(hidden(p[4]), line);
	operator delete[](hidden(p[5]), page);
	operator delete(hidden(p[6]), line, std::nothrow);
	operator delete[](hidden(p[7]), page, std::nothrow);
	operator delete(hidden(operator new(size)), size);
	operator delete[](hidden(operator new[](size)), size);
	operator delete(hidden(operator new(size, line)), size, line);
	operator delete[](hidden(operator new[](size, page)), size, page);
}

template <typename F> static bool throws(F f)
{
	try {
		hidden(f());
	} catch (const std::bad_alloc &) {
		return true;
	}
	return false;
}

static int handled;

static void give_up()
{
	if (++handled == 3)
		std::set_new_handler(nullptr);
}

static void out_of_memory()
{
	/* Not less from the end: libstdc++ 12 rounds the size of aligned forms up without looking. */
	const size_t too_much = hidden(SIZE_MAX / 2 - 4096), beyond = hidden(SIZE_MAX - 4096);
	const std::align_val_t line{ 64 };

	for (size_t size : { too_much, beyond }) {
		CHECK(throws([=] { return operator new(size); }));
		CHECK(throws([=] { return operator new[](size); }));
		CHECK(throws([=] { return operator new(size, line); }));
		CHECK(throws([=] { return operator new[](size, line); }));
		CHECK(!operator new(size, std::nothrow));
		CHECK(!operator new[](size, std::nothrow));
		CHECK(!operator new(size, line, std::nothrow));
		CHECK(!operator new[](size, line, std::nothrow));
	}
	std::set_new_handler(give_up);
	CHECK(throws([=] { return operator new(too_much); }));
	CHECK(handled == 3);
	handled = 0;
	std::set_new_handler(give_up);
	CHECK(!operator new(too_much, std::nothrow));
	CHECK(handled == 3);
	handled = 0;
	std::set_new_handler(give_up);
	CHECK(throws([=] { return operator new(too_much, line); }));
	CHECK(handled == 3);
}

/* What a handler throws comes out of operator new. */
static void handler_throws()
{
	struct own { };

	std::set_new_handler([] { throw own(); });
	try {
		hidden(operator new(hidden((size_t)1 << 62)));
		CHECK(!"thrown");
	} catch (const own &) {
		std::set_new_handler(nullptr);
	}
}

struct allocates_before_main {
	int *values = new int[1000]();
	~allocates_before_main() { delete[] values; }
} before_main;

extern "C" int run_all()
{
	CHECK(before_main.values[999] == 0);
	for (size_t size : sizes)
		all_forms(size);
	operator delete(nullptr);
	operator delete[](nullptr);
	operator delete(nullptr, hidden(8));
	out_of_memory();
	handler_throws();
	printf("operators: %d failures\n", failures);
	return failures != 0;
}

#ifndef PLUGIN
int main()
{
	return run_all();
}
#endif
