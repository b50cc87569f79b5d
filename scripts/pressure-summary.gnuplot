# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# gnuplot -c pressure-summary.gnuplot <directory> <policies>
#
# All cells of a mix together, each policy as a multiple of today's: what was moved, the time
# of the client that fares worst, and how often somebody was woken up.

dir = ARG1."/plots/summary."
policies = ARG2
nr = words(policies)

set terminal svg size 1000,700 dynamic noenhanced font "Helvetica,12" background "white"
set output ARG1."/summary.svg"
array colours[9] = ["#999999", "#E69F00", "#CC79A7", "#009E73", "#D55E00", "#0072B2", "#56B4E9", "#F0E442", "#117733"]
colour(p) = word(policies, p) eq "ours" ? "#0072B2" : colours[p == 6 ? 7 : p]
set style data histograms
set style histogram clustered gap 1
set style fill solid 1.0 noborder
set border 3 lc rgb "#555555"
set tics nomirror out
set grid ytics lc rgb "#DDDDDD" lw 0.5 back
set lmargin 9
set yrange [0:2]
set xtics scale 0 font ",9"
set multiplot layout 3,1 title "Under pressure, as multiples of today's TTM (what is more than 2 is cut)" font ",15"
set key top right horizontal samplen 1.5
set arrow 1 from graph 0, first 1 to graph 1, first 1 nohead lw 1 lc rgb "#000000" front
set title "moved to make room, geometric mean" offset 0,-0.5
plot for [p = 1:nr] dir."moved" using p+1:xtic(1) title word(policies, p) lc rgb colour(p)
unset key
set title "time of the client that fares worst, in the worst cell" offset 0,-0.5
plot for [p = 1:nr] dir."client" using p+1:xtic(1) lc rgb colour(p)
set title "switches between tasks, sum" offset 0,-0.5
plot for [p = 1:nr] dir."switches" using p+1:xtic(1) lc rgb colour(p)
unset multiplot
