# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# How a program for guests is built, of all sources in its directory and of SHARED, which are
# here. PROGRAM is its name, OUT where it goes, CPPFLAGS and LDLIBS what else it needs. Static,
# so that it runs in a guest that has nothing else.

CC ?= gcc
CPPFLAGS += -D_GNU_SOURCE -I../check -MMD -MP
CFLAGS += -std=c11 -O2 -g -Wall -Wextra -Werror
LDFLAGS += -static

SHARED ?= check.c fail.c node.c pass.c
vpath %.c ../check
OBJECTS := $(patsubst %.c,$(OUT)/%.o,$(wildcard *.c) $(SHARED))

$(OUT)/$(PROGRAM): $(OBJECTS)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(OUT)/%.o: %.c Makefile ../check/program.mk | $(OUT)
	$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(OUT):
	mkdir -p $@

clean:
	rm -rf $(OUT)

.PHONY: clean

-include $(OBJECTS:.o=.d)
