# The program with liburcu: readers, and writers that free what they replace.
TEST_HELPERS    += tests/rcu/readers.c
TEST_HELPER_BIN += $(B)/tests/rcu/readers

$(B)/tests/rcu/readers: $(B)/obj/tests/rcu/readers.o $(B)/libkmem.so
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $< -L$(B) -lkmem -Wl,-rpath,'$$ORIGIN/../..' -lurcu -pthread
