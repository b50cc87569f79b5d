# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# gnuplot -c pressure-summary.gnuplot <directory> <policies>
#
# All cells of a mix together, each policy as a multiple of today's: what was moved, the time
# of the client that fares worst, and how often a task had to wait. Below, what the names mean.

dir = ARG1."/plots/summary."
policies = ARG2
nr = words(policies)

set terminal svg size 1000,960 dynamic noenhanced font "Helvetica,12" background "white"
set output ARG1."/summary.svg"
array colours[10] = ["#999999", "#E69F00", "#CC79A7", "#009E73", "#D55E00", "#0072B2", "#56B4E9", "#F0E442", "#117733", "#882255"]
colour(p) = word(policies, p) eq "ours" ? "#0072B2" : colours[p == 6 ? 7 : p]
policy_name(p) = word(policies, p) eq "ours" ? "fence-ordered LRU" : word(policies, p)
means(name) = name eq "today-512" ? "today's TTM, with 512 workers instead of 16" : \
	name eq "list" ? "a fence's callback puts the dead on a list, which allocations and a work item empty" : \
	name eq "timer" ? "a worker looks at all that is dead every 10 ms, as up to Linux 6.2" : \
	name eq "evict-first" ? "ours, but what is idle is evicted first, however young" : \
	name eq "strict" ? "ours, with the LRU kept strictly in the order of the last use" : \
	name eq "ours" ? "ours: what was used longest ago goes first, idle or busy" : "ours, with another limit of what a wait is worth"
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
set yrange [0:2]
set xtics scale 0 font ",10"
unset key
set multiplot title "Mixes of programs under memory pressure: multiples of today's TTM, ". \
	"less is better (cut at 2)" font ",15"

row(p) = 0.19 - 0.126 / (nr < 6 ? 6 : nr) * p
# One legend for all three, which says what each policy is, and one of the mixes.
do for [p = 1:nr] {
	set object p rectangle center screen 0.07, row(p) size screen 0.016, 0.013 fc rgb colour(p) fs solid noborder
	set label p policy_name(p) at screen 0.085, row(p) left font ",11"
	set label nr + p means(word(policies, p)) at screen 0.215, row(p) left font ",11"
}
set label 2 * nr + 1 "pair: one program that waits for each job, beside one whose queue is full. ". \
	"default: what make demo runs.\ncompositor-leak: a compositor, beside a program that streams ". \
	"textures. two-games: two games draw. See Documentation/pressure.rst." \
	at screen 0.062, row(nr) - 0.031 left font ",11" tc rgb "#555555"

array names[3] = ["moved", "client", "switches"]
array titles[3] = ["bytes moved to make room, geometric mean", \
	"time of the program that fares worst, in the worst run", "how often a task had to wait, sum"]
set arrow 1 from graph 0, first 1 to graph 1, first 1 nohead lw 1 lc rgb "#000000" front
set lmargin at screen 0.06
set rmargin at screen 0.985
do for [n = 1:3] {
	set tmargin at screen 1.19 - 0.265 * n
	set bmargin at screen 1.03 - 0.265 * n
	set title titles[n] offset 0,-0.5
	file = dir.names[n]
	plot for [p = 1:nr] file using p+1:xtic(lines(strcol(1))) lc rgb colour(p), \
	     file using 0:(over(column(2))):(sprintf("%.2f", column(2))) with labels offset 0,0.6 font ",10" notitle
	unset object
	unset label
}
unset multiplot
