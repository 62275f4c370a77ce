/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernel_work.c - makes the kernel allocate a known number of objects.
 *
 *	kernel_work msg N      N messages of 16 bytes: N times kmalloc(64), N times kfree
 *	kernel_work large N    N datagrams of 9000 bytes: N times kmalloc of 16 KiB
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/socket.h>

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

int main(int argc, char **argv)
{
	int nr = argc > 2 ? atoi(argv[2]) : 0;

	if (nr > 0 && strcmp(argv[1], "msg") == 0)
		return messages(nr);
	if (nr > 0 && strcmp(argv[1], "large") == 0)
		return datagrams(nr);
	return 2;
}
