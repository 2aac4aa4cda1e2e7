/*
 * Sockets. Programs: sx_socket, sx_bind, sx_connect, sx_accept, sx_accept4, sx_send, sx_sendto, sx_sendmsg, sx_sendmmsg, sx_recv,
 * sx_recvfrom, sx_recvmsg, sx_recvmmsg, sx_socketpair. Calls with plain parameters (listen, shutdown, getsockname, getpeername) are rows.
 */
#pragma once

#include "io.h"
#include "tuple.h"

#define EINPROGRESS 115
#define SOCK_NONBLOCK 0x800
#define SOCK_CLOEXEC 0x80000
#define PPM_O_NONBLOCK 64
#define PPM_O_CLOEXEC 4096
/* Bytes of control data of a message: the most fds one can carry need a quarter of it. */
#define CONTROL_MAX 4096
/* Records of one sendmmsg or recvmmsg call: one per message. */
#define MMSG_MAX 1024

#define EV_SOCKET 19
#define EV_BIND 21
#define EV_CONNECT 23
#define EV_SEND 29
#define EV_SENDTO 31
#define EV_RECV 33
#define EV_RECVFROM 35
#define EV_SOCKETPAIR 43
#define EV_SENDMSG 49
#define EV_SENDMMSG 51
#define EV_RECVMSG 53
#define EV_RECVMMSG 55
#define EV_ACCEPT 247
#define EV_ACCEPT4 389

/* Of a message header: read into the scratch's work by read_message(). */
#define MSG_NAME 0
#define MSG_IOV 1
#define MSG_IOV_COUNT 2
#define MSG_CONTROL 3
#define MSG_CONTROL_LEN 4
#define MSG_LEN 5
struct user_message { u64 name; u32 name_len, pad; u64 iov, iov_count, control, control_len; u32 flags, pad2; u32 len, pad3; };
struct user_message32 { u32 name, name_len, iov, iov_count, control, control_len, flags, len; };

/* struct msghdr at `at`; struct mmsghdr's msg_len follows it. Not 0: unreadable. */
__noinline int read_message(struct scratch *s, u64 at, u32 with_len)
{
	if (!s) return -1;
	if (s->is_compat) {
		struct user_message32 m = {};
		if (with_len ? bpf_probe_read_user(&m, 32, (void *)at) : bpf_probe_read_user(&m, 28, (void *)at)) goto unread;
		s->work[MSG_NAME] = m.name;
		s->work[MSG_IOV] = m.iov;
		s->work[MSG_IOV_COUNT] = m.iov_count;
		s->work[MSG_CONTROL] = m.control;
		s->work[MSG_CONTROL_LEN] = m.control_len;
		s->work[MSG_LEN] = m.len;
		return 0;
	}
	struct user_message m = {};
	if (with_len ? bpf_probe_read_user(&m, 64, (void *)at) : bpf_probe_read_user(&m, 56, (void *)at)) goto unread;
	s->work[MSG_NAME] = m.name;
	s->work[MSG_IOV] = m.iov;
	s->work[MSG_IOV_COUNT] = m.iov_count;
	s->work[MSG_CONTROL] = m.control;
	s->work[MSG_CONTROL_LEN] = m.control_len;
	s->work[MSG_LEN] = m.len;
	return 0;
unread:
	COUNT(unread);
	s->work[MSG_NAME] = s->work[MSG_IOV] = s->work[MSG_IOV_COUNT] = 0;
	s->work[MSG_CONTROL] = s->work[MSG_CONTROL_LEN] = s->work[MSG_LEN] = 0;
	return -1;
}

/* Control data the kernel wrote: fds passed between processes are state, so it is no payload, and data makes room for it. */
static __always_inline u64 control_len(struct scratch *s)
{
	return s->work[MSG_CONTROL] ? s->work[MSG_CONTROL_LEN] : 0;
}
static __always_inline void add_control(struct scratch *s)
{
	if (control_len(s) > CONTROL_MAX) COUNT(truncated);
	add_user_bytes(s, (void *)s->work[MSG_CONTROL], control_len(s), CONTROL_MAX);
}
static __always_inline void add_received_data(struct scratch *s, u64 n)
{
	u64 room = PAYLOAD_MAX - (control_len(s) > CONTROL_MAX ? CONTROL_MAX : control_len(s));
	add_read_data(s, s->work[MSG_IOV], s->work[MSG_IOV_COUNT], n > room ? room : n);
}

