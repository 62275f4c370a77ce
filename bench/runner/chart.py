# SPDX-License-Identifier: BSD-2-Clause
"""One SVG of all rows that have peers: ours as a share of the best peer, and the goal where it is a ratio."""
import shutil
import subprocess

TITLE = "libkmem / best of glibc, jemalloc, mimalloc, tcmalloc (less is better); green: goal met, red: missed, +: goal"
COLOUR = {True: 0x307030, False: 0xb03030, None: 0x707070}  # of the goal: met, missed, there is none


def draw(rows, machine, path):
    """Return: whether it was drawn; gnuplot may be missing."""
    shown = [row for row in rows if row.ratio_best]
    if not shown or not shutil.which("gnuplot"):
        return False
    lines = []
    for at, row in enumerate(reversed(shown)):
        goal = row.goal_ratio if row.goal_ratio is not None and row.against is None else "NaN"
        lines.append(f'{at} {max(row.ratio_best, 0.01)} {COLOUR[row.met]} {goal} "{row.name}"')
    data = "\n".join(lines)
    script = f"""
set terminal svg size 900,{90 + 14 * len(shown)} font "sans,10" background "white"
set output "{path}"
$rows << END
{data}
END
set title "{TITLE}\\n{machine}" noenhanced
set logscale x 10
set xrange [0.01:10]
set yrange [-1:{len(shown)}]
set xtics ("1/100" 0.01, "1/10" 0.1, "1/4" 0.25, "1/2" 0.5, "1" 1, "2" 2, "4" 4, "10" 10)
set ytics noenhanced
set grid x
set arrow from 1, graph 0 to 1, graph 1 nohead lw 2 lc rgb "black"
set style fill solid 0.8
unset key
plot $rows using (sqrt($2)):1:(0.01):2:($1-0.35):($1+0.35):3:ytic(5) with boxxyerror lc rgb variable, \\
     $rows using 4:1 with points pt 1 ps 0.8 lw 2 lc rgb "black"
"""
    return subprocess.run(["gnuplot"], input=script, text=True).returncode == 0
