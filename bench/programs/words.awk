# Counts and joins by word.
BEGIN { FS = "\t" }
{ n = split($5, word, " "); for (i = 1; i <= n; i++) { count[word[i]]++; last[word[i], $1 % 500] = $2 "-" i } }
{ score[$2] = score[$2] substr($3, 1, 3); if (length(score[$2]) > 400) delete score[$2] }
END { for (w in count) print w, count[w] | "sort"; close("sort"); print length(last), length(score) }
