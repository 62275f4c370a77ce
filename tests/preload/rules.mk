# Programs that use malloc() in one way or another, and know nothing of libkmem; each has its script.
PRELOAD_PLUGINS  := $(B)/tests/preload/plugin.so $(B)/tests/preload/operators.so
PRELOAD_BIN      := $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/preload/*.c)) $(PRELOAD_PLUGINS) \
                    $(patsubst tests/%.cc,$(B)/tests/%,$(filter-out %/plugin.cc,$(wildcard tests/preload/*.cc)))
TEST_HELPERS    += $(wildcard tests/preload/*.c)
TEST_HELPER_BIN += $(PRELOAD_BIN)

$(B)/tests/preload/%: tests/preload/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -O0 -g -fno-omit-frame-pointer -w -o $@ $< -pthread

$(B)/tests/preload/%: tests/preload/%.cc
	@mkdir -p $(@D)
	$(call say,CXX,$<)
	$(Q)$(CXX) -std=c++17 -O1 -g -Wall -Wextra -o $@ $< -pthread

# As a plugin with a C++ library of its own scope.
$(B)/tests/preload/%.so: tests/preload/%.cc
	@mkdir -p $(@D)
	$(call say,CXX,$@)
	$(Q)$(CXX) -std=c++17 -O1 -g -DPLUGIN -shared -fPIC -o $@ $<
