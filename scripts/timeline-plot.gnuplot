# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# gnuplot -c timeline-plot.gnuplot <directory> <SVG> <title>
#
# What timeline.py wrote: today's TTM above, the fence-ordered LRU below, the same window of
# the same traffic. For each a lane for each channel, a row for each kind of event, and a
# curve of dead buffers.

dir = ARG1
load dir."/axes"
unit = length > 2000 ? 1000.0 : 1.0

set terminal svg size 1000,720 dynamic noenhanced font "Helvetica,12" background "white"
set output ARG2

# Okabe and Ito's colours, which the colour-blind can tell apart.
job = 0x0072B2; copy = 0x56B4E9; queue = 0xDDE8F0; wait = 0xCC79A7; dead = 0xE69F00
interrupt = 0xD55E00; evict = 0x009E73; retire = 0x555555

rows = 4
bottom = -rows - 0.5
set xrange [0:length / unit]
set border 1 lc rgb "#555555"
set tics nomirror out
set grid xtics lc rgb "#EEEEEE" lw 0.5
set style fill solid 1.0 noborder
unset key

y(lane) = lanes + 1 - lane
# A blank would end a word.
name(l) = strstrt(word(lane_names, l), "copy") ? "copy engine" : "channel ".word(lane_names, l)[9:]

set multiplot title ARG3 font ",15"
# One legend for all.
array colours[8] = [job, copy, queue, wait, dead, interrupt, evict, retire]
array names[8] = ["job runs", "copy runs", "queued", "allocation waits", "dead, not released yet", \
	"interrupt for a dead buffer", "buffer evicted", "list retired"]
array places[8] = [0.06, 0.135, 0.22, 0.285, 0.405, 0.55, 0.725, 0.84]
do for [i = 1:8] {
	set object i rectangle center screen places[i], 0.025 size screen 0.012, 0.016 fc rgb colours[i] fs solid
	set label i names[i] at screen places[i] + 0.01, 0.025 left font ",11"
}

do for [n = 1:2] {
	design = n == 1 ? "today" : "fence_lru"
	heading = n == 1 ? "today: ".today_title : "fence-ordered LRU: ".fence_lru_title
	d = dir."/".design."/"
	top = n == 1 ? 0.92 : 0.465
	set lmargin at screen 0.13
	set rmargin at screen 0.98

	set tmargin at screen top
	set bmargin at screen top - 0.225
	set title heading offset 0,-0.5 font ",13"
	set yrange [bottom:lanes + 1]
	unset ytics
	set ytics ("evictions" -1, "interrupts" -2, "retires" -3, "waits" -4) scale 0
	do for [l = 1:lanes] { set ytics add (name(l) y(l)) }
	set format x ""
	unset xlabel
	plot d."queued" using ($2/unit):(y($1)):($2/unit):($3/unit):(y($1)-0.35):(y($1)+0.35) with boxxyerror lc rgb queue, \
	     d."jobs" using ($2/unit):(y($1)):($2/unit):($3/unit):(y($1)-0.35):(y($1)+0.35) with boxxyerror lc rgb job, \
	     d."copies" using ($2/unit):(y($1)):($2/unit):($3/unit):(y($1)-0.35):(y($1)+0.35) with boxxyerror lc rgb copy, \
	     d."allocs" using ($2/unit):(-4):($2/unit):($3/unit):(-4.35):(-3.65) with boxxyerror lc rgb wait, \
	     d."allocs" using (($2+$3)/2/unit):(-4):($1 != 0 ? "in vain" : "") with labels font ",11", \
	     d."evictions" using ($1/unit):(-1.35):(0):(0.7) with vectors nohead lw 1 lc rgb evict, \
	     d."interrupts" using ($1/unit):(-2.35):(0):(0.7) with vectors nohead lw 1 lc rgb interrupt, \
	     d."retires" using ($1/unit):(-3.35):(0):(0.7) with vectors nohead lw 1 lc rgb retire
	unset object
	unset label

	set tmargin at screen top - 0.235
	set bmargin at screen top - 0.355
	unset title
	unset ytics
	set yrange [0:dead_max]
	set ytics autofreq nomirror
	set ylabel "dead\nbuffers" offset -1
	set format x "%g"
	set xlabel (n == 2 ? (unit > 1 ? "time (s)" : "time (ms)") : "") offset 0,0.5
	plot d."dead" using ($1/unit):2 with fillsteps lc rgb dead
	unset ylabel
}
unset multiplot
