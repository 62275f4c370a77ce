# One program for all cases: it does wrong with malloc(), and knows nothing of libkmem.
TEST_HELPERS    += tests/preload/misuse.c
TEST_HELPER_BIN += $(B)/tests/preload/misuse

$(B)/tests/preload/misuse: tests/preload/misuse.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -O0 -g -fno-omit-frame-pointer -w -o $@ $<
