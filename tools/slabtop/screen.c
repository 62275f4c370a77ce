/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * screen.c - the full-screen slabtop: one loop over keyboard, clock and signals.
 *
 * Signals arrive through a signalfd, so nothing runs asynchronously: a resize
 * is a redraw like any other, and the terminal is restored by the one way out
 * of the loop. ncurses is used to draw; keys.c reads the keyboard.
 */
#include "slabtop/screen.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "common/args.h"
#include "slabtop/keys.h"
#include "slabtop/paint.h"

#define MAX_DELAY_MS   3600000u
#define FIRST_DELAY_MS 500u

struct screen {
	struct session *session;
	struct paint paint;
	struct key_decoder decoder;
	int signals, timer;
	bool quit;
	bool failed; /* session->message says why */
	bool typing; /* the filter is being entered */
};

/* ---- what keys do ---------------------------------------------------------------------------- */

static void set_timer(struct screen *s, bool first)
{
	uint32_t ms = s->paint.delay_ms;
	struct timespec interval = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };
	struct itimerspec spec = { .it_interval = interval, .it_value = interval };

	/* Rates need two reads: the second of all comes soon. */
	if (first && ms > FIRST_DELAY_MS)
		spec.it_value = (struct timespec){ .tv_nsec = FIRST_DELAY_MS * 1000000l };
	timerfd_settime(s->timer, 0, &spec, NULL);
}

static void update(struct screen *s)
{
	if (session_read(s->session)) {
		s->failed = true;
		return;
	}
	paint_new_rows(&s->paint);
}

/* Halve or double, within what makes sense. */
static void change_delay(struct screen *s, bool slower)
{
	uint32_t ms = s->paint.delay_ms;

	ms = slower ? ms * 2 : ms / 2;
	if (ms < SLABTOP_MIN_DELAY_MS)
		ms = SLABTOP_MIN_DELAY_MS;
	if (ms > MAX_DELAY_MS)
		ms = MAX_DELAY_MS;
	s->paint.delay_ms = ms;
	set_timer(s, false);
}

static void act(struct screen *s, const struct key *key)
{
	struct paint *p = &s->paint;
	enum action action = key_action(key);

	switch (action) {
	case ACTION_QUIT:
		s->quit = true;
		break;
	case ACTION_REFRESH:
		update(s);
		break;
	case ACTION_REDRAW:
		paint_from_scratch(p);
		break;
	case ACTION_SORT:
	case ACTION_REVERSE:
		paint_sort(p, action == ACTION_SORT ? key->ch : p->sort,
			   action == ACTION_REVERSE ? !p->reverse : false);
		break;
	case ACTION_HELP:
		p->help = true;
		p->help_view.top = 0;
		break;
	case ACTION_PAUSE:
		p->paused = !p->paused;
		break;
	case ACTION_HUMAN:
		p->human = !p->human;
		break;
	case ACTION_POOLS:
		paint_pools(p, !p->pools);
		update(s);
		break;
	case ACTION_FASTER:
	case ACTION_SLOWER:
		change_delay(s, action == ACTION_SLOWER);
		break;
	case ACTION_FILTER:
		s->typing = true;
		p->typing = true;
		break;
	case ACTION_CLEAR_FILTER:
		paint_filter(p, "");
		break;
	default:
		view_scroll(&p->view, action);
		break;
	}
}

/* The help is a list like the table; whatever does not scroll it ends it. */
static void act_on_help(struct screen *s, const struct key *key)
{
	enum action action = key_action(key);

	if (action >= ACTION_UP && action <= ACTION_END)
		view_scroll(&s->paint.help_view, action);
	else if (action == ACTION_REDRAW)
		paint_from_scratch(&s->paint);
	else
		s->paint.help = false;
}

