# The figures of `algorithms -t`, as a picture: figures and picture are file names, given with -e.
# Left: what is held for each live byte at the peak. Right: time per operation, and the worst one.
set terminal svg size 1100,1500 font "sans,12" background "white"
set output picture
set datafile separator "\t"
workloads = system("cut -f1 ".figures." | uniq")
nr = words(workloads)
set multiplot layout nr,2 title "Allocation algorithms on the same workloads" font ",16"
set style data histograms
set boxwidth 0.8
set style fill solid border -1
set xtics rotate by -30 nomirror
set grid ytics
do for [i=1:nr] {
	w = word(workloads, i)
	rows = sprintf("< awk -F'\t' -v OFS='\t' '$1 == \"%s\"' %s", w, figures)
	set title w.": bytes held for each live byte"
	set style histogram rowstacked
	set key outside right top vertical samplen 1
	unset logscale
	set yrange [0:*]
	plot rows using (1):xtic(2) title "live" lc rgb "#4878a8", \
	     '' using ($9 / $8) title "internal" lc rgb "#e8a848", \
	     '' using ($10 / $8) title "external" lc rgb "#c85848"
	set title w.": ns per operation"
	set style histogram clustered
	set logscale y
	set yrange [1:*]
	plot rows using 3:xtic(2) title "mean" lc rgb "#4878a8", \
	     '' using 5 title "worst" lc rgb "#c85848"
}
unset multiplot
