// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "fields.h"

#include <string.h>

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return 99;
}

static int parse_number(const char *text, unsigned int base, uint64_t max,
			uint64_t *value)
{
	uint64_t sum = 0;

	if (!*text)
		return -1;
	for (; *text; text++) {
		unsigned int digit = digit_of(*text);

		if (digit >= base || sum > (max - digit) / base || digit > max)
			return -1;
		sum = sum * base + digit;
	}
	*value = sum;
	return 0;
}

int parse_decimal(const char *text, uint64_t max, uint64_t *value)
{
	return parse_number(text, 10, max, value);
}

int parse_hex(const char *text, uint64_t max, uint64_t *value)
{
	return parse_number(text, 16, max, value);
}

int split_fields(char *line, char separator, char **fields, int max)
{
	int nr = 0;

	for (;;) {
		if (nr == max)
			return -1;
		fields[nr++] = line;
		line = strchr(line, separator);
		if (!line)
			return nr;
		*line++ = '\0';
	}
}
