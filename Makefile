# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# What one can do here. What the kernel's build reads is in Kbuild.

SHELL = /bin/bash
.DEFAULT_GOAL = help
.PHONY: help demo bench pressure test check kunit fuzz mutants coverage kernel source clean distclean \
	modules modules_install modules_uninstall dkms dkms-test debian-test boot-test nouveau mesa \
	each-patch series series-export send docs figures record timeline

export KDIR INSTALL_MOD_PATH SIGN_KEY SIGN_CERT BOCHS MODEL CASE RELEASE ROUNDS
export KERNEL KERNEL_SRC JOBS SEED HISTORIES REQUESTS V DEBIAN_MIRROR FORCE FULL PART MUTANTS MUTANT BENCH
export SUITES PARTS CMD NAME GPU MAX_SECONDS START_MS LENGTH_MS
export VRAM_MB JOB_SPEED TRACES PRICES MIX POLICY COPY SEEDS MINUTES MODE CPUS

help: ## show this
	@echo 'Fence-ordered LRU and delayed destroy for TTM'
	@echo
	@echo 'usage: make <target> [<variable>=<value> ...]'
	@echo
	@sed -n -E 's/^([a-z_-]+):.*## (.*)/  \1\t\2/p' Makefile | expand -t 20
	@echo
	@sed -n -E 's/^# ([A-Z_]+=[^ ]*) +(.*)/  \1\t\2/p' Makefile | expand -t 26

# Checked by scripts/variables.sh, all of them before anything is done:
#
# KERNEL=7.3|6.12    which Linux; default: 7.3, or 6.12 for modules, mutants, coverage
# KERNEL_SRC=<tree>  a plain tree of that kernel to use instead of Debian's; only read
# KDIR=<headers>     of the kernel that modules are for; default: Debian's, fetched
# INSTALL_MOD_PATH=<dir>  install modules below it; default: /
# SIGN_KEY=<file>    sign modules with it, and SIGN_CERT=<file>, when installing
# DEBIAN_MIRROR=<url>  where packages are fetched from; default: deb.debian.org
# RELEASE=<n>        debian-test, dkms-test: only in this release of Debian, 12 or 13; default: both
# JOBS=<n>           how many compilers run at once; default: one per CPU
# SEED=<n>           what random tests start from; they print theirs
# PARTS=<names>      test: only these of its parts: check, kunit, and the files of tests/
# SUITES=<glob>      kunit: only these suites of ours, as 'ttm_fence_lru_glue*'
# HISTORIES=<n>      how many random histories to play; default: 1000
# REQUESTS=<n>       mesa: how many VM_BINDs and EXECs each design gets; default: 10000, with FULL=1 100000
# ROUNDS=<n>         test: how often each race between CPUs is run; default: 10
# VRAM_MB=<MiB>      demo: VRAM under pressure; default: from what the traces want; timeline: 48; nouveau, mesa: of the chip
# JOB_SPEED=<factor>  demo, timeline: of the GPU; default: 1, that of the recordings
# TRACES=<names>     demo, timeline: recordings in traces/, or files; each is a program, with @0.1 at its own speed
# START_MS=<ms>      timeline: where it begins; default: where most buffers die
# LENGTH_MS=<ms>     timeline: how much; default: 300
# CMD=<command>      record: what is recorded, with its arguments
# NAME=<name>        record: of the recording; default: that of the program
# MAX_SECONDS=<n>    record: the program is interrupted then; default: 30
# GPU=<ns>,<ns>      record: what a push costs, and each word of it; default: 10000,400
# PRICES=<settings>  demo: what costs how much, as "interrupt_ns=4000"; see swgpu_cost.c
# MIX=<names>        pressure: only these mixes of programs; default: a sample
# POLICY=<names>     pressure: only these policies; default: all but the ours-k ones
# COPY=<names>       pressure: who moves, cpu or async, or both; default: cpu, with FULL=1 both; timeline: one of them, default: async
# SEEDS=<n>          pressure: how many seeds; default: 1, with FULL=1 5
# MINUTES=<n>        fuzz: how long, shared by the modes; default: 4, in make test 2
# MODE=<text>        fuzz: only modes whose names contain it, as fence_lru=1 or copy=async
# CPUS=1|2           fuzz, nouveau: on so many CPUs; two are QEMU's for nouveau, and for fuzz on Linux 6.12; default: 1
# TEST_TIMEOUT=<s>   test: how long a part may take; default: 2700, with FULL=1 10800; GUEST_TIMEOUT=<s>: a guest with suites; 900
# V=1                show the commands of the kernel's build
# BENCH=<names>      only these measurements; default: all
# FORCE=1            series-export: over patches that changed since they were laid; figures: of other sources, too
# FULL=1             test: the software chip and Mesa on it, too, and the unpatched kernel; bench: likewise the latter; pressure: everything; mutants: of nouveau, all cases on each
# PART=engine|glue|nouveau  only mutants of this part; default: all
# MUTANTS=<n>        try so many mutants of each part, chosen by SEED; default: all
# MUTANT=<id>        try this mutant only, such as reclaim.c:119:negate
# BOCHS=<binary>     a Bochs with a GeForce, for make nouveau; MODEL=<card>: only on it
# CASE=<text>        nouveau, mesa, and the software GPU's tests: only the cases whose names contain it

