/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernel_work.c - makes the kernel allocate a known number of objects.
 *
 *	kernel_work msg N      N messages of 16 bytes: N times kmalloc(64), N times kfree
 *	kernel_work large N    N datagrams of 9000 bytes: N times kmalloc of 16 KiB
 *	kernel_work keep N     N messages of 952 bytes that stay when it has ended: N times kmalloc(1000);
 *	                       prints the numbers of their queues
 *	kernel_work drop ID... and away with these
 *	kernel_work mixed N    N rounds of everything that comes to mind, all of which ends: timers and epoll by
 *	                       kfree_rcu(), files and sockets by RCU, mappings, semaphores
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

static int fail(const char *what)
{
	perror(what);
	return 1;
}

static int messages(int nr)
{
	struct {
		long type;
		char data[16];
	} msg = { .type = 1 };
	int queue = msgget(IPC_PRIVATE, 0600), i;

	if (queue < 0)
		return fail("msgget");
	for (i = 0; i < nr; i++) {
		if (msgsnd(queue, &msg, sizeof(msg.data), 0))
			return fail("msgsnd");
		if (msgrcv(queue, &msg, sizeof(msg.data), 0, 0) < 0)
			return fail("msgrcv");
	}
	msgctl(queue, IPC_RMID, NULL);
	return 0;
}

static int datagrams(int nr)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int in = socket(AF_INET, SOCK_DGRAM, 0), out = socket(AF_INET, SOCK_DGRAM, 0), i;
	socklen_t len = sizeof(addr);
	static char data[9000];

	if (in < 0 || out < 0 || bind(in, (void *)&addr, len) ||
	    getsockname(in, (void *)&addr, &len))
		return fail("socket");
	for (i = 0; i < nr; i++) {
		if (sendto(out, data, sizeof(data), 0, (void *)&addr, len) < 0)
			return fail("sendto");
		if (recv(in, data, sizeof(data), 0) < 0)
			return fail("recv");
	}
	return 0;
}

/* A queue holds 16 KiB only. */
static int keep(int nr)
{
	struct {
		long type;
		char data[952];
	} msg = { .type = 1 };
	int queue = -1, i;

	for (i = 0; i < nr; i++) {
		if (i % 8 == 0) {
			queue = msgget(IPC_PRIVATE, 0600);
			if (queue < 0)
				return fail("msgget");
			printf("%d\n", queue);
		}
		if (msgsnd(queue, &msg, sizeof(msg.data), IPC_NOWAIT))
			return fail("msgsnd");
	}
	return 0;
}

static int drop(int nr, char **ids)
{
	int i;

	for (i = 0; i < nr; i++)
		if (msgctl(atoi(ids[i]), IPC_RMID, NULL))
			return fail("msgctl");
	return 0;
}

static void mixed_round(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	char data[500] = "", *map;
	int pair[2] = { -1, -1 }, ends[2] = { -1, -1 }, fds[4], i;

	fds[0] = timerfd_create(CLOCK_MONOTONIC, 0);
	fds[1] = epoll_create1(0);
	fds[2] = eventfd(0, 0);
	fds[3] = semget(IPC_PRIVATE, 10, 0600);
	if (!socketpair(AF_UNIX, SOCK_STREAM, 0, pair) && write(pair[0], data, sizeof(data)) > 0)
		i = (int)read(pair[1], data, sizeof(data));
	if (!pipe(ends) && write(ends[1], data, sizeof(data)) > 0)
		i = (int)read(ends[0], data, sizeof(data));
	epoll_ctl(fds[1], EPOLL_CTL_ADD, fds[0], &event);
	epoll_ctl(fds[1], EPOLL_CTL_ADD, fds[2], &event);
	map = mmap(NULL, 16 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (i = 1; map != MAP_FAILED && i < 16; i += 2)
		mprotect(map + i * 4096, 4096, PROT_READ);
	if (map != MAP_FAILED)
		munmap(map, 16 * 4096);
	semctl(fds[3], 0, IPC_RMID);
	for (i = 0; i < 3; i++)
		close(fds[i]);
	for (i = 0; i < 2; i++) {
		close(pair[i]);
		close(ends[i]);
	}
}

static int mixed(int nr)
{
	while (nr--) {
		mixed_round();
		messages(2);
	}
	return 0;
}

int main(int argc, char **argv)
{
	int nr = argc > 2 ? atoi(argv[2]) : 0;

	if (nr > 0 && strcmp(argv[1], "msg") == 0)
		return messages(nr);
	if (nr > 0 && strcmp(argv[1], "large") == 0)
		return datagrams(nr);
	if (nr > 0 && strcmp(argv[1], "keep") == 0)
		return keep(nr);
	if (nr >= 0 && argc > 2 && strcmp(argv[1], "drop") == 0)
		return drop(argc - 2, argv + 2);
	if (nr > 0 && strcmp(argv[1], "mixed") == 0)
		return mixed(nr);
	return 2;
}
