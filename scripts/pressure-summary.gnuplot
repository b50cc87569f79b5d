# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# gnuplot -c pressure-summary.gnuplot <directory> <policies>
#
# All cells of a mix together, each policy as a multiple of today's: what was moved, the time
# of the client that fares worst, and how often a task had to wait.

dir = ARG1."/plots/summary."
policies = ARG2
nr = words(policies)

set terminal svg size 1000,760 dynamic noenhanced font "Helvetica,12" background "white"
set output ARG1."/summary.svg"
array colours[9] = ["#999999", "#E69F00", "#CC79A7", "#009E73", "#D55E00", "#0072B2", "#56B4E9", "#F0E442", "#117733"]
colour(p) = word(policies, p) eq "ours" ? "#0072B2" : colours[p == 6 ? 7 : p]
policy_name(p) = word(policies, p) eq "ours" ? "fence-ordered LRU" : word(policies, p)
# Where a bar's number stands: on it, not on the line; with more policies there is no room.
over(v) = nr > 1 ? NaN : v > 2 ? 2 : v > 0.7 && v < 1 ? 1 : v
# "<mix>, <how buffers are copied>" on two lines.
lines(s) = strstrt(s, ", ") ? s[1:strstrt(s, ", ") - 1]."\n".(s[strstrt(s, ", ") + 2:] eq "cpu" ? "CPU copies" : "engine copies") : s
set style data histograms
set style histogram clustered gap 1
set style fill solid 1.0 noborder
set border 3 lc rgb "#555555"
set tics nomirror out
set grid ytics lc rgb "#DDDDDD" lw 0.5 back
set lmargin 9
set bmargin 3.5
set yrange [0:2]
set xtics scale 0 font ",10"
set multiplot layout 3,1 title "Mixes of programs under memory pressure: multiples of today's TTM, less is better (cut at 2)" font ",15"
set key top right horizontal samplen 1.5
set arrow 1 from graph 0, first 1 to graph 1, first 1 nohead lw 1 lc rgb "#000000" front
set title "bytes moved to make room, geometric mean" offset 0,-0.5
plot for [p = 1:nr] dir."moved" using p+1:xtic(lines(strcol(1))) title policy_name(p) lc rgb colour(p), \
     dir."moved" using 0:(over(column(2))):(sprintf("%.2f", column(2))) with labels offset 0,0.6 font ",10" notitle
unset key
set title "time of the program that fares worst, in the worst run" offset 0,-0.5
plot for [p = 1:nr] dir."client" using p+1:xtic(lines(strcol(1))) lc rgb colour(p), \
     dir."client" using 0:(over(column(2))):(sprintf("%.2f", column(2))) with labels offset 0,0.6 font ",10" notitle
set title "how often a task had to wait, sum" offset 0,-0.5
plot for [p = 1:nr] dir."switches" using p+1:xtic(lines(strcol(1))) lc rgb colour(p), \
     dir."switches" using 0:(over(column(2))):(sprintf("%.2f", column(2))) with labels offset 0,0.6 font ",10" notitle
unset multiplot