demo: ## build the kernels, run them side by side, show what differs
	@scripts/demo.sh

bench: ## measure what it costs, alone and beside today's TTM
	@scripts/bench.sh

pressure: ## compare policies under memory pressure, in modelled time
	@scripts/pressure.sh

test: ## run all checks and tests; the last line counts them
	@scripts/test.sh

check: ## only the static checks: warnings, style, documentation, patches
	@scripts/check.sh

docs: ## build these documents with Sphinx, into build/docs/html
	@scripts/docs.sh

figures: ## write the figures of README and the documents anew, from results in build/
	@scripts/figures.sh

timeline: ## draw channels, waits and dead buffers over time, with both designs
	@scripts/timeline.sh

record: ## record CMD="<GL program> ...", without a GPU, to replay it
	@scripts/record.sh

kunit: ## only KUnit: our suites and TTM's own
	@scripts/kunit.sh

fuzz: ## ask the software GPU for anything, at random; nothing may break
	@scripts/fuzz.sh

mutants: ## break engine and glue in hundreds of small ways, undo nouveau's repairs; tests must notice
	@scripts/mutants.sh

each-patch: ## build the graphics drivers after every single patch
	@scripts/each-patch.sh

coverage: ## count the lines and branches of the engine that its tests reach
	@scripts/coverage.sh

modules: ## build nouveau and our TTM as modules for a distribution's kernel
	@scripts/modules.sh

modules_install: ## install them beside that kernel's own; modprobe prefers ours
	@scripts/modules-install.sh install

modules_uninstall: ## return to that kernel's own nouveau
	@scripts/modules-install.sh uninstall

dkms: ## make a Debian package that builds the modules for each kernel whose source is there
	@scripts/dkms.sh

dkms-test: ## install, upgrade and remove in small Debians, boot what that package built
	@scripts/dkms-test.sh

debian-test: ## run demo and test in bare Debians 12 and 13, made for that
	@scripts/debian-test.sh

boot-test: ## boot Debian's own kernel in QEMU and load the modules
	@scripts/boot-test.sh

nouveau: ## run nouveau on a software chip; with BOCHS=<binary> on emulated cards
	@scripts/nouveau.sh

mesa: ## run Debian 13's Mesa on the software chip: Vulkan programs, memory under pressure
	@tests/mesa.sh

kernel: ## build the kernel that the demo boots
	@scripts/build.sh um-demo

source: ## get the kernel's source and lay the patches over it
	@scripts/packages.sh build
	@scripts/tree.sh

series: ## lay a git repository with the patches as commits, to change them there
	@scripts/series.sh lay

series-export: ## write the patches from these commits
	@scripts/series.sh export

send: ## make of the series what could be sent: branches with cover letters, mails, checks
	@scripts/send.sh

clean: ## remove what was built; keep the kernel's source, and the series as commits
	@scripts/clean.sh

distclean: ## remove build/, with all that was fetched
	@scripts/clean.sh all
