# slabscope: the whole build. `make` builds, `make demo` shows it, `make check` tests it.
#
# make [all|demo|check|docs|bench|bench-programs|bench-algorithms|parity|deps|install|uninstall|clean]   V=1 prints commands
# DESTDIR, prefix, libdir, ... as usual; SAN=address|thread adds a sanitizer build in its own folder.

prefix      ?= /usr/local
exec_prefix ?= $(prefix)
bindir      ?= $(exec_prefix)/bin
libdir      ?= $(exec_prefix)/lib
includedir  ?= $(prefix)/include
mandir      ?= $(prefix)/share/man
docdir      ?= $(prefix)/share/doc/slabscope

VERSION := 0.1.0
SAN     ?=
# Builds that tell AddressSanitizer or valgrind about free objects (base/shadow.h): SAN=address SHADOW=1, and VALGRIND=1.
SHADOW  ?=
VALGRIND ?=
B       := build$(if $(SAN),/san-$(SAN))$(if $(SHADOW),-shadow)$(if $(VALGRIND),/valgrind)

CLANG   ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool) bpftool)
OBJCOPY ?= objcopy

comma   := ,
WARN    := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
OPT     ?= -O2 -g
SANFLAGS := $(if $(SAN),-fsanitize=$(if $(filter address,$(SAN)),address$(comma)undefined,$(SAN)) -fno-sanitize-recover=all)
# Sanitizer builds also check the order of locks.
CPPFLAGS += -D_GNU_SOURCE -Ialloc/include $(if $(SAN),-DKMEM_DEBUG) $(if $(SHADOW)$(VALGRIND),-DKMEM_SHADOW)
CFLAGS  += -std=gnu11 $(OPT) $(WARN) $(SANFLAGS) $(if $(WERROR),-Werror)
LDFLAGS += $(SANFLAGS)

