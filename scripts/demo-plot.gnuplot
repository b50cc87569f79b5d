# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# gnuplot -c demo-plot.gnuplot <directory> <title>
#
# VRAM over time, both designs side by side, under pressure and with room for all: what is in
# use at the bottom, what is dead on it, what is free on top. Below, how often what was done
# under pressure, and each program's own time.
# "until" in <directory>/plot is when all but the longest program have ended, "longest" when that
# one has.

dir = ARG1
load dir."/plot"
set datafile separator ","
set terminal svg size 1000,900 dynamic noenhanced font "Helvetica,13" background "white"
set output dir."/report.svg"

mib(x) = x / 1048576.0
file_of(n) = dir."/".(n <= 2 ? "pressure" : "no_pressure").".".(n % 2 ? "today" : "fence_lru")."/vram.csv"
# The clock begins when the programs are started, which takes some time.
array begins[4]
do for [n = 1:4] {
	stats file_of(n) every ::1 using ($2 > 0 ? $1 : NaN) nooutput
	begins[n] = STATS_min
}
set datafile separator whitespace
stats dir."/work" using (column(2) > column(3) ? column(2) : column(3)) nooutput
most = STATS_max
set datafile separator ","

# Okabe and Ito's colours, which the colour-blind can tell apart.
array colours[3] = ["#009E73", "#E69F00", "#DDDDDD"]
array names[3] = ["in use", "dead, not released yet", "free"]
array places[3] = [0.10, 0.18, 0.36]
set style fill solid 1.0 noborder
set border 3 lc rgb "#555555"
set tics nomirror out

set multiplot title ARG2 font ",16" offset 0,-0.3
# One legend for all four.
do for [i = 1:3] {
	set object i rectangle center screen places[i], 0.405 size screen 0.016, 0.013 fc rgb colours[i] fs solid
	set label i names[i] at screen places[i] + 0.014, 0.405 left
}
if (until < longest) {
	set label 4 sprintf("The curves end where all programs but one have ended. That one goes on until %.1f s.", longest) \
		at screen 0.985, 0.405 right font ",12" tc rgb "#555555"
}

unset key
set grid ytics lc rgb "#FFFFFF" lw 0.5 front
set xrange [0:until]
do for [n = 1:4] {
	file = file_of(n)
	first = begins[n]
	# What is out of sight makes the file large.
	s(x) = x >= first && (x - first) / 1e9 <= until ? (x - first) / 1e9 : NaN
	set lmargin at screen n % 2 ? 0.085 : 0.575
	set rmargin at screen n % 2 ? 0.495 : 0.985
	set tmargin at screen n <= 2 ? 0.915 : 0.66
	set bmargin at screen n <= 2 ? 0.745 : 0.49
	set title (n % 2 ? "today" : "fence-ordered LRU").", ".(n <= 2 ? scarce : plenty)." MiB: ".(n % 2 ? "a worker releases the dead" : "the dead stay until wanted") offset 0,-0.6
	set ylabel n % 2 ? "VRAM (MiB)" : "" offset 0.5,0
	set xlabel n > 2 ? "time (s) since the first buffer" : "" offset 0,0.4
	set yrange [0:n <= 2 ? scarce : plenty]
	plot file every ::1 using (s($1)):(mib($2 + $3 + $4)) with filledcurves y1=0 lc rgb colours[3], \
	     "" every ::1 using (s($1)):(mib($2 + $3)) with filledcurves y1=0 lc rgb colours[2], \
	     "" every ::1 using (s($1)):(mib($2)) with filledcurves y1=0 lc rgb colours[1]
	unset object
	unset label
}

# Bars that lie: their names are long.
set datafile separator whitespace
unset xlabel
unset ylabel
unset xtics
unset grid
set border 2 lc rgb "#555555"
set ytics scale 0 font ",11"
set tmargin at screen 0.285
set bmargin at screen 0.02
array bars[3] = ["#999999", "#0072B2", "#56B4E9"]
array designs[3] = ["today, under pressure", "fence-ordered LRU, under pressure", "fence-ordered LRU, room for all"]
array spots[3] = [0.12, 0.35, 0.68]
do for [i = 1:3] {
	set object i rectangle center screen spots[i], 0.355 size screen 0.016, 0.013 fc rgb bars[i] fs solid noborder
	set label i designs[i] at screen spots[i] + 0.014, 0.355 left font ",12"
}
y(row, bar, of) = -row + 0.4 - 0.8 * (bar - 0.5) / of
half(of) = 0.4 / of
grouped(x) = x < 1000 ? sprintf("%d", x) : sprintf("%d,%03d", x / 1000, int(x) % 1000)

set lmargin at screen 0.165
set rmargin at screen 0.495
set title "how often, under pressure" offset 0,0
set yrange [-works + 0.5:0.5]
# Room for the numbers.
set xrange [0:most * 1.25]
plot dir."/work" using (0):(-$0):(""):ytic(1) with labels, \
     for [b = 1:2] dir."/work" using (0):(y($0, b, 2)):(0):(column(b + 1)):(y($0, b, 2) - half(2)):(y($0, b, 2) + half(2)) with boxxyerror lc rgb bars[b], \
     for [b = 1:2] dir."/work" using (column(b + 1)):(y($0, b, 2)):(grouped(column(b + 1))) with labels left offset 0.5,0 font ",11"
unset object
unset label

set lmargin at screen 0.73
set rmargin at screen 0.985
set title "each program's own time, as a multiple of today's with room for all" offset -13,0
set yrange [-clients + 0.5:0.5]
set xrange [0:1.3]
array columns[3] = [4, 5, 3]
plot dir."/clients" using (0):(-$0):(""):ytic(1) with labels, \
     for [b = 1:3] dir."/clients" using (0):(y($0, b, 3)):(0):(column(columns[b])):(y($0, b, 3) - half(3)):(y($0, b, 3) + half(3)) with boxxyerror lc rgb bars[b], \
     for [b = 1:3] dir."/clients" using (column(columns[b])):(y($0, b, 3)):(sprintf("%.3f", column(columns[b]))) with labels left offset 0.5,0 font ",9"
unset multiplot