static void type_filter(struct screen *s, const struct key *key)
{
	char text[sizeof(s->paint.filter)];
	size_t len = strlen(s->paint.filter);

	memcpy(text, s->paint.filter, sizeof(text));
	if (key->code == K_CHAR && len + 1 < sizeof(text)) {
		text[len] = key->ch;
		text[len + 1] = '\0';
	} else if (key->code == K_BACKSPACE && len) {
		text[len - 1] = '\0';
	} else if (key->code == K_ESCAPE) {
		text[0] = '\0';
	}
	paint_filter(&s->paint, text);
	if (key->code == K_ENTER || key->code == K_ESCAPE)
		s->typing = s->paint.typing = false;
}

static void handle_key(struct screen *s, const struct key *key)
{
	if (s->typing)
		type_filter(s, key);
	else if (s->paint.help)
		act_on_help(s, key);
	else
		act(s, key);
}

/* ---- the loop ---------------------------------------------------------------------------------- */

static void read_keyboard(struct screen *s)
{
	unsigned char bytes[128];
	ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes));
	struct key key;

	if (n <= 0) {
		/* The terminal has gone away. */
		s->quit = n == 0 || (errno != EINTR && errno != EAGAIN);
		return;
	}
	for (ssize_t i = 0; i < n && !s->quit && !s->failed; i++)
		if (keys_feed(&s->decoder, bytes[i], &key))
			handle_key(s, &key);
}

static void read_signals(struct screen *s)
{
	struct signalfd_siginfo info;

	while (read(s->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGTSTP)
			paint_suspend(&s->paint);
		else if (info.ssi_signo == SIGWINCH || info.ssi_signo == SIGCONT)
			paint_resize(&s->paint);
		else
			s->quit = true;
	}
}

static void read_timer(struct screen *s)
{
	uint64_t ticks;

	if (read(s->timer, &ticks, sizeof(ticks)) == (ssize_t)sizeof(ticks) && !s->paint.paused)
		update(s);
}

static void loop(struct screen *s)
{
	struct pollfd fds[3] = {
		{ .fd = isatty(STDIN_FILENO) ? STDIN_FILENO : -1, .events = POLLIN },
		{ .fd = s->signals, .events = POLLIN },
		{ .fd = s->timer, .events = POLLIN },
	};

	while (!s->quit && !s->failed) {
		struct key key;
		int n;

		paint_draw(&s->paint);
		n = poll(fds, 3, keys_pending(&s->decoder) ? KEYS_TIMEOUT_MS : -1);
		if (n == 0 && keys_timeout(&s->decoder, &key))
			handle_key(s, &key);
		if (n <= 0)
			continue;
		if (fds[0].revents)
			read_keyboard(s);
		if (fds[1].revents)
			read_signals(s);
		if (fds[2].revents)
			read_timer(s);
	}
}

static int open_events(struct screen *s, sigset_t *old)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGTSTP, SIGCONT };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		sigaddset(&set, numbers[i]);
	sigprocmask(SIG_BLOCK, &set, old);
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	s->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	return s->signals < 0 || s->timer < 0 ? -errno : 0;
}

static void close_events(struct screen *s, const sigset_t *old)
{
	if (s->signals >= 0)
		close(s->signals);
	if (s->timer >= 0)
		close(s->timer);
	sigprocmask(SIG_SETMASK, old, NULL);
}

int screen_run(struct session *session)
{
	struct screen s = { .session = session };
	char message[320] = "";
	sigset_t old;

	if (session_read(session)) {
		fprintf(stderr, "slabtop: %s\n", session->message);
		return ARGS_EXIT_RUNTIME;
	}
	if (open_events(&s, &old)) {
		snprintf(message, sizeof(message), "no signalfd or timerfd: %s", strerror(errno));
	} else if (!paint_open(&s.paint, session, message, sizeof(message))) {
		paint_new_rows(&s.paint);
		set_timer(&s, true);
		loop(&s);
		paint_close(&s.paint);
		if (s.failed)
			snprintf(message, sizeof(message), "%s", session->message);
	}
	close_events(&s, &old);
	if (!message[0])
		return ARGS_EXIT_OK;
	fprintf(stderr, "slabtop: %s\n", message);
	return ARGS_EXIT_RUNTIME;
}