SYSCALL_PROGRAM(sx_socket)
{
	RECORD(EV_SOCKET, 5);
	u32 type = s->args[1], flags = 0;
	add_s64(s, s->ret);
	add_u32(s, (u8)s->args[0]);
	add_u32(s, type);
	add_u32(s, s->args[2]);
	if (type & SOCK_NONBLOCK) flags |= PPM_O_NONBLOCK;
	if (type & SOCK_CLOEXEC) flags |= PPM_O_CLOEXEC;
	add_u32(s, flags);
	record_submit(s, cfg);
	return 0;
}

SYSCALL_PROGRAM(sx_bind)
{
	RECORD(EV_BIND, 3);
	add_s64(s, s->ret);
	add_sockaddr(s, s->args[1], s->args[2]);
	add_s64(s, (s32)s->args[0]);
	record_submit(s, cfg);
	return 0;
}

SYSCALL_PROGRAM(sx_connect)
{
	RECORD(EV_CONNECT, 4);
	add_s64(s, s->ret);
	if (s->ret == 0 || s->ret == -EINPROGRESS)
		add_tuple(s, (s32)s->args[0], OUTBOUND, s->args[1]);
	else
		add_empty(s);
	add_s64(s, (s32)s->args[0]);
	add_sockaddr(s, s->args[1], s->args[2]);
	record_submit(s, cfg);
	return 0;
}

/* Four parameters of accept: the tuple of the new socket, and how full the listening socket's queue is. */
__noinline int add_accepted(struct scratch *s)
{
	if (!s) return 0;
	u32 length = 0, max = 0;
	if (s->ret >= 0) {
		add_tuple(s, s->ret, INBOUND, 0);
		struct sock *sk = sock_of_fd((s32)s->args[0]);
		if (sk) {
			length = BPF_CORE_READ(sk, sk_ack_backlog);
			max = BPF_CORE_READ(sk, sk_max_ack_backlog);
		}
	} else {
		add_empty(s);
	}
	add_u8(s, length && max ? (u64)length * 100 / max : 0);
	add_u32(s, length);
	add_u32(s, max);
	return 0;
}

SYSCALL_PROGRAM(sx_accept)
{
	RECORD(EV_ACCEPT, 5);
	add_s64(s, s->ret);
	add_accepted(s);
	record_submit(s, cfg);
	return 0;
}

SYSCALL_PROGRAM(sx_accept4)
{
	RECORD(EV_ACCEPT4, 6);
	add_s64(s, s->ret);
	add_accepted(s);
	/* Always 0, as in every capture there is: consumers take it for the schema's own flags, which it never held. */
	add_u32(s, 0);
	record_submit(s, cfg);
	return 0;
}

SYSCALL_PROGRAM(sx_send)
{
	RECORD(EV_SEND, 5);
	add_s64(s, s->ret);
	add_payload(s, (void *)s->args[1], s->ret > 0 ? s->ret : (s64)s->args[2]);
	add_s64(s, (s32)s->args[0]);
	add_u32(s, s->args[2]);
	add_tuple(s, (s32)s->args[0], OUTBOUND, 0);
	record_submit(s, cfg);
	return 0;
}

SYSCALL_PROGRAM(sx_sendto)
{
	RECORD(EV_SENDTO, 5);
	add_s64(s, s->ret);
	add_payload(s, (void *)s->args[1], s->ret > 0 ? s->ret : (s64)s->args[2]);
	add_s64(s, (s32)s->args[0]);
	add_u32(s, s->args[2]);
	add_tuple(s, (s32)s->args[0], OUTBOUND, s->args[4]);
	record_submit(s, cfg);
	return 0;
}

SYSCALL_PROGRAM(sx_sendmsg)
{
	RECORD(EV_SENDMSG, 5);
	read_message(s, s->args[1], 0);
	add_s64(s, s->ret);
	u32 size = add_iovec_data(s, s->work[MSG_IOV], s->work[MSG_IOV_COUNT], s->ret > 0 ? s->ret : 0x7fffffff);
	add_s64(s, (s32)s->args[0]);
	add_u32(s, size);
	add_tuple(s, (s32)s->args[0], OUTBOUND, s->work[MSG_NAME]);
	record_submit(s, cfg);
	return 0;
}

/* One record of sendmmsg, of the message at `at`. */
__noinline int emit_sent(struct scratch *s, u64 at)
{
	struct config *cfg = config_of();
	if (!s || !cfg || read_message(s, at, 1)) return 0;
	record_begin(s, cfg, (u32)bpf_get_current_pid_tgid(), EV_SENDMMSG, 5);
	add_s64(s, s->work[MSG_LEN]);
	add_s64(s, (s32)s->args[0]);
	add_iovec_size(s, s->work[MSG_IOV], s->work[MSG_IOV_COUNT]);
	add_iovec_data(s, s->work[MSG_IOV], s->work[MSG_IOV_COUNT], s->work[MSG_LEN]);
	add_tuple(s, (s32)s->args[0], OUTBOUND, s->work[MSG_NAME]);
	record_submit(s, cfg);
	return 0;
}

