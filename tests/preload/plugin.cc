/* SPDX-License-Identifier: BSD-2-Clause */
/* plugin.cc - a library that allocates when it is loaded and when it goes; see life.cc. */
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

struct state {
	std::vector<std::string> lines{ 500, std::string(200, 'p') };
	char *gift = nullptr;
	void *large = malloc(5 << 20);
	~state()
	{
		lines.push_back(std::string(5000, 'q'));
		free(gift);
		free(large);
	}
};
static state of_the_library;

__attribute__((constructor)) static void come()
{
	free(calloc(100, 100));
}

__attribute__((destructor)) static void go()
{
	free(malloc(100000));
}

extern "C" char *plugin_name()
{
	return strdup("plugin");
}

extern "C" void plugin_keep(char *gift)
{
	of_the_library.gift = gift;
}
