/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* File descriptors that go from process to process, by a socket. */
#ifndef PASS_H
#define PASS_H

/* Flags are those of sendmsg() and recvmsg(). Both return a negative errno if they fail. */
int pass_fd(int socket, int fd, int flags);
int take_fd(int socket, int flags);

#endif
