# A process with known caches for the scripts.
TEST_HELPERS    += tests/slabtop/holder.c
TEST_HELPER_BIN += $(B)/tests/holder

$(B)/tests/holder: tests/slabtop/holder.c $(B)/libkmem.so
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -o $@ $< -L$(B) -lkmem -Wl,-rpath,'$$ORIGIN/..' -pthread
