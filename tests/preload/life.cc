/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * life.cc - beginnings and ends: objects of constructors that run before ours, of
 * thread_local ones and thread keys after a thread's end, of libraries that come
 * and go, of threads that others outlive. life PLUGIN
 */
#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

static int failures;

#define CHECK(condition)                                                        \
	do {                                                                    \
		if (!(condition)) {                                             \
			printf("line %d: %s\n", __LINE__, #condition);          \
			failures++;                                             \
		}                                                               \
	} while (0)

/* ---- before main(), and after ---- */

static char *early;

/* Runs before every constructor of a library. */
static void before_all(int, char **, char **)
{
	early = (char *)malloc(100);
	strcpy(early, "early");
	free(malloc(100000));
}
__attribute__((section(".preinit_array"), used)) static void (*const preinit)(int, char **, char **) = before_all;

struct registry {
	std::map<std::string, std::string> values;
	registry()
	{
		for (int i = 0; i < 1000; i++)
			values["key " + std::to_string(i)] = std::string(100 + i, 'x');
	}
	~registry()
	{
		std::vector<std::string> late;

		for (auto &value : values)
			late.push_back(value.second);
		if (values.size() != 1000 || late.size() != 1000)
			_exit(9);
	}
};
static registry of_the_program __attribute__((init_priority(101)));

/* A handler of exit() may allocate. */
static void at_exit()
{
	std::vector<std::string> late(1000, std::string(1000, 'y'));

	free(early);
	fflush(stdout);
}

/* ---- ends of threads ---- */

static std::atomic<int> destroyed;

struct of_a_thread {
	std::vector<std::string> strings;
	~of_a_thread()
	{
		/* Frees what it has, and takes again, when most of the thread is gone. */
		strings.clear();
		for (int i = 0; i < 100; i++)
			strings.push_back(std::string(50 + i * 30, 'z'));
		strings.resize(3);
		destroyed++;
	}
};
static thread_local of_a_thread mine;
static pthread_key_t key, again;

static void key_destructor(void *value)
{
	char *copy = strdup((char *)value);

	free(value);
	/* Once more round: destructors run up to four times. */
	if (!pthread_getspecific(again))
		pthread_setspecific(again, strdup("again"));
	free(copy);
	destroyed++;
}

static void again_destructor(void *value)
{
	free(value);
	free(malloc(5000));
	destroyed++;
}

static void ends_of_threads()
{
	enum { ROUNDS = 20, THREADS = 8 };

	CHECK(!pthread_key_create(&key, key_destructor) && !pthread_key_create(&again, again_destructor));
	for (int round = 0; round < ROUNDS; round++) {
		std::vector<std::thread> threads;

		for (int i = 0; i < THREADS; i++)
			threads.emplace_back([] {
				mine.strings.assign(200, std::string(300, 'a'));
				pthread_setspecific(key, strdup("of the thread"));
			});
		for (auto &thread : threads)
			thread.join();
	}
	CHECK(destroyed == ROUNDS * THREADS * 3);
}

/* What a thread that is gone had allocated is freed by others, while more of them come and go. */
static void heirs()
{
	enum { ROUNDS = 40, OBJECTS = 2000 };
	static std::atomic<std::vector<char *> *> shelf[4];
	std::vector<std::thread> makers;
	std::atomic<bool> stop{ false };
	std::thread heir[2];

	for (auto &t : heir)
		t = std::thread([&] {
			for (bool last = false; !last;) {
				last = stop;
				for (auto &slot : shelf) {
					std::vector<char *> *v = slot.exchange(nullptr);

					if (!v)
						continue;
					for (size_t i = 0; i < v->size(); i++) {
						if ((*v)[i][0] != (char)i)
							abort();
						free((*v)[i]);
					}
					delete v;
				}
			}
		});
	for (int round = 0; round < ROUNDS; round++) {
		std::thread maker([round] {
			auto *v = new std::vector<char *>;

			for (int i = 0; i < OBJECTS; i++) {
				v->push_back((char *)malloc(1 + (size_t)(i * 37 % (round % 4 == 3 ? 9000 : 700))));
				v->back()[0] = (char)i;
			}
			v = shelf[round % 4].exchange(v);
			for (size_t i = 0; v && i < v->size(); i++)
				free((*v)[i]);
			delete v;
		});
		maker.join();
	}
	stop = true;
	for (auto &t : heir)
		t.join();
	for (auto &slot : shelf)
		CHECK(!slot);
	/* A main thread that ends by pthread_exit() is tried by the script. */
}

/* ---- libraries ---- */

/* Its constructor and destructor allocate; what it gave us outlives it, what we gave it dies with it. */
static void plugins(const char *path)
{
	for (int i = 0; i < 50; i++) {
		void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
		char *(*name)() = library ? (char *(*)())dlsym(library, "plugin_name") : nullptr;
		void (*keep)(char *) = library ? (void (*)(char *))dlsym(library, "plugin_keep") : nullptr;
		char *copy;

		CHECK(name && keep);
		if (!name || !keep) {
			puts(dlerror());
			return;
		}
		copy = name();
		keep(strdup("a gift"));
		CHECK(!dlclose(library));
		CHECK(!strcmp(copy, "plugin"));
		free(copy);
	}
	CHECK(!dlopen("/nonexistent/library.so", RTLD_NOW) && dlerror());
}

int main(int argc, char **argv)
{
	atexit(at_exit);
	CHECK(!strcmp(early, "early"));
	CHECK(of_the_program.values.size() == 1000);
	ends_of_threads();
	heirs();
	plugins(argc > 1 ? argv[1] : "");
	printf("life: %d failures\n", failures);
	if (argc > 2) {
		/* The main thread ends, another one ends the process. */
		fflush(stdout);
		std::thread([] {
			usleep(50000);
			std::vector<std::string> more(1000, std::string(500, 'm'));
			exit(failures != 0);
		}).detach();
		pthread_exit(nullptr);
	}
	return failures != 0;
}
