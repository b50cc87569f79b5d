# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# What one can do here. What the kernel's build reads is in Kbuild.

SHELL = /bin/bash
.DEFAULT_GOAL = help
.PHONY: help demo bench test check kunit mutants coverage kernel source clean distclean

export KERNEL_SRC JOBS SEED HISTORIES V DEBIAN_MIRROR FULL MUTANTS MUTANT BENCH

help: ## show this
	@echo 'Fence-ordered LRU and delayed destroy for TTM'
	@echo
	@echo 'usage: make <target> [<variable>=<value> ...]'
	@echo
	@sed -n -E 's/^([a-z]+):.*## (.*)/  \1\t\2/p' Makefile | expand -t 16
	@echo
	@sed -n -E 's/^# ([A-Z_]+=[^ ]*) +(.*)/  \1\t\2/p' Makefile | expand -t 24

# KERNEL_SRC=<tree>  a plain Linux 6.12 tree to use instead of Debian's; only read
# JOBS=<n>           how many compilers run at once; default: one per CPU
# SEED=<n>           what random tests start from; they print theirs
# HISTORIES=<n>      how many random histories to play; default: 1000
# V=1                show the commands of the kernel's build
# BENCH=<names>      only these measurements; default: all
# FULL=1             compare with the unpatched kernel as well (slow)
# MUTANTS=<n>        try so many mutants, chosen by SEED; default: all
# MUTANT=<id>        try this mutant only, such as reclaim.c:45:negate

demo: ## build the kernels, run them side by side, show what differs
	@scripts/demo.sh

bench: ## measure what it costs, alone and beside today's TTM
	@scripts/bench.sh

test: ## run all checks and tests; the last line counts them
	@scripts/test.sh

check: ## only the static checks: warnings, style, documentation, patches
	@scripts/check.sh

kunit: ## only KUnit: our suites and TTM's own
	@scripts/kunit.sh

mutants: ## break the engine in hundreds of small ways; its tests must notice
	@scripts/mutants.sh

coverage: ## count the lines and branches of the engine that its tests reach
	@scripts/coverage.sh

kernel: ## build the kernel that the demo boots
	@scripts/build.sh um-demo

source: ## get the kernel's source and lay the patches over it
	@scripts/packages.sh build
	@scripts/tree.sh

clean: ## remove what was built; keep the kernel's source
	@[ ! -d build ] || find build -mindepth 1 -maxdepth 1 ! -name "linux-*" ! -name apt -exec rm -rf {} +

distclean: ## remove build/, with all that was fetched
	@rm -rf build
