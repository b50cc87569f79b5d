# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# gnuplot -c timeline-plot.gnuplot <directory> <SVG> <title> <what happens, on a line below>
#
# What timeline.py wrote: today's TTM above, the fence-ordered LRU below, the same window of
# the same traffic. For each a lane for each channel, a row for each kind of event, and
# curves of the buffers alive and dead. What comes after the end is grey.

dir = ARG1
load dir."/axes"
unit = length > 2000 ? 1000.0 : 1.0

set terminal svg size 1000,840 dynamic noenhanced font "Helvetica,12" background "white"
set output ARG2

# Okabe and Ito's colours, which the colour-blind can tell apart.
job = 0x0072B2; copy = 0x56B4E9; queue = 0xDDE8F0; hang = 0xF0E442; wait = 0xCC79A7
dead = 0xE69F00; living = 0x000000; interrupt = 0xD55E00; evict = 0x009E73; retire = 0x555555; over = 0xE8E8E8

events = words(tick_rows)
bottom = -events - 1.5
set xrange [0:length / unit]
set border 1 lc rgb "#555555"
set tics nomirror out
set grid xtics lc rgb "#EEEEEE" lw 0.5
set style fill solid 1.0 noborder
unset key

y(lane) = lanes + 1 - lane
row_name(r) = r eq "evictions" ? "buffers evicted" : r eq "interrupts" ? "interrupts for the dead" : "signaled fences retired"
row_colour(r) = r eq "evictions" ? evict : r eq "interrupts" ? interrupt : retire
span(ms) = ms < 1000 ? sprintf("%.0f ms", ms) : sprintf("%.1f s", ms / 1000)
outcome(result, ms) = !hung ? (result != 0 ? "in vain" : "") : result != 0 ? "in vain: gives up after ".span(ms) : "has its memory after ".span(ms)
# Few of them: the curves are low.
power = 10 ** floor(log10(most / 4))
step = power * (most / 4 < 2 * power ? 2 : most / 4 < 5 * power ? 5 : 10)
wide(low, high) = high - low > 0.2 * length
array notes[4] = [ \
	"a worker waits for the fence of each dead buffer, and then releases it", \
	"dead buffers stay until an allocation wants their memory, and go before anything is ". \
	"evicted; so they are many", \
	"all of TTM's 16 workers wait for the channel that hangs, and nobody releases what the ". \
	"other channels are done with", \
	"no worker: the allocation takes what is dead on the channels that go on, and waits for nobody"]

set multiplot title ARG3 font ",15"
set label 10 ARG4 at screen 0.5, 0.949 center font ",12"
# One legend for both, of what there is.
array colours[7] = [job, copy, queue, hang, over, living, dead]
array names[7] = ["a job runs", "the copy engine works", "jobs queue", "hangs", \
	"the test has let the channel go on, and all is over", "buffers alive", \
	"buffers dead, not released yet"]
array widths[7] = [0.09, 0.165, 0.09, 0.065, 0.31, 0.105, 0.1]
copying = 0
do for [l = 1:lanes] { copying = copying + (lane_names[l][1:6] eq "copies") }
# Where a channel hangs those that live are the few that the test makes at once.
shown(i) = i == 2 ? copying : i == 3 || i == 6 ? !hung : i == 4 || i == 5 ? hung : 1
place = 0.06
do for [i = 1:7] {
	if (shown(i)) {
		set object i rectangle center screen place, 0.043 size screen 0.012, 0.014 fc rgb colours[i] fs solid
		set label i names[i] at screen place + 0.01, 0.043 left font ",11"
		place = place + widths[i]
	}
}
# As in timeline.py.
close = length < 1000 ? sprintf("%.1f ms", length / 500) : span(length / 500)
set label 8 "Retired: seen to have signaled, and taken off the list of its channel, with its ". \
	"buffers. Marks closer than ".close." are drawn as one." \
	at screen 0.055, 0.016 left font ",11" tc rgb "#555555"

do for [n = 1:2] {
	design = n == 1 ? "today" : "fence_lru"
	heading = n == 1 ? "today: ".today_title : "fence-ordered LRU: ".fence_lru_title
	end = n == 1 ? today_end : fence_lru_end
	d = dir."/".design."/"
	top = n == 1 ? 0.872 : 0.45
	set lmargin at screen 0.19
	set rmargin at screen 0.98
	if (end < length) { set object 9 rectangle from first end / unit, graph 0 to first length / unit, graph 1 fc rgb over fs solid noborder behind }

	set tmargin at screen top
	set bmargin at screen top - 0.205
	set title heading."\n".notes[n + (hung ? 2 : 0)] offset 0,-0.7 font ",12"
	set yrange [bottom:lanes + 1]
	unset ytics
	set ytics ("allocations that wait" -events - 1) scale 0
	do for [r = 1:events] { set ytics add (row_name(word(tick_rows, r)) -r) }
	do for [l = 1:lanes] { set ytics add (lane_names[l] y(l)) }
	set format x ""
	unset xlabel
	plot d."queued" using ($2/unit):(y($1)):($2/unit):($3/unit):(y($1)-0.35):(y($1)+0.35) with boxxyerror lc rgb queue, \
	     "" using ($1 == hung ? $2/unit : NaN):(y($1)):($2/unit):($3/unit):(y($1)-0.35):(y($1)+0.35) with boxxyerror lc rgb hang, \
	     for [i = 1:hung ? 1 : 0] d."queued" using (($2+$3)/2/unit):(y($1)):($1 == hung ? "hangs" : "") with labels font ",11", \
	     d."jobs" using ($2/unit):(y($1)):($2/unit):($3/unit):(y($1)-0.35):(y($1)+0.35) with boxxyerror lc rgb job, \
	     d."copies" using ($2/unit):(y($1)):($2/unit):($3/unit):(y($1)-0.35):(y($1)+0.35) with boxxyerror lc rgb copy, \
	     for [r = 1:events] d.word(tick_rows, r) using ($1/unit):(-r - 0.35):(0):(0.7) with vectors nohead lw 1 lc rgb row_colour(word(tick_rows, r)), \
	     d."allocs" using ($2/unit):(-events - 1):($2/unit):($3/unit):(-events - 1.35):(-events - 0.65) with boxxyerror lc rgb wait, \
	     for [i = 1:told] d."allocs" using (($2+$3)/2/unit):(-events - 1):(wide($2, $3) ? outcome($1, $3 - $2) : "") with labels font ",11", \
	     for [i = 1:told] d."allocs" using ($3/unit):(-events - 1):(wide($2, $3) ? "" : outcome($1, $3 - $2)) with labels left offset 0.5,0 font ",11"
	do for [i = 1:7] { unset object i }
	unset label

	set tmargin at screen top - 0.214
	set bmargin at screen top - 0.325
	unset title
	unset ytics
	set yrange [0:most]
	set ytics step nomirror scale 0
	set ylabel "buffers" offset -1
	set format x "%g"
	from = start > 0 ? ", from ".span(start)." after the first job" : ""
	set xlabel (n == 2 ? (unit > 1 ? "time (s)" : "time (ms)").from : "") offset 0,0.5
	plot d."dead" using ($1/unit):2 with fillsteps lc rgb dead, \
	     d."alive" using ($1/unit):(hung ? NaN : $2) with steps lw 1.2 lc rgb living
	unset ylabel
	unset object 9
	unset label
}
unset multiplot
