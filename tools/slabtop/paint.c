/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * paint.c - ncurses and nothing else: every frame is drawn whole, ncurses sends
 * what has changed.
 */
#include "slabtop/paint.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include <curses.h>
#include <term.h>

#include "slabtop/columns.h"
#include "slabtop/header.h"
#include "slabtop/pooltable.h"

#define MAX_COLUMNS 500

enum pair {
	PAIR_NONE,
	PAIR_STATUS,
	PAIR_MARKED, /* rows that need a second look */
};

static const char *const help_text[] = {
	"slabtop: caches of the kernel and of libkmem processes",
	"",
	"Sort (either case)",
	"  o objects (default)   a active objects",
	"  u use                 n name",
	"  s object size         c cache size",
	"  l slabs               b objects per slab",
	"  v active slabs        p pages per slab",
	"  e cached              g partial slabs",
	"  i allocations/s       f frees/s",
	"  r reverse the order",
	"",
	"Move",
	"  Up Down k j           one line",
	"  PgUp PgDn Home End    more",
	"",
	"Other",
	"  space   read now      z  pause",
	"  + -     delay         m  sizes with units",
	"  /       filter names  \\  all names again",
	"  t       pools of processes, or caches again",
	"  ^L      draw anew     h F1 ?  this help",
	"  q       quit",
	"",
	"Pools: n name, c size, a now, i f allocs, frees,",
	"  l longest wait, u fragmentation, others by kind",
	"",
	"Columns",
	"  OBJS     room for objects in the slabs",
	"  ACTIVE   objects that callers hold; the status",
	"           line says if it is not the true number",
	"  CACHED   free, but parked in per-CPU arrays",
	"  PARTIAL  slabs that have both kinds",
	"  -        unknown",
	"  name +3  the cache has three more names: the",
	"           kernel merged like caches; / finds them",
	"  name ~   the cache changed while it was read",
	"  SIZE NOW elements wanted and there in a mempool's",
	"           reserve; bytes of the other pools",
	"  LOW/PEAK fewest elements in reserve; most bytes",
};

#define HELP_LINES (sizeof(help_text) / sizeof(*help_text))

/* ---- the terminal ------------------------------------------------------------------------------ */

static void start_colors(struct paint *p)
{
	const char *no_color = getenv("NO_COLOR");

	p->color = !(no_color && *no_color) && has_colors() && start_color() == OK && use_default_colors() == OK;
	if (!p->color)
		return;
	init_pair(PAIR_STATUS, COLOR_CYAN, -1);
	init_pair(PAIR_MARKED, COLOR_YELLOW, -1);
}

int paint_open(struct paint *p, struct session *session, char *err, size_t len)
{
	const char *term = getenv("TERM");
	const char *move;

	*p = (struct paint){
		.session = session,
		.delay_ms = session->options->delay_ms,
		.sort = session->options->sort,
		.human = session->options->human,
		.pools = session->options->pools,
	};
	/* The size is that of the terminal, not that of inherited LINES and COLUMNS. */
	use_env(FALSE);
	use_tioctl(TRUE);
	p->terminal = newterm(NULL, stdout, stdin);
	if (!p->terminal) {
		snprintf(err, len, "the terminal type '%s' is unknown; set TERM, or use -o", term ? term : "");
		return -ENOTTY;
	}
	move = tigetstr("cup");
	if (!move || move == (char *)-1) {
		endwin();
		delscreen(p->terminal);
		p->terminal = NULL;
		snprintf(err, len, "the terminal type '%s' cannot move the cursor; set TERM, or use -o", term ? term : "");
		return -ENOTTY;
	}
	cbreak();
	noecho();
	curs_set(0);
	start_colors(p);
	paint_resize(p);
	return 0;
}

void paint_close(struct paint *p)
{
	endwin();
	delscreen(p->terminal);
	p->terminal = NULL;
	free(p->shown);
	p->shown = NULL;
}

