# The ledger program: libkmem in a child, the collector and the reader in the parent.
TEST_HELPERS    += tests/ledger/ledger.c
TEST_HELPER_BIN += $(B)/tests/ledger/ledger

$(B)/tests/ledger/ledger: $(B)/obj/tests/ledger/ledger.o $(B)/libcommon.a $(B)/libkmem.so
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $< $(B)/libcommon.a -L$(B) -lkmem -Wl,-rpath,'$$ORIGIN/../..' $(TOOL_LIBS) -pthread
