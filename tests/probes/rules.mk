TEST_HELPERS    += tests/probes/steady.c
TEST_HELPER_BIN += $(B)/tests/probes/steady

$(B)/tests/probes/steady: $(B)/obj/tests/probes/steady.o $(B)/libkmem.so
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $< -L$(B) -lkmem -pthread -Wl,-rpath,'$$ORIGIN/../..'
