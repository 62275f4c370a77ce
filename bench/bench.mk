# How the benchmarks are built; bench/run drives them. Each program is built once for each allocator
# interface that it is about (bench/api.h): build/bench/loops-inline, loops-so, ...
BENCH_API_inline := 1
BENCH_API_so     := 2
BENCH_API_kmalloc := 3
BENCH_API_malloc := 4
BENCH_TYPED  := loops-inline loops-so loops-kmalloc flow-inline threads-inline tail-inline giveback-inline \
                memory-inline drain-so holder colour
BENCH_MALLOC := loops-malloc flow-malloc threads-malloc tail-malloc giveback-malloc memory-malloc
BENCH_BIN    := $(BENCH_TYPED:%=$(B)/bench/%) $(BENCH_MALLOC:%=$(B)/bench/%) $(B)/bench/reader $(B)/bench/stream $(B)/bench/quiet $(B)/bench/guard \
                $(B)/bench/launch $(B)/bench/traced $(B)/bench/recorder $(B)/bench/watched
.PHONY: bench-bin
bench-bin: $(BENCH_BIN)
bench: bench-bin

bench_api = $(BENCH_API_$(lastword $(subst -, ,$(1))))
bench_src = bench/$(firstword $(subst -, ,$(1))).c

# The libraries are loaded by it.
$(B)/bench/guard: bench/guard.c bench/bench.h
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -fno-builtin -o $@ $< -ldl

$(B)/bench/quiet: bench/quiet.c bench/bench.h
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -o $@ $< -pthread

# Static: see there.
$(B)/bench/launch: bench/launch.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -static -o $@ $<

# Plain, as programs are: with a PLT.
$(B)/bench/traced: bench/traced.c bench/bench.h
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -fno-builtin -fplt -Wl,-z,lazy -o $@ $<

$(B)/bench/recorder: bench/recorder.c bench/bench.h $(B)/libcommon.a
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(TOOL_CFLAGS) -o $@ $< $(B)/libcommon.a $(TOOL_LIBS)

# What links with nothing of ours: the allocator is the one preloaded.
define bench_malloc_rule
$(B)/bench/$(1): $(call bench_src,$(1)) bench/bench.h bench/api.h
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$$(Q)$$(CC) $$(CPPFLAGS) $$(CFLAGS) -DAPI=$(call bench_api,$(1)) -fno-builtin -fno-plt -o $$@ $$< -pthread
endef
$(foreach b,$(BENCH_MALLOC),$(eval $(call bench_malloc_rule,$(b))))

define bench_typed_rule
$(B)/bench/$(1): $(call bench_src,$(1)) bench/bench.h bench/api.h $(B)/libkmem.so
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$$(Q)$$(CC) $$(CPPFLAGS) $$(CFLAGS) $(if $(call bench_api,$(1)),-DAPI=$(call bench_api,$(1))) -fno-plt -o $$@ $$< -L$(B) -lkmem -Wl,-rpath,'$$$$ORIGIN/..' -pthread
endef
$(foreach b,$(BENCH_TYPED),$(eval $(call bench_typed_rule,$(b))))

$(B)/bench/reader $(B)/bench/watched: $(B)/bench/%: bench/%.c $(B)/libcommon.a
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(TOOL_CFLAGS) -o $@ $< $(B)/libcommon.a $(TOOL_LIBS)

# Frame pointers: it records stacks of its own.
$(B)/bench/stream: bench/stream.c bench/bench.h $(B)/libcommon.a $(B)/libkmem.so
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(TOOL_CFLAGS) -fno-omit-frame-pointer -fno-plt -o $@ $< -L$(B) -lkmem -Wl,-rpath,'$$ORIGIN/..' $(B)/libcommon.a $(TOOL_LIBS) -pthread
