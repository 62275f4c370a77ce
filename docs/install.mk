# What `make install` puts where; uninstall removes just that.
HEADERS := $(sort $(wildcard alloc/include/kmem/*.h))
COMPAT  := $(sort $(wildcard alloc/include/compat/linux/*.h))
COMPAT_SCHED := $(sort $(wildcard alloc/include/compat/linux/sched/*.h))
MAN1    := $(sort $(wildcard docs/man/*.1))
MAN3    := $(sort $(wildcard docs/man/*.3))
EXAMPLE_SRC := $(sort $(wildcard examples/*.c))
DOCS    := README.md LICENSE $(sort $(wildcard docs/*.md))

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

uninstall:
	$(Q)rm -f $(TOOL_BIN:$(B)/%=$(DESTDIR)$(bindir)/%)
	$(Q)rm -f $(addprefix $(DESTDIR)$(libdir)/,libkmem.so.0 libkmem.so libkmem.a libkmem-malloc.so pkgconfig/kmem.pc pkgconfig/kmem-compat.pc)
	$(Q)rm -f $(addprefix $(DESTDIR)$(mandir)/man1/,$(notdir $(MAN1))) $(addprefix $(DESTDIR)$(mandir)/man3/,$(notdir $(MAN3)))
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