void paint_resize(struct paint *p)
{
	struct winsize size;

	(void)p;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col)
		resizeterm(size.ws_row, size.ws_col);
	clearok(stdscr, TRUE);
}

/* Whatever was drawn, and the size, may have changed before we go on. */
void paint_suspend(struct paint *p)
{
	endwin();
	raise(SIGSTOP);
	paint_resize(p);
}

void paint_from_scratch(struct paint *p)
{
	(void)p;
	clearok(stdscr, TRUE);
}

/* ---- rows ----------------------------------------------------------------------------------------- */

static bool passes(const struct row *row, const char *filter)
{
	if (columns_match(row->name, filter))
		return true;
	for (size_t i = 0; i < row->nr_aliases; i++)
		if (columns_match(row->aliases[i], filter))
			return true;
	return false;
}

/* Which rows are shown, in their order. Without memory the old list is kept as far as it fits. */
static void choose_rows(struct paint *p)
{
	const struct session *s = p->session;
	size_t all = p->pools ? s->pools.nr : s->rows.nr, nr = 0;

	if (all > p->shown_room) {
		void *more = realloc(p->shown, all * sizeof(*p->shown));

		if (more) {
			p->shown = more;
			p->shown_room = all;
		}
	}
	for (size_t i = 0; i < all && nr < p->shown_room; i++)
		if (p->pools ? pooltable_match(&s->pools.pool[i], p->filter) : passes(&s->rows.row[i], p->filter))
			p->shown[nr++] = i;
	view_resize(&p->view, nr, p->view.height);
}

void paint_new_rows(struct paint *p)
{
	rows_sort(&p->session->rows, p->sort, p->reverse);
	pools_sort(&p->session->pools, p->sort, p->reverse);
	choose_rows(p);
}

void paint_pools(struct paint *p, bool pools)
{
	p->pools = p->session->with_pools = pools;
	p->view.top = 0;
	choose_rows(p);
}

void paint_sort(struct paint *p, char key, bool reverse)
{
	p->sort = (char)tolower((unsigned char)key);
	p->reverse = reverse;
	p->view.top = 0;
	paint_new_rows(p);
}

void paint_filter(struct paint *p, const char *text)
{
	snprintf(p->filter, sizeof(p->filter), "%s", text);
	choose_rows(p);
}

/* ---- drawing --------------------------------------------------------------------------------------- */

/* As much of the text as fits, by columns and not by bytes. Optionally fill the line in the same style. */
static void put_line(int y, const char *text, attr_t attributes, short pair, bool fill)
{
	wchar_t wide[MAX_COLUMNS + 1];
	size_t n = mbstowcs(wide, text, MAX_COLUMNS);
	int used = 0, i;

	if (n == (size_t)-1) {
		for (n = 0; n < MAX_COLUMNS && text[n]; n++)
			wide[n] = (unsigned char)text[n] < 128 ? (wchar_t)text[n] : L'?';
	}
	for (i = 0; i < (int)n; i++) {
		int width = wcwidth(wide[i]);

		if (width < 0 || used + width > COLS)
			break;
		used += width;
	}
	attr_set(attributes, pair, NULL);
	mvaddnwstr(y, 0, wide, i);
	if (fill && used < COLS)
		hline(' ' | attributes, COLS - used);
	attr_set(A_NORMAL, 0, NULL);
}

/* What the numbers mean or lack. */
static const char *note(const struct paint *p)
{
	if (!p->pools)
		return session_note(p->session);
	return p->session->nr_processes ? p->session->gone_note : "pools are those of processes: -p PID";
}

