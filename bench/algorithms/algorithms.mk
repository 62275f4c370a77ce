# make bench-algorithms: the allocation algorithms of the library beside each other, a table and a picture (docs/ALGORITHMS.md).
ALGORITHMS_SRC := bench/algorithms/main.c bench/algorithms/workload.c bench/algorithms/allocator.c
ALGORITHMS_RUN := bench/algorithms/storage.trace bench/algorithms/server.trace bench/algorithms/compiler.trace \
                  bench/algorithms/server.trace:64
LAUNCHES ?= 7

.PHONY: bench-algorithms
bench-algorithms: $(B)/bench/algorithms
	$(Q)$< -n $(LAUNCHES) -t $(B)/algorithms.tsv $(ALGORITHMS_RUN) | tee $(B)/algorithms.txt
	$(Q)command -v gnuplot >/dev/null || { echo 'no picture: gnuplot is not installed (make deps)'; exit 1; }
	$(Q)gnuplot -e 'figures="$(B)/algorithms.tsv"; picture="$(B)/algorithms.svg"' bench/algorithms/plot.gp
	$(Q)echo 'written: $(B)/algorithms.txt $(B)/algorithms.tsv $(B)/algorithms.svg'

$(B)/bench/algorithms: $(ALGORITHMS_SRC) bench/algorithms/workload.h bench/algorithms/allocator.h $(B)/libkmem.so
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -o $@ $(ALGORITHMS_SRC) -L$(B) -lkmem -Wl,-rpath,'$$ORIGIN/..'
