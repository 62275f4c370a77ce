# The ledger program: libkmem in a child, the collector and the reader in the parent. paths and its worker: one path after the other.
LEDGER_BIN      := ledger paths work plugin.so
TEST_HELPERS    += $(wildcard tests/ledger/*.c)
TEST_HELPER_BIN += $(LEDGER_BIN:%=$(B)/tests/ledger/%)

$(B)/tests/ledger/ledger: $(B)/obj/tests/ledger/ledger.o $(B)/libcommon.a $(B)/libkmem.so
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $< $(B)/libcommon.a -L$(B) -lkmem -Wl,-rpath,'$$ORIGIN/../..' $(TOOL_LIBS) -pthread

$(B)/tests/ledger/paths: $(B)/obj/tests/ledger/paths.o $(B)/libcommon.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $< $(B)/libcommon.a $(TOOL_LIBS)

# The malloc library has libkmem's names, too. The compiler must not know what malloc() does.
$(B)/tests/ledger/work: tests/ledger/work.c tests/ledger/paths.h $(B)/libkmem-malloc.so
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(TEST_CFLAGS) $(LDFLAGS) -fno-builtin -o $@ $< -L$(B) -lkmem-malloc -Wl,-rpath,'$$ORIGIN/../..' -ldl -pthread

$(B)/tests/ledger/plugin.so: tests/ledger/plugin.c $(B)/libkmem-malloc.so
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(TEST_CFLAGS) -fPIC -shared -o $@ $< -L$(B) -lkmem-malloc -Wl,-rpath,'$$ORIGIN/../..'