static void status_text(const struct paint *p, char *buf, size_t len)
{
	size_t first = p->view.nr ? p->view.top + 1 : 0;
	size_t last = p->view.top + p->view.height;
	int n;

	if (p->typing) {
		snprintf(buf, len, " filter: %s_", p->filter);
		return;
	}
	if (last > p->view.nr)
		last = p->view.nr;
	n = snprintf(buf, len, " %zu-%zu/%zu  sort %c%s  %u.%us%s  h help  ", first, last, p->view.nr, p->sort,
		     p->reverse ? " reversed" : "", p->delay_ms / 1000, p->delay_ms % 1000 / 100,
		     p->paused ? " PAUSED" : "");
	if (p->filter[0] && n > 0 && (size_t)n < len)
		n += snprintf(buf + n, len - (size_t)n, "filter '%s'  ", p->filter);
	if (n > 0 && (size_t)n < len)
		snprintf(buf + n, len - (size_t)n, "%s", note(p));
}

static void draw_rows(struct paint *p, int y, const struct layout *layout)
{
	char buf[COLUMNS_LINE_BYTES];

	for (size_t i = 0; i < p->view.height && p->view.top + i < p->view.nr; i++) {
		const struct row *row = &p->session->rows.row[p->shown[p->view.top + i]];
		bool marked = p->color && (row->torn || row->dead);

		put_line(y + (int)i, layout_row(layout, row, buf), A_NORMAL, marked ? PAIR_MARKED : PAIR_NONE, false);
	}
}

static void draw_pools(struct paint *p, int y, const struct pooltable *table)
{
	char buf[COLUMNS_LINE_BYTES];

	for (size_t i = 0; i < p->view.height && p->view.top + i < p->view.nr; i++) {
		const struct pool *pool = &p->session->pools.pool[p->shown[p->view.top + i]];
		bool marked = p->color && pool->value[POOL_WAITING];

		put_line(y + (int)i, pooltable_row(table, pool, buf), A_NORMAL, marked ? PAIR_MARKED : PAIR_NONE, false);
	}
}

/* What stands above the rows. Return: the line where they begin. */
static int draw_top(struct paint *p, const struct header *header, const char *heading)
{
	struct view_split split = view_split(LINES, (int)header->nr);
	char buf[COLUMNS_LINE_BYTES];
	int y = 0;

	view_resize(&p->view, p->view.nr, (size_t)split.rows);
	for (int i = 0; i < split.header; i++)
		put_line(y++, header->line[i], A_NORMAL, PAIR_NONE, false);
	if (split.status) {
		status_text(p, buf, sizeof(buf));
		put_line(y++, buf, A_NORMAL, p->color ? PAIR_STATUS : PAIR_NONE, false);
	}
	if (split.heading)
		put_line(y++, heading, A_REVERSE, PAIR_NONE, true);
	return y;
}

static void draw_pool_table(struct paint *p)
{
	char buf[COLUMNS_LINE_BYTES];
	struct pooltable table;
	struct header header;

	pooltable_header(&header, &p->session->pools);
	pooltable_choose(&table, COLS, session_nr_sources(p->session) > 1);
	draw_pools(p, draw_top(p, &header, pooltable_heading(&table, buf)), &table);
}

static void draw_table(struct paint *p)
{
	struct layout_needs needs = {
		.width = COLS,
		.several_sources = session_nr_sources(p->session) > 1,
		.counters = p->session->nr_processes > 0 || p->session->options->rates,
		.human = p->human,
		.grow = true,
		.filter = p->filter,
	};
	char buf[COLUMNS_LINE_BYTES];
	struct layout layout;
	struct header header;

	header_make(&header, p->session, p->human);
	layout_choose(&layout, &needs, &p->session->rows);
	draw_rows(p, draw_top(p, &header, layout_heading(&layout, buf)), &layout);
}

static void draw_help(struct paint *p)
{
	view_resize(&p->help_view, HELP_LINES, (size_t)LINES);
	for (size_t i = 0; i < p->help_view.height && p->help_view.top + i < HELP_LINES; i++)
		put_line((int)i, help_text[p->help_view.top + i], A_NORMAL, PAIR_NONE, false);
}

void paint_draw(struct paint *p)
{
	erase();
	if (p->help)
		draw_help(p);
	else if (p->pools)
		draw_pool_table(p);
	else
		draw_table(p);
	refresh();
}