# ---- the allocator -------------------------------------------------------------------------
LAYERS     := base text page slab pool entry
ALLOC_SRC  := $(foreach l,$(LAYERS),$(sort $(wildcard alloc/$(l)/*.c)))
MALLOC_SRC := $(sort $(wildcard alloc/entry/malloc*.c)) alloc/entry/new.c alloc/entry/delete.c
LIB_SRC    := $(filter-out $(MALLOC_SRC),$(ALLOC_SRC))
LIB_OBJ    := $(LIB_SRC:%.c=$(B)/obj/%.o)
MALLOC_OBJ := $(MALLOC_SRC:%.c=$(B)/obj/%.o)
LIBS       := $(B)/libkmem.so.0 $(B)/libkmem.so $(B)/libkmem.a $(B)/libkmem-malloc.so

ALLOC_CFLAGS := -DSLABSCOPE_VERSION='"$(VERSION)"' -fPIC -fvisibility=hidden -ftls-model=initial-exec -fno-plt \
                -fno-omit-frame-pointer -momit-leaf-frame-pointer -Ialloc

# ---- the tools -----------------------------------------------------------------------------
TOOLS      := slabtop kmemleak kmemtrace slabscope
TOOL_BIN   := $(foreach t,$(TOOLS),$(if $(wildcard tools/$(t)/*.c),$(B)/$(t)))
COMMON_SRC := $(sort $(wildcard tools/common/*.c))
# What turns observe.h into the kernel's text files is compiled into the library and into the tools.
TEXT_SRC   := $(sort $(wildcard alloc/text/*.c))
COMMON_OBJ := $(COMMON_SRC:%.c=$(B)/obj/%.o) $(TEXT_SRC:alloc/%.c=$(B)/obj/tools/%.o)
BPF_SRC    := $(sort $(wildcard bpf/*.bpf.c))
SKELETONS  := $(BPF_SRC:bpf/%.bpf.c=$(B)/bpf/%.skel.h)
TOOL_LIBS  := -lbpf -ldw -lelf -lz -lzstd -ljansson -lm
TOOL_CFLAGS := -Itools -Ialloc -Ibpf -I$(B)/bpf

EXAMPLES   := $(patsubst examples/%.c,$(B)/examples/%,$(sort $(wildcard examples/*.c)))

ifeq ($(V),1)
  Q :=
  say =
else
  Q := @
  say = @printf '  %-8s %s\n' '$(1)' '$(2)';
endif

.DELETE_ON_ERROR:
.SECONDARY: $(patsubst tests/%.c,$(B)/obj/tests/%.o,$(wildcard tests/*/*.c))
.PHONY: all demo check docs bench bench-programs deps install uninstall clean lib tools tests examples

all: lib tools examples
lib: $(LIBS)
tools: $(TOOL_BIN)
examples: $(EXAMPLES)

$(B)/obj/alloc/%.o: alloc/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(ALLOC_CFLAGS) $(if $(filter alloc/base/trace.c,$<),-mno-red-zone -fno-omit-frame-pointer) -MMD -MP -c $< -o $@

$(B)/libkmem.so.0: $(LIB_OBJ) alloc/libkmem.map
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -shared -Wl,-Bsymbolic-functions -Wl,-soname,libkmem.so.0 -Wl,--version-script=alloc/libkmem.map -Wl,-z,defs,-z,now,-z,nodelete -o $@ $(LIB_OBJ)

$(B)/libkmem.so: $(B)/libkmem.so.0
	$(Q)ln -sf $(<F) $@

# One relocatable object with the hidden symbols made local: a program's own buddy_alloc() cannot replace ours.
$(B)/libkmem.a: $(LIB_OBJ)
	$(call say,AR,$@)
	$(Q)$(LD) -r -o $(B)/libkmem.r.o $(LIB_OBJ)
	$(Q)$(OBJCOPY) --localize-hidden $(B)/libkmem.r.o
	$(Q)rm -f $@ && $(AR) rcs $@ $(B)/libkmem.r.o && rm -f $(B)/libkmem.r.o

# All of libkmem's names, so that a program that uses both has one heap. No version: a program
# refers to malloc@GLIBC_2.2.5, which a malloc@KMEM_0.1 would not answer.
$(B)/libkmem-malloc.map: alloc/libkmem.map alloc/malloc.symbols
	$(Q)sed -e 's/^KMEM_0.1 {/{/' -e '/^global:/r alloc/malloc.symbols' $< >$@

$(B)/libkmem-malloc.so: $(LIB_OBJ) $(MALLOC_OBJ) $(B)/libkmem-malloc.map alloc/operators.list
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -shared -Wl,-Bsymbolic-functions -Wl,--dynamic-list=alloc/operators.list -Wl,-soname,libkmem-malloc.so -Wl,--version-script=$(B)/libkmem-malloc.map -Wl,-z,defs,-z,now,-z,nodelete -o $@ $(LIB_OBJ) $(MALLOC_OBJ)

# ---- BPF: object -> skeleton ---------------------------------------------------------------
MULTIARCH := $(shell $(CC) -print-multiarch 2>/dev/null)
$(B)/bpf/%.bpf.o: bpf/%.bpf.c $(wildcard bpf/*.h) $(wildcard vmlinux/*.h)
	@mkdir -p $(@D)
	$(call say,BPF,$<)
	$(Q)$(CLANG) -g -O2 -Wall -Wextra -Wno-unused-parameter -Werror -target bpf -mcpu=v3 -D__TARGET_ARCH_x86 \
	    -Ivmlinux -Ibpf $(if $(MULTIARCH),-idirafter /usr/include/$(MULTIARCH)) -c $< -o $@
	$(Q)llvm-strip -g $@

# A static pattern rule: make builds a skeleton that is missing, which it does not for an intermediate file.
$(SKELETONS): $(B)/bpf/%.skel.h: $(B)/bpf/%.bpf.o
	$(call say,SKEL,$@)
	$(Q){ echo '/* NOLINTBEGIN */' && $(BPFTOOL) gen skeleton $< name $*_bpf && echo '/* NOLINTEND */'; } > $@

$(B)/obj/tools/%.o: tools/%.c | $(SKELETONS)
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(TOOL_CFLAGS) -DSLABSCOPE_VERSION='"$(VERSION)"' -MMD -MP -c $< -o $@

$(B)/obj/tools/text/%.o: alloc/text/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(TOOL_CFLAGS) -MMD -MP -c $< -o $@

$(B)/libcommon.a: $(COMMON_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $(COMMON_OBJ)

# What a tool takes from another one: kmemtrace's snapshots are of the objects that a leak scan finds.
PARTS_kmemtrace := $(patsubst %,$(B)/obj/tools/kmemleak/%.o,copy digest image model populated roots stop)

define tool_rules
$(B)/$(1): $$(patsubst %.c,$(B)/obj/%.o,$$(sort $$(wildcard tools/$(1)/*.c))) $$(PARTS_$(1)) $(B)/libcommon.a
	$$(call say,LD,$$@)
	$$(Q)$$(CC) $$(LDFLAGS) -o $$@ $$^ $(if $(filter slabtop,$(1)),-lncursesw -ltinfo) $$(TOOL_LIBS)
endef
$(foreach t,$(TOOLS),$(eval $(call tool_rules,$(t))))

# Kernel code: it includes <linux/slab.h>.
$(B)/examples/ported: CPPFLAGS += -Ialloc/include/compat

$(B)/examples/session_rcu: EXAMPLE_LIBS := -lurcu

$(B)/examples/%: examples/%.c $(B)/libkmem.so
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -fno-omit-frame-pointer -o $@ $< -L$(B) -lkmem $(EXAMPLE_LIBS) -Wl,-rpath,'$$ORIGIN/..' -pthread

# ---- what people run -----------------------------------------------------------------------
deps:
	$(Q)tests/deps.sh

demo: deps
	$(Q)$(MAKE) --no-print-directory all
	$(Q)examples/demo.sh $(B)

check: deps
	$(Q)$(MAKE) --no-print-directory all tests
	$(Q)tests/run $(B)

# What is written from the source: docs/PROBES.md.
docs:
	$(Q)docs/probes.py

# ROWS='ns/malloc/*,tail/*' measures those only, QUICK=1 with fewer launches; bench/run --help.
bench: all
	$(Q)bench/run $(B) $(if $(ROWS),--rows '$(ROWS)') $(if $(QUICK),--quick)

# The programs of the rows programs/* and program_instructions/*; without them those rows are left out.
bench-programs:
	$(Q)tests/deps.sh bench/packages.txt

clean:
	$(Q)rm -rf build

include tests/tests.mk bench/bench.mk bench/algorithms/algorithms.mk docs/install.mk
-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
