# How the benchmarks are built; bench/run drives them.
BENCH_BIN := $(B)/bench/cache $(B)/bench/malloc $(B)/bench/memory $(B)/bench/idle $(B)/bench/holder $(B)/bench/reader
bench: $(BENCH_BIN)

$(B)/bench/malloc $(B)/bench/memory: $(B)/bench/%: bench/%.c bench/bench.h
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -fno-builtin -o $@ $<

$(B)/bench/cache $(B)/bench/idle $(B)/bench/holder: $(B)/bench/%: bench/%.c bench/bench.h $(B)/libkmem.so
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -fno-plt -o $@ $< -L$(B) -lkmem -Wl,-rpath,'$$ORIGIN/..' -pthread

$(B)/bench/reader: bench/reader.c $(B)/libcommon.a
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(TOOL_CFLAGS) -o $@ $< $(B)/libcommon.a $(TOOL_LIBS)
