# What `make install` puts where; uninstall removes just that.
HEADERS := $(sort $(wildcard alloc/include/kmem/*.h))
COMPAT  := $(sort $(wildcard alloc/include/compat/linux/*.h))
COMPAT_SCHED := $(sort $(wildcard alloc/include/compat/linux/sched/*.h))
MAN1    := $(sort $(wildcard docs/man/*.1))
MAN7    := $(sort $(wildcard docs/man/*.7))
MAN8    := $(sort $(wildcard docs/man/*.8))
MAN3    := $(sort $(wildcard docs/man/*.3))
EXAMPLE_SRC := $(sort $(wildcard examples/*.c))
TRACE_SCRIPTS := $(sort $(wildcard examples/bpftrace/*.bt examples/systemtap/*.stp))
tapsetdir   ?= $(prefix)/share/systemtap/tapset
DOCS    := README.md LICENSE $(sort $(wildcard docs/*.md docs/*.svg))

install: all $(B)/kmem.pc $(B)/kmem-compat.pc
	$(Q)install -d $(DESTDIR)$(bindir) $(DESTDIR)$(libdir)/pkgconfig $(DESTDIR)$(includedir)/kmem/compat/linux/sched \
	    $(DESTDIR)$(mandir)/man1 $(DESTDIR)$(mandir)/man3 $(DESTDIR)$(docdir)/examples
	$(Q)install -m 755 $(TOOL_BIN) $(DESTDIR)$(bindir)
	$(Q)install -m 755 $(B)/libkmem.so.0 $(B)/libkmem-malloc.so $(DESTDIR)$(libdir)
	$(Q)ln -sf libkmem.so.0 $(DESTDIR)$(libdir)/libkmem.so
	$(Q)install -m 644 $(B)/libkmem.a $(DESTDIR)$(libdir)
	$(Q)install -m 644 $(B)/kmem.pc $(B)/kmem-compat.pc $(DESTDIR)$(libdir)/pkgconfig
	$(Q)install -m 644 $(HEADERS) $(DESTDIR)$(includedir)/kmem
	$(Q)install -m 644 $(COMPAT) $(DESTDIR)$(includedir)/kmem/compat/linux
	$(Q)install -m 644 $(COMPAT_SCHED) $(DESTDIR)$(includedir)/kmem/compat/linux/sched
	$(Q)install -m 644 $(MAN1) $(DESTDIR)$(mandir)/man1
	$(Q)install -m 644 $(MAN3) $(DESTDIR)$(mandir)/man3
	$(Q)install -m 644 $(DOCS) $(DESTDIR)$(docdir)
	$(Q)install -m 644 $(EXAMPLE_SRC) examples/README.md $(DESTDIR)$(docdir)/examples
	$(Q)install -d $(DESTDIR)$(tapsetdir) $(DESTDIR)$(mandir)/man7 $(DESTDIR)$(mandir)/man8 $(DESTDIR)$(docdir)/examples/bpftrace $(DESTDIR)$(docdir)/examples/systemtap
	$(Q)for script in $(TRACE_SCRIPTS); do install -m 644 $$script $(DESTDIR)$(docdir)/$$script; done
	$(Q)sed 's|@libdir@|$(libdir)|g' tools/tracing/libkmem.stp.in >$(DESTDIR)$(tapsetdir)/libkmem.stp
	$(Q)install -m 755 tools/tracing/kmem-tracefs $(DESTDIR)$(bindir)
	$(Q)install -m 644 $(MAN7) $(DESTDIR)$(mandir)/man7
	$(Q)install -m 644 $(MAN8) $(DESTDIR)$(mandir)/man8

uninstall:
	$(Q)rm -f $(TOOL_BIN:$(B)/%=$(DESTDIR)$(bindir)/%)
	$(Q)rm -f $(addprefix $(DESTDIR)$(libdir)/,libkmem.so.0 libkmem.so libkmem.a libkmem-malloc.so pkgconfig/kmem.pc pkgconfig/kmem-compat.pc)
	$(Q)rm -f $(addprefix $(DESTDIR)$(mandir)/man1/,$(notdir $(MAN1))) $(addprefix $(DESTDIR)$(mandir)/man3/,$(notdir $(MAN3)))
	$(Q)rm -f $(addprefix $(DESTDIR)$(mandir)/man7/,$(notdir $(MAN7))) $(addprefix $(DESTDIR)$(mandir)/man8/,$(notdir $(MAN8)))
	$(Q)rm -f $(DESTDIR)$(tapsetdir)/libkmem.stp $(DESTDIR)$(bindir)/kmem-tracefs
	$(Q)rm -rf $(DESTDIR)$(includedir)/kmem $(DESTDIR)$(docdir)

$(B)/kmem.pc: Makefile docs/install.mk
	@mkdir -p $(@D)
	$(Q)printf '%s\n' 'prefix=$(prefix)' 'libdir=$(libdir)' 'includedir=$(includedir)' '' 'Name: kmem' \
	    'Description: the kernel memory allocation stack as a userspace library' 'Version: $(VERSION)' \
	    'Libs: -L$${libdir} -lkmem' 'Cflags: -I$${includedir}' > $@

# Kernel code in userspace: <linux/slab.h> and the like (docs/PORTING.md).
$(B)/kmem-compat.pc: Makefile docs/install.mk
	@mkdir -p $(@D)
	$(Q)printf '%s\n' 'prefix=$(prefix)' 'includedir=$(includedir)' '' 'Name: kmem-compat' \
	    'Description: kernel headers for memory allocation, served by libkmem' 'Version: $(VERSION)' \
	    'Requires: kmem' 'Cflags: -I$${includedir}/kmem/compat' > $@
