# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# gnuplot -c demo-plot.gnuplot <directory> <title>
#
# VRAM over time, both designs side by side, with room for all and under pressure: what is in
# use at the bottom, what is dead on it, what is free on top. Below, each program's own time.
# "until" in <directory>/plot is when all but the longest program have ended.

dir = ARG1
load dir."/plot"
set datafile separator ","
set terminal svg size 1000,840 dynamic enhanced font "Helvetica,13" background "white"
set output dir."/report.svg"

mib(x) = x / 1048576.0
# What is out of sight makes the file large.
s(x) = x / 1e9 <= until ? x / 1e9 : NaN

# Okabe and Ito's colours, which the colour-blind can tell apart.
set style line 1 lc rgb "#0072B2"
set style line 2 lc rgb "#E69F00"
set style line 3 lc rgb "#DDDDDD"
set style fill solid 1.0 noborder
set border 3 lc rgb "#555555"
set tics nomirror out

set multiplot title ARG2 font ",16" offset 0,-0.3
# One legend for all.
array colours[3] = ["#0072B2", "#E69F00", "#DDDDDD"]
array names[3] = ["in use", "dead, not released yet", "free"]
array places[3] = [0.33, 0.42, 0.60]
do for [i = 1:3] {
	set object i rectangle center screen places[i], 0.355 size screen 0.016, 0.014 fc rgb colours[i] fs solid
	set label i names[i] at screen places[i] + 0.014, 0.355 left
}

unset key
set grid ytics lc rgb "#FFFFFF" lw 0.5 front
set xrange [0:until]
do for [n = 1:4] {
	phase = n <= 2 ? "no_pressure" : "pressure"
	design = n % 2 ? "today" : "fence_lru"
	file = dir."/".phase.".".design.".csv"
	set lmargin at screen n % 2 ? 0.085 : 0.575
	set rmargin at screen n % 2 ? 0.495 : 0.985
	set tmargin at screen n <= 2 ? 0.905 : 0.635
	set bmargin at screen n <= 2 ? 0.715 : 0.445
	set title (n % 2 ? "today: delayed delete" : "fence-ordered LRU").(n <= 2 ? ", room for all" : ", under pressure") offset 0,-0.6
	set ylabel n % 2 ? "VRAM (MiB)" : "" offset 0.5,0
	set xlabel n > 2 ? "time (s)" : "" offset 0,0.4
	set yrange [0:n <= 2 ? plenty : scarce]
	plot file every ::1 using (s($1)):(mib($2 + $3 + $4)) with filledcurves y1=0 ls 3, \
	     "" every ::1 using (s($1)):(mib($2 + $3)) with filledcurves y1=0 ls 2, \
	     "" every ::1 using (s($1)):(mib($2)) with filledcurves y1=0 ls 1
	unset object
	unset label
}

set datafile separator whitespace
set lmargin at screen 0.085
set rmargin at screen 0.985
set tmargin at screen 0.255
set bmargin at screen 0.045
set title "each program's own time, as a multiple of that with today's TTM and room for all" offset 0,0.6
unset xlabel
unset ylabel
set xrange [-0.6:clients - 0.4]
set yrange [0:*]
set grid ytics lc rgb "#DDDDDD" lw 0.5 back
set key at screen 0.5,0.268 center horizontal samplen 1.5 width -4 font ",11"
set style data histograms
set style histogram clustered gap 1
set xtics scale 0 font ",11"
plot dir."/clients" using 2:xtic(1) title "today, room for all" lc rgb "#999999", \
     "" using 3 title "fence-ordered LRU, room for all" lc rgb "#56B4E9", \
     "" using 4 title "today, under pressure" lc rgb "#555555", \
     "" using 5 title "fence-ordered LRU, under pressure" lc rgb "#0072B2"
unset multiplot
