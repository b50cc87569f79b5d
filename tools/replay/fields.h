/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The fields of a line: numbers between single spaces, nothing else.
 */
#ifndef REPLAY_FIELDS_H
#define REPLAY_FIELDS_H

#include <stdint.h>

/* Return: 0, or -1 if it is no number of digits alone, or more than @max. */
int parse_decimal(const char *text, uint64_t max, uint64_t *value);
int parse_hex(const char *text, uint64_t max, uint64_t *value);

/*
 * Cuts @line at its single spaces. Return: the number of fields, -1 if there
 * are more than @max.
 */
int split_fields(char *line, char separator, char **fields, int max);

#endif
