// SPDX-License-Identifier: GPL-2.0 OR MIT
/* File descriptors that go from process to process, by a socket. */

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "pass.h"

/* A message of one byte with room for a file descriptor. */
struct fd_message {
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
	char byte;
	struct iovec iov;
	struct msghdr msg;
};

static void fd_message_init(struct fd_message *m)
{
	memset(m, 0, sizeof(*m));
	m->iov = (struct iovec){ .iov_base = &m->byte, .iov_len = 1 };
	m->msg.msg_iov = &m->iov;
	m->msg.msg_iovlen = 1;
	m->msg.msg_control = m->control;
	m->msg.msg_controllen = sizeof(m->control);
}

int pass_fd(int socket, int fd, int flags)
{
	struct fd_message m;
	struct cmsghdr *header;

	fd_message_init(&m);
	header = CMSG_FIRSTHDR(&m.msg);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	return sendmsg(socket, &m.msg, flags) == 1 ? 0 : -errno;
}

int take_fd(int socket, int flags)
{
	struct fd_message m;
	int fd;

	fd_message_init(&m);
	if (recvmsg(socket, &m.msg, flags | MSG_CMSG_CLOEXEC) < 0)
		return -errno;
	if (!CMSG_FIRSTHDR(&m.msg))
		return -EPIPE;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m.msg)), sizeof(fd));
	return fd;
}
