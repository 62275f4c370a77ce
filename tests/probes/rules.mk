PROBES_BIN      := $(B)/tests/probes/steady $(B)/tests/probes/inline
TEST_HELPERS    += $(wildcard tests/probes/*.c)
TEST_HELPER_BIN += $(PROBES_BIN)

$(PROBES_BIN): $(B)/tests/probes/%: $(B)/obj/tests/probes/%.o $(B)/libkmem.so
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $< -L$(B) -lkmem -pthread -Wl,-rpath,'$$ORIGIN/../..'

# What it calls is the allocator that is preloaded.
TEST_HELPERS    += tests/probes/sampled.c
TEST_HELPER_BIN += $(B)/tests/probes/sampled

$(B)/tests/probes/sampled: tests/probes/sampled.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -fno-builtin -o $@ $< -pthread
