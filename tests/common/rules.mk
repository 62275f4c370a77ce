# The fake process that the readers are tested on: it stands beside the test program.
TEST_HELPERS    += tests/common/fake.c
TEST_HELPER_BIN += $(B)/tests/fake

$(B)/tests/fake: tests/common/fake.c tests/common/fake.h alloc/include/kmem/observe.h
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) -std=gnu11 -O1 -g $(WARN) -o $@ $<

$(B)/obj/tests/common/args.o: CPPFLAGS += -DSLABSCOPE_VERSION='"$(VERSION)"'
