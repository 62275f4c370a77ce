# A process whose pools kmemleak looks at.
TEST_HELPERS    += tests/pool/holding.c
TEST_HELPER_BIN += $(B)/tests/pool/holding

$(B)/tests/pool/holding: $(B)/obj/tests/pool/holding.o $(B)/libkmem.so
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $< -L$(B) -lkmem -Wl,-rpath,'$$ORIGIN/../..'