__noinline int emit_received(struct scratch *s, u64 at)
{
	struct config *cfg = config_of();
	if (!s || !cfg || read_message(s, at, 1)) return 0;
	record_begin(s, cfg, (u32)bpf_get_current_pid_tgid(), EV_RECVMMSG, 6);
	add_s64(s, s->work[MSG_LEN]);
	add_s64(s, (s32)s->args[0]);
	add_u32(s, s->work[MSG_LEN]);
	add_received_data(s, s->work[MSG_LEN]);
	add_tuple(s, (s32)s->args[0], INBOUND, s->work[MSG_NAME]);
	add_control(s);
	record_submit(s, cfg);
	return 0;
}

SYSCALL_PROGRAM(sx_sendmmsg)
{
	struct scratch *s = scratch_of();
	if (!s) return 0;
	if (s->ret <= 0) {
		RECORD_IN(s, EV_SENDMMSG, 5);
		add_s64(s, s->ret);
		add_s64(s, (s32)s->args[0]);
		add_u32(s, 0);
		add_empty(s);
		add_empty(s);
		record_submit(s, cfg);
		return 0;
	}
	u64 stride = s->is_compat ? 32 : 64;
	for (u32 i = 0; i < MMSG_MAX; i++) {
		if (i >= s->ret) break;
		emit_sent(s, s->args[1] + i * stride);
	}
	return 0;
}

SYSCALL_PROGRAM(sx_recvmmsg)
{
	struct scratch *s = scratch_of();
	if (!s) return 0;
	if (s->ret <= 0) {
		RECORD_IN(s, EV_RECVMMSG, 6);
		add_s64(s, s->ret);
		add_s64(s, (s32)s->args[0]);
		add_u32(s, 0);
		add_empty(s);
		add_empty(s);
		add_empty(s);
		record_submit(s, cfg);
		return 0;
	}
	u64 stride = s->is_compat ? 32 : 64;
	for (u32 i = 0; i < MMSG_MAX; i++) {
		if (i >= s->ret) break;
		emit_received(s, s->args[1] + i * stride);
	}
	return 0;
}

SYSCALL_PROGRAM(sx_recv)
{
	RECORD(EV_RECV, 5);
	add_s64(s, s->ret);
	add_payload(s, (void *)s->args[1], s->ret);
	add_s64(s, (s32)s->args[0]);
	add_u32(s, s->args[2]);
	if (s->ret > 0)
		add_tuple(s, (s32)s->args[0], INBOUND, 0);
	else
		add_empty(s);
	record_submit(s, cfg);
	return 0;
}

SYSCALL_PROGRAM(sx_recvfrom)
{
	RECORD(EV_RECVFROM, 5);
	add_s64(s, s->ret);
	add_payload(s, (void *)s->args[1], s->ret);
	if (s->ret > 0)
		add_tuple(s, (s32)s->args[0], INBOUND, s->args[4]);
	else
		add_empty(s);
	add_s64(s, (s32)s->args[0]);
	add_u32(s, s->args[2]);
	record_submit(s, cfg);
	return 0;
}

SYSCALL_PROGRAM(sx_recvmsg)
{
	RECORD(EV_RECVMSG, 6);
	add_s64(s, s->ret);
	if (s->ret > 0) {
		read_message(s, s->args[1], 0);
		add_u32(s, s->ret);
		add_received_data(s, s->ret);
		add_tuple(s, (s32)s->args[0], INBOUND, s->work[MSG_NAME]);
		add_control(s);
	} else {
		add_u32(s, 0);
		add_empty(s);
		add_empty(s);
		add_empty(s);
	}
	add_s64(s, (s32)s->args[0]);
	record_submit(s, cfg);
	return 0;
}

SYSCALL_PROGRAM(sx_socketpair)
{
	RECORD(EV_SOCKETPAIR, 8);
	s32 fds[2] = {-1, -1};
	struct sock *source = 0, *peer = 0;
	if (s->ret == 0) {
		bpf_probe_read_user(fds, 8, (void *)s->args[3]);
		source = sock_of_fd(fds[0]);
		if (source) peer = BPF_CORE_READ((struct unix_sock *)source, peer);
	}
	add_s64(s, s->ret);
	add_s64(s, fds[0]);
	add_s64(s, fds[1]);
	add_u64(s, (u64)source);
	add_u64(s, (u64)peer);
	add_u32(s, (u8)s->args[0]);
	add_u32(s, s->args[1]);
	add_u32(s, s->args[2]);
	record_submit(s, cfg);
	return 0;
}
