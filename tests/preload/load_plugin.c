/* SPDX-License-Identifier: BSD-2-Clause */
/* load_plugin.c - a C program that loads a C++ plugin for itself: the C++ library is nobody else's. load_plugin PLUGIN */
#include <dlfcn.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	void *plugin = argc == 2 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
	int (*run_all)(void) = plugin ? (int (*)(void))dlsym(plugin, "run_all") : NULL;
	int rc;

	if (!run_all) {
		puts(dlerror());
		return 2;
	}
	rc = run_all();
	return dlclose(plugin) || rc;
}
