/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c - kmemtrace: the command line. */
int main(void)
{
	return 2;
}
