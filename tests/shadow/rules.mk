# Linked with the library's objects, so that AddressSanitizer sees both.
TEST_HELPERS += tests/shadow/shadow.c

$(B)/tests/shadow/shadow: $(B)/obj/tests/shadow/shadow.o $(LIB_OBJ)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -pthread
