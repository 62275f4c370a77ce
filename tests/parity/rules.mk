# The comparison with the kernel's caches. Static, for the virtual machines.
TEST_HELPERS    += tests/parity/parity.c
TEST_HELPER_BIN += $(B)/tests/parity/parity

$(B)/tests/parity/parity: $(B)/obj/tests/parity/parity.o $(B)/obj/alloc/slab/geometry.o
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) $(if $(SAN),,-static) -o $@ $^

.PHONY: parity
parity: $(B)/tests/parity/parity
	$(Q)$<
