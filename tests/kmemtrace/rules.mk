# Scripts in an allocator and in its model side by side.
TEST_HELPERS    += tests/kmemtrace/placement.c
TEST_HELPER_BIN += $(B)/tests/placement

$(B)/tests/placement: $(B)/obj/tests/kmemtrace/placement.o $(patsubst %.c,$(B)/obj/%.o,$(wildcard tools/kmemtrace/model_*.c tools/kmemtrace/cache_model.c)) \
		$(B)/libcommon.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(TOOL_LIBS) -pthread

# Programs that are recorded.
KMEMTRACE_HELPERS := $(patsubst %,tests/kmemtrace/%.c,pinned)
TEST_HELPERS      += $(KMEMTRACE_HELPERS)
TEST_HELPER_BIN   += $(KMEMTRACE_HELPERS:%.c=$(B)/%)

$(KMEMTRACE_HELPERS:%.c=$(B)/%): $(B)/%: $(B)/obj/%.o $(B)/libkmem.so
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $< -L$(B) -lkmem -Wl,-rpath,'$$ORIGIN/../..' -pthread
