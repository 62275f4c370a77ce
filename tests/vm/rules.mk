# What runs inside the virtual machines. Static: that a static program finds rseq is tested with it.
TEST_HELPERS    += tests/vm/allocator.c
TEST_HELPER_BIN += $(B)/tests/vm/allocator

$(B)/tests/vm/allocator: $(B)/obj/tests/vm/allocator.o $(LIB_OBJ)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) $(if $(SAN),,-static) -o $@ $^ -pthread
