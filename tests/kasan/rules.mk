# One program for all cases: it does wrong on purpose.
TEST_HELPERS    += tests/kasan/kasan.c
TEST_HELPER_BIN += $(B)/tests/kasan/kasan

$(B)/tests/kasan/kasan: tests/kasan/kasan.c $(B)/libkmem.so
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) -std=gnu11 -O0 -g -fno-omit-frame-pointer $(SANFLAGS) -w -o $@ $< -L$(B) -lkmem -Wl,-rpath,'$$ORIGIN/../..' -pthread
