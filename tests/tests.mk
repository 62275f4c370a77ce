# How the tests are built. A folder tests/D of Criterion files becomes build/tests/unit-D;
# plain programs (tests/stress, tests/misuse, helpers in tests/D/rules.mk) become one binary each.

TEST_CFLAGS  := -Wno-missing-prototypes -Wno-shadow -Wno-conversion -Ialloc -Itools -Ibpf -I$(B)/bpf -Itests
PLAIN_DIRS   := stress misuse programs bpf ledger
TEST_HELPERS :=
# Linked with libkmem-malloc.so, not with the layers.
MALLOC_TESTS := $(sort $(wildcard tests/entry/malloc*.c))

-include $(wildcard tests/*/rules.mk)
TEST_HELPER_BIN += $(BPF_HELPER_BIN)

UNIT_ALLOC   := $(filter $(LAYERS),$(notdir $(patsubst %/,%,$(sort $(dir $(wildcard tests/*/*.c))))))
UNIT_OTHER   := $(filter-out $(LAYERS) $(PLAIN_DIRS),$(notdir $(patsubst %/,%,$(sort $(dir $(wildcard tests/*/*.c))))))
unit_src      = $(filter-out $(TEST_HELPERS) $(MALLOC_TESTS),$(sort $(wildcard tests/$(1)/*.c)))
UNIT_OTHER   := $(foreach d,$(UNIT_OTHER),$(if $(call unit_src,$(d)),$(d)))
UNIT_BIN     := $(UNIT_ALLOC:%=$(B)/tests/unit-%) $(UNIT_OTHER:%=$(B)/tests/unit-%)
MALLOC_UNIT  := $(if $(MALLOC_TESTS),$(B)/tests/unit-malloc)

STRESS_BIN   := $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/stress/*.c))
MISUSE_BIN   := $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/misuse/*.c))
PROGRAM_BIN  := $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/programs/*.c))

.PHONY: stress unit-alloc
tests: $(UNIT_BIN) $(MALLOC_UNIT) $(STRESS_BIN) $(MISUSE_BIN) $(PROGRAM_BIN) $(TEST_HELPER_BIN)
unit-alloc: $(UNIT_ALLOC:%=$(B)/tests/unit-%)
stress: $(STRESS_BIN) $(B)/tests/model/model

$(B)/obj/tests/%.o: tests/%.c | $(SKELETONS)
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(TEST_CFLAGS) -MMD -MP -c $< -o $@

# Layers are tested from inside: against their objects, hidden functions included.
define unit_alloc_rule
$(B)/tests/unit-$(1): $$(patsubst %.c,$(B)/obj/%.o,$$(call unit_src,$(1))) $$(LIB_OBJ)
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$$(Q)$$(CC) $$(LDFLAGS) -o $$@ $$^ -lcriterion -lm -pthread
endef
$(foreach d,$(UNIT_ALLOC),$(eval $(call unit_alloc_rule,$(d))))

# The tools' parts: libcommon, the tool's own objects but main, and the public library.
define unit_other_rule
$(B)/tests/unit-$(1): $$(patsubst %.c,$(B)/obj/%.o,$$(call unit_src,$(1))) \
		$$(patsubst %.c,$(B)/obj/%.o,$$(filter-out %/main.c,$$(sort $$(wildcard tools/$(1)/*.c)))) $$(PARTS_$(1)) \
		$$(if $$(COMMON_SRC),$(B)/libcommon.a) $(B)/libkmem.so
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$$(Q)$$(CC) $$(LDFLAGS) -o $$@ $$(filter %.o %.a,$$^) -L$(B) -lkmem -Wl,-rpath,'$$$$ORIGIN/..' -lcriterion $(if $(filter slabtop,$(1)),-lncursesw -ltinfo) $$(TOOL_LIBS) -pthread
endef
$(foreach d,$(UNIT_OTHER),$(eval $(call unit_other_rule,$(d))))

$(B)/tests/unit-malloc: $(MALLOC_TESTS:%.c=$(B)/obj/%.o) $(B)/libkmem-malloc.so
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) -L$(B) -lkmem-malloc -Wl,-rpath,'$$ORIGIN/..' -lcriterion -pthread

# Stress programs carry the library's objects, so that a sanitizer sees them.
$(B)/tests/stress/%: $(B)/obj/tests/stress/%.o $(LIB_OBJ)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -pthread

$(B)/tests/misuse/%: $(B)/obj/tests/misuse/%.o $(B)/libkmem.so
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $< -L$(B) -lkmem -Wl,-rpath,'$$ORIGIN/../..' -pthread

$(B)/tests/programs/%: $(B)/obj/tests/programs/%.o $(B)/libkmem.so
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $< -L$(B) -lkmem -Wl,-rpath,'$$ORIGIN/../..' -pthread
