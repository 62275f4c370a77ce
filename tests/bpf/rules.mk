# rules.mk - helper programs of the BPF test scripts. They go to $(B)/tests/bpf.

BPF_HELPERS := fake fake-O0 real watch caches_equal in_use kernel_work stream stream_work kstream kslabs kobjects
BPF_HELPER_BIN := $(BPF_HELPERS:%=$(B)/tests/bpf/%)

bpf-helpers: $(BPF_HELPER_BIN)
.PHONY: bpf-helpers

# The probes need no sanitizer and no frame pointer: as libkmem's trace.c, but twice.
$(B)/tests/bpf/fake: tests/bpf/fake.c alloc/include/kmem/observe.h
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) -std=gnu11 $(WARN) -O2 -g -mno-red-zone -o $@ $< -pthread

$(B)/tests/bpf/fake-O0: tests/bpf/fake.c alloc/include/kmem/observe.h
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) -std=gnu11 $(WARN) -O0 -g -mno-red-zone -o $@ $< -pthread

$(B)/tests/bpf/watch $(B)/tests/bpf/caches_equal $(B)/tests/bpf/in_use $(B)/tests/bpf/stream $(B)/tests/bpf/kstream $(B)/tests/bpf/kslabs $(B)/tests/bpf/kobjects: $(B)/tests/bpf/%: tests/bpf/%.c $(B)/libcommon.a
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(TOOL_CFLAGS) $(LDFLAGS) -o $@ $< $(B)/libcommon.a $(TOOL_LIBS)

$(B)/tests/bpf/kernel_work: tests/bpf/kernel_work.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $<

$(B)/tests/bpf/real $(B)/tests/bpf/stream_work: $(B)/tests/bpf/%: tests/bpf/%.c $(B)/libkmem.so
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $< -L$(B) -lkmem -Wl,-rpath,'$$ORIGIN/../..' -pthread
