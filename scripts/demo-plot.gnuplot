# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# gnuplot -c demo-plot.gnuplot <directory> <title>
#
# VRAM over time under pressure, both designs side by side: what is in use at
# the bottom, what is dead on it, what is free on top.

dir = ARG1
set datafile separator ","
set terminal svg size 1120,480 dynamic enhanced font "Helvetica,13" background "white"
set output dir."/report.svg"

mib(x) = x / 1048576.0
s(x) = x / 1e9

# Okabe and Ito's colours, which the colour-blind can tell apart.
set style line 1 lc rgb "#0072B2"
set style line 2 lc rgb "#E69F00"
set style line 3 lc rgb "#DDDDDD"
set style fill solid 1.0 noborder

# Both with the same axes, so that they compare.
stats dir."/pressure.today.csv" using (s($1)) every ::1 nooutput name "A"
stats dir."/pressure.fence_lru.csv" using (s($1)) every ::1 nooutput name "B"
stats dir."/pressure.today.csv" using (mib($2 + $3 + $4)) every ::1 nooutput name "V"
set xrange [0:(A_max > B_max ? A_max : B_max)]
set yrange [0:V_max]
set xlabel "time (s)"
set border 3 lc rgb "#555555"
set tics nomirror out
set grid ytics lc rgb "#FFFFFF" lw 0.5 front

set multiplot layout 1,2 title ARG2 font ",16" margins 0.07,0.985,0.22,0.82 spacing 0.07,0
# One legend for both.
unset key
set object 1 rectangle center screen 0.315,0.05 size screen 0.02,0.03 fc rgb "#0072B2" fs solid
set object 2 rectangle center screen 0.425,0.05 size screen 0.02,0.03 fc rgb "#E69F00" fs solid
set object 3 rectangle center screen 0.635,0.05 size screen 0.02,0.03 fc rgb "#DDDDDD" fs solid
set label 1 "in use" at screen 0.33,0.05 left
set label 2 "dead, not released yet" at screen 0.44,0.05 left
set label 3 "free" at screen 0.65,0.05 left
set ylabel "VRAM (MiB)"
set title "today: delayed delete"
plot dir."/pressure.today.csv" every ::1 using (s($1)):(mib($2)):(0) with filledcurves ls 1, \
     "" every ::1 using (s($1)):(mib($2)):(mib($2 + $3)) with filledcurves ls 2, \
     "" every ::1 using (s($1)):(mib($2 + $3)):(mib($2 + $3 + $4)) with filledcurves ls 3
unset object
unset label
unset ylabel
set title "fence\\_lru: fence-ordered LRU"
plot dir."/pressure.fence_lru.csv" every ::1 using (s($1)):(mib($2)):(0) with filledcurves ls 1, \
     "" every ::1 using (s($1)):(mib($2)):(mib($2 + $3)) with filledcurves ls 2, \
     "" every ::1 using (s($1)):(mib($2 + $3)):(mib($2 + $3 + $4)) with filledcurves ls 3
unset multiplot
