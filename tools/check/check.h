/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Cases of a test program, as TAP. */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>

/* The case fails, and says where, if @condition does not hold. */
#define check(condition) check_at(condition, #condition, __FILE__, __LINE__)
#define check_is(expression, expected)						\
	check_is_at(expression, expected, #expression, __FILE__, __LINE__)
bool check_at(bool condition, const char *what, const char *file, int line);
bool check_is_at(long got, long expected, const char *what, const char *file, int line);

/* The case cannot be run here. */
void skip(const char *why);

void case_begin(void);
bool case_failed(void);
/* Prints the result of the case. False if it failed. */
bool case_end(int number, const char *name);
/* All of that in a process of its own, which leaves nothing. */
bool case_alone(int number, const char *name, void (*run)(const void *data), const void *data);

#endif
