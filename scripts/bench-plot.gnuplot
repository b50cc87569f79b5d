# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# gnuplot -c bench-plot.gnuplot <directory>
#
# What a buffer costs through TTM, today's way and ours: medians, with quartiles.

set terminal svg size 1000,460 dynamic noenhanced font "Helvetica,13" background "white"
set output ARG1."/report.svg"
set title "CPU time of TTM for a buffer, submissions of 16: median and quartiles"
set style data histograms
set style histogram errorbars gap 1.5 lw 1
set style fill solid 1.0 noborder
set errorbars 0.4 lc rgb "#000000"
set border 3 lc rgb "#555555"
set tics nomirror out
set xtics rotate by -35 scale 0
set ylabel "ns"
set yrange [0:*]
set rmargin 10
set bmargin 8
set grid ytics lc rgb "#DDDDDD" lw 0.5 back
set key top left reverse Left samplen 1.5
plot ARG1."/plot" using 2:3:4:xtic(1) title "today" lc rgb "#999999", \
     "" using 5:6:7 title "fence-ordered LRU" lc rgb "#0072B2"
