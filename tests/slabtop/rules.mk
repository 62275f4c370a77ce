# Processes with known caches and pools for the scripts.
TEST_HELPERS    += tests/slabtop/holder.c tests/slabtop/pooler.c
TEST_HELPER_BIN += $(B)/tests/holder $(B)/tests/pooler

$(B)/tests/holder $(B)/tests/pooler: $(B)/tests/%: tests/slabtop/%.c $(B)/libkmem.so
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -o $@ $< -L$(B) -lkmem -Wl,-rpath,'$$ORIGIN/..' -pthread
