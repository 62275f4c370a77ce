# Helper programs of the kmemleak tests: they run as the process that is scanned.
KMEMLEAK_HELPERS := $(patsubst %,tests/kmemleak/%.c,corpus losing merged mutator orphan placed)
TEST_HELPERS     += $(KMEMLEAK_HELPERS)
TEST_HELPER_BIN  += $(KMEMLEAK_HELPERS:%.c=$(B)/%)

$(KMEMLEAK_HELPERS:%.c=$(B)/%): $(B)/%: $(B)/obj/%.o $(B)/libkmem.so
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $< -L$(B) -lkmem -Wl,-rpath,'$$ORIGIN/../..' -pthread
