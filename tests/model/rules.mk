# The model: a plain program with the library's objects inside, so that it sees their structures and sanitizers see them.
TEST_HELPERS    += $(wildcard tests/model/*.c)
TEST_HELPER_BIN += $(B)/tests/model/model

$(B)/tests/model/model: $(patsubst %.c,$(B)/obj/%.o,$(wildcard tests/model/*.c)) $(LIB_OBJ)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -pthread
