# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# gnuplot -c pressure-plot.gnuplot <directory> <mix,copy> <policies> <title;title...>
#
# One mix with one way to copy: a column for each cell; in it which part of allocations and
# of frames takes longer than so much, and memory over time. Below, what was moved.

dir = ARG1."/plots/".ARG2."/"
policies = ARG3
titles = ARG4
nr = words(policies)

# The n-th title, which may have blanks.
cells = 1
do for [i = 1:strlen(titles)] { if (titles[i:i] eq ";") { cells = cells + 1 } }
array name[cells]
n = 1
name[1] = ""
do for [i = 1:strlen(titles)] {
	if (titles[i:i] eq ";") { n = n + 1; name[n] = "" } else { name[n] = name[n].titles[i:i] }
}

set terminal svg size 440*cells+20,1420 dynamic noenhanced font "Helvetica,13" background "white"
set output ARG1."/".ARG2.".svg"

# Okabe and Ito's colours, which the colour-blind can tell apart.
set linetype 1 lc rgb "#000000" lw 2
set linetype 2 lc rgb "#999999" lw 1.5
set linetype 3 lc rgb "#E69F00" lw 1.5
set linetype 4 lc rgb "#CC79A7" lw 1.5
set linetype 5 lc rgb "#009E73" lw 1.5
set linetype 6 lc rgb "#D55E00" lw 1.5
set linetype 7 lc rgb "#0072B2" lw 2.5
set linetype 8 lc rgb "#56B4E9" lw 1.5
set linetype 9 lc rgb "#F0E442" lw 1.5
set linetype 10 lc rgb "#882255" lw 1.5
set linetype 11 lc rgb "#117733" lw 1.5
set border 3 lc rgb "#555555"
set tics nomirror out
set grid lc rgb "#DDDDDD" lw 0.5

left(i) = (100 + 440.0*(i - 1))/(440*cells + 20)
right(i) = (440.0*i)/(440*cells + 20)
set multiplot title ARG2 font ",16"

do for [i = 1:cells] {
	set lmargin at screen left(i)
	set rmargin at screen right(i)
	set logscale xy
	set xtics 1e-2,100
	set format y "%g"
	set yrange [1e-5:1]
	unset xrange
	set tmargin at screen 0.945
	set bmargin at screen 0.77
	set title name[i]
	set xlabel "an allocation takes longer than (µs)"
	if (i == 1) { set ylabel "part of all"; set key left bottom Left reverse samplen 2 } else { unset ylabel; unset key }
	plot for [p = 1:nr] dir.i.".".word(policies, p).".alloc" using 1:2 with steps lt p title word(policies, p)

	unset key
	set yrange [1e-4:1]
	set tmargin at screen 0.70
	set bmargin at screen 0.53
	unset title
	set xlabel "a frame takes longer than (µs)"
	set xrange [100:*]
	plot for [p = 1:nr] dir.i.".".word(policies, p).".frames" using 1:2 with steps lt p

	unset logscale
	set xtics autofreq
	set autoscale y
	set yrange [0:*]
	set xrange [0:*]
	set tmargin at screen 0.46
	set bmargin at screen 0.29
	set xlabel "time (s)"
	if (i == 1) { set ylabel "VRAM (MiB): alive, and dotted dead" }
	plot for [p = 1:nr] dir.i.".".word(policies, p).".memory" using 1:2 with lines lt p, \
	     for [p = 1:nr] dir.i.".".word(policies, p).".memory" using 1:3 with lines lt p dt 3
}

set lmargin at screen left(1)
set rmargin at screen right(cells)
set tmargin at screen 0.22
set bmargin at screen 0.05
unset xrange
unset xlabel
unset key
set autoscale x
set yrange [0:*]
set ylabel "moved (MiB)"
set style data histograms
set style histogram clustered gap 1
set style fill solid 0.9 noborder
plot for [p = 1:nr] dir."moved" every ::1 using p+1:xtic(1) lt p
unset multiplot
