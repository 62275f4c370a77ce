/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report.c - printing without malloc: stdio allocates buffers, and a report may
 * come from inside malloc().
 */
#include "base/report.h"

#include <stdint.h>

#include "base/base.h"
#include "base/os.h"

struct writer {
	char *buf;
	size_t bytes; /* room, with the NUL */
	size_t len;   /* of the whole text, also beyond the room */
};

static void put(struct writer *w, char c)
{
	if (w->len + 1 < w->bytes)
		w->buf[w->len] = c;
	w->len++;
}

static void put_string(struct writer *w, const char *s, unsigned int width, bool left)
{
	size_t len = strlen(s);
	size_t pad = width > len ? width - len : 0;

	while (!left && pad) {
		put(w, ' ');
		pad--;
	}
	while (*s)
		put(w, *s++);
	while (pad--)
		put(w, ' ');
}

static void put_number(struct writer *w, uint64_t n, unsigned int base, unsigned int width, char fill, bool negative)
{
	char digits[24];
	unsigned int len = 0;

	do {
		digits[len++] = "0123456789abcdef"[n % base];
		n /= base;
	} while (n);
	if (negative)
		digits[len++] = '-';
	while (width-- > len)
		put(w, fill);
	while (len)
		put(w, digits[--len]);
}

/* Length modifier: 0 int, 1 long or size_t, 2 long long. */
static unsigned int parse_length(const char **f)
{
	unsigned int length = 0;

	while (**f == 'l' || **f == 'z') {
		length++;
		(*f)++;
	}
	return length;
}

static uint64_t fetch_unsigned(va_list *args, unsigned int length)
{
	return length ? va_arg(*args, unsigned long) : va_arg(*args, unsigned int);
}

static void format_one(struct writer *w, const char **f, va_list *args)
{
	bool left = **f == '-';
	unsigned int width = 0, length;
	char fill;

	if (left)
		(*f)++;
	fill = **f == '0' ? '0' : ' ';
	for (; **f >= '0' && **f <= '9'; (*f)++)
		width = width * 10 + (unsigned int)(**f - '0');
	length = parse_length(f);
	switch (**f) {
	case 's':
		put_string(w, va_arg(*args, const char *), width, left);
		break;
	case 'c':
		put(w, (char)va_arg(*args, int));
		break;
	case 'd': {
		int64_t n = length ? va_arg(*args, long) : va_arg(*args, int);

		put_number(w, n < 0 ? 0 - (uint64_t)n : (uint64_t)n, 10, width, fill, n < 0);
		break;
	}
	case 'u':
		put_number(w, fetch_unsigned(args, length), 10, width, fill, false);
		break;
	case 'x':
		put_number(w, fetch_unsigned(args, length), 16, width, fill, false);
		break;
	case 'p':
		put(w, '0');
		put(w, 'x');
		put_number(w, (uintptr_t)va_arg(*args, void *), 16, width, '0', false);
		break;
	default:
		put(w, **f);
	}
}

static size_t format_list(char *buf, size_t bytes, const char *format, va_list *args)
{
	struct writer w = { buf, bytes, 0 };

	for (; *format; format++) {
		if (*format != '%') {
			put(&w, *format);
			continue;
		}
		format++;
		format_one(&w, &format, args);
	}
	if (bytes)
		buf[MIN(w.len, bytes - 1)] = '\0';
	return w.len;
}

static void print_line(const char *format, va_list *args)
{
	static const char prefix[] = "kmem: ";
	char line[512];
	size_t len = sizeof(prefix) - 1;

	memcpy(line, prefix, len);
	len += format_list(line + len, sizeof(line) - len - 1, format, args);
	len = MIN(len, sizeof(line) - 2);
	line[len++] = '\n';
	os_write(2, line, len);
}

void report(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_line(format, &args);
	va_end(args);
}

void report_bug(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_line(format, &args);
	va_end(args);
	os_abort();
}

static enum kmem_misuse_option policy KMEM_STATE;

void report_set_policy(enum kmem_misuse_option chosen)
{
	policy = chosen;
}

void report_misuse_end(bool fatal)
{
	if (policy == KMEM_MISUSE_ABORT || (fatal && policy != KMEM_MISUSE_REPAIR))
		os_abort();
}

size_t report_format(char *buf, size_t bytes, const char *format, ...)
{
	va_list args;
	size_t len;

	va_start(args, format);
	len = format_list(buf, bytes, format, &args);
	va_end(args);
	return len;
}

size_t report_vformat(char *buf, size_t bytes, const char *format, va_list args)
{
	va_list copy;
	size_t len;

	va_copy(copy, args);
	len = format_list(buf, bytes, format, &copy);
	va_end(copy);
	return len;
}
