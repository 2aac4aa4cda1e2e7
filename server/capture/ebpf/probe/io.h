/*
 * Reading and writing. Programs: sx_read, sx_write, sx_pread64, sx_pwrite64, sx_readv, sx_writev, sx_preadv (preadv2 too), sx_pwritev
 * (pwritev2 too), sx_pipe, sx_pipe2, sx_poll, sx_ppoll. Calls with plain parameters (sendfile, splice, copy_file_range, select) are rows.
 *
 * Data is copied only for calls someone wants the payload of (WANT_PAYLOAD); otherwise the parameter is empty.
 */
#pragma once

#include "record.h"
#include "task.h"

#define EV_READ 7
#define EV_WRITE 9
#define EV_PIPE 61
#define EV_POLL 81
#define EV_PREAD 113
#define EV_PWRITE 115
#define EV_READV 117
#define EV_WRITEV 119
#define EV_PREADV 121
#define EV_PWRITEV 123
#define EV_PPOLL 255
#define EV_PIPE2 393

#define IOV_MAX_READ 64
#define POLL_FDS_MAX 64

/* Starts the record of a program: declares `s` and `cfg`. */
#define RECORD(type, nparams) \
	struct scratch *s = scratch_of(); \
	if (!s) return 0; \
	RECORD_IN(s, type, nparams)
#define RECORD_IN(s, type, nparams) \
	struct config *cfg = config_of(); \
	if (!cfg) return 0; \
	record_begin(s, cfg, (u32)bpf_get_current_pid_tgid(), type, nparams)

/* Where arrays of the process are kept while a record is written: behind what a record and its last value can reach. */
#define SIDE_AT (SCRATCH_BYTES + 0xc000)

/* Where a value of several buffers stands, in the scratch's work. */
#define IOV_DONE 6
#define IOV_LEFT 7

/* `count` entries of an iovec array, of which the first IOV_MAX_READ are looked at, to the side. Not 0: unreadable. */
static __always_inline int load_iovecs(struct scratch *s, u64 at, u64 count)
{
	u64 n = (count > IOV_MAX_READ ? IOV_MAX_READ : count) * (s->is_compat ? 8 : 16);
	asm volatile("%0 &= 0x7ff" : "+r"(n));
	if (!n || !bpf_probe_read_user(&s->data[SIDE_AT], n, (void *)at)) return 0;
	COUNT(unread);
	return -1;
}

/*
 * Appends what is wanted of buffer `i` of the iovecs at the side; returns its full length, -1 when its data is unreadable. A subprogram,
 * as the loop around it would be verified entry by entry.
 */
__noinline s64 copy_iovec(struct scratch *s, u32 i)
{
	u64 base, len;
	if (!s) return -1;
	asm volatile("%0 &= 63" : "+r"(i));
	if (s->is_compat) {
		u32 *entry = (void *)&s->data[SIDE_AT + i * 8];
		base = entry[0];
		len = entry[1];
	} else {
		u64 *entry = (void *)&s->data[SIDE_AT + i * 16];
		base = entry[0];
		len = entry[1];
	}
	u64 done = s->work[IOV_DONE], left = s->work[IOV_LEFT], n = len;
	if (n > left) n = left;
	asm volatile("%0 &= 0xffff" : "+r"(n));
	if (n && bpf_probe_read_user(&s->data[P(s->pos + done)], n, (void *)base)) {
		COUNT(unread);
		return -1;
	}
	s->work[IOV_DONE] = done + n;
	s->work[IOV_LEFT] = left - n;
	return len & 0x7fffffff;
}

/*
 * The data of the buffers of an iovec array as one value: `max` bytes, at most the snaplen; empty when no payload is wanted. Returns how
 * many bytes all the buffers hold.
 */
__noinline int add_iovec_data(struct scratch *s, u64 at, u64 count, u64 max)
{
	struct config *cfg = config_of();
	if (!s || !cfg) return 0;
	u64 left = s->interest & WANT_PAYLOAD ? cfg->snaplen : 0;
	u32 total = 0;
	if (left > PAYLOAD_MAX) left = PAYLOAD_MAX;
	s->work[IOV_DONE] = 0;
	s->work[IOV_LEFT] = left > max ? max : left;
	if (load_iovecs(s, at, count)) count = 0;
	for (u32 i = 0; i < IOV_MAX_READ; i++) {
		if (i >= count) break;
		s64 len = copy_iovec(s, i);
		if (len < 0) s->work[IOV_LEFT] = 0;
		else total += len;
	}
	value_end(s, s->work[IOV_DONE]);
	return total;
}

/* The same of what was read, whose buffers' sizes nobody asks for. */
static __always_inline void add_read_data(struct scratch *s, u64 at, u64 count, u64 max)
{
	if (s->interest & WANT_PAYLOAD) add_iovec_data(s, at, count, max);
	else add_empty(s);
}

/* How many bytes the buffers of an iovec array hold, 4 bytes. */
__noinline int add_iovec_size(struct scratch *s, u64 at, u64 count)
{
	if (!s) return 0;
	u32 total = 0;
	s->work[IOV_DONE] = s->work[IOV_LEFT] = 0;
	if (load_iovecs(s, at, count)) count = 0;
	for (u32 i = 0; i < IOV_MAX_READ; i++) {
		if (i >= count) break;
		s64 len = copy_iovec(s, i);
		if (len > 0) total += len;
	}
	add_u32(s, total);
	return 0;
}

/* File offset from argument 3: 32-bit calls pass it in two. */
static __always_inline u64 offset_of(struct scratch *s)
{
	return s->is_compat ? (s->args[3] & 0xffffffff) | s->args[4] << 32 : s->args[3];
}
static __always_inline s64 written(struct scratch *s) { return s->ret > 0 ? s->ret : (s64)s->args[2]; }

SYSCALL_PROGRAM(sx_read)
{
	RECORD(EV_READ, 4);
	add_s64(s, s->ret);
	add_payload(s, (void *)s->args[1], s->ret);
	add_s64(s, (s32)s->args[0]);
	add_u32(s, s->args[2]);
	record_submit(s, cfg);
	return 0;
}

SYSCALL_PROGRAM(sx_write)
{
	RECORD(EV_WRITE, 4);
	add_s64(s, s->ret);
	add_payload(s, (void *)s->args[1], written(s));
	add_s64(s, (s32)s->args[0]);
	add_u32(s, s->args[2]);
	record_submit(s, cfg);
	return 0;
}

SYSCALL_PROGRAM(sx_pread64)
{
	RECORD(EV_PREAD, 5);
	add_s64(s, s->ret);
	add_payload(s, (void *)s->args[1], s->ret);
	add_s64(s, (s32)s->args[0]);
	add_u32(s, s->args[2]);
	add_u64(s, offset_of(s));
	record_submit(s, cfg);
	return 0;
}

SYSCALL_PROGRAM(sx_pwrite64)
{
	RECORD(EV_PWRITE, 5);
	add_s64(s, s->ret);
	add_payload(s, (void *)s->args[1], written(s));
	add_s64(s, (s32)s->args[0]);
	add_u32(s, s->args[2]);
	add_u64(s, offset_of(s));
	record_submit(s, cfg);
	return 0;
}

/* Size and data of what a vectored read brought: zero and empty unless it brought something. */
static __always_inline void add_read_vector(struct scratch *s)
{
	if (s->ret > 0) {
		add_u32(s, s->ret);
		add_read_data(s, s->args[1], s->args[2], s->ret);
	} else {
		add_u32(s, 0);
		add_empty(s);
	}
}

SYSCALL_PROGRAM(sx_readv)
{
	RECORD(EV_READV, 4);
	add_s64(s, s->ret);
	add_read_vector(s);
	add_s64(s, (s32)s->args[0]);
	record_submit(s, cfg);
	return 0;
}

SYSCALL_PROGRAM(sx_preadv)
{
	RECORD(EV_PREADV, 5);
	add_s64(s, s->ret);
	add_read_vector(s);
	add_s64(s, (s32)s->args[0]);
	add_u64(s, offset_of(s));
	record_submit(s, cfg);
	return 0;
}

SYSCALL_PROGRAM(sx_writev)
{
	RECORD(EV_WRITEV, 4);
	add_s64(s, s->ret);
	u32 size = add_iovec_data(s, s->args[1], s->args[2], s->ret > 0 ? s->ret : 0x7fffffff);
	add_s64(s, (s32)s->args[0]);
	add_u32(s, size);
	record_submit(s, cfg);
	return 0;
}

SYSCALL_PROGRAM(sx_pwritev)
{
	RECORD(EV_PWRITEV, 5);
	add_s64(s, s->ret);
	u32 size = add_iovec_data(s, s->args[1], s->args[2], s->ret > 0 ? s->ret : 0x7fffffff);
	add_s64(s, (s32)s->args[0]);
	add_u32(s, size);
	add_u64(s, offset_of(s));
	record_submit(s, cfg);
	return 0;
}

/* Four parameters: result, both fds (-1 when there are none) and the pipe's inode. */
static __always_inline void add_pipe(struct scratch *s)
{
	s32 fds[2] = {-1, -1};
	u64 ino = 0;
	if (s->ret == 0) {
		bpf_probe_read_user(fds, 8, (void *)s->args[0]);
		struct file *file = file_of_fd(fds[0]);
		if (file) ino = BPF_CORE_READ(file, f_inode, i_ino);
	}
	add_s64(s, s->ret);
	add_s64(s, fds[0]);
	add_s64(s, fds[1]);
	add_u64(s, ino);
}

SYSCALL_PROGRAM(sx_pipe)
{
	RECORD(EV_PIPE, 4);
	add_pipe(s);
	record_submit(s, cfg);
	return 0;
}

/* O_DIRECT, O_NONBLOCK and O_CLOEXEC, the flags pipe2 takes, native and in the schema. */
#if defined(__TARGET_ARCH_arm64)
#define NATIVE_O_DIRECT 0x10000
#else
#define NATIVE_O_DIRECT 0x4000
#endif
SYSCALL_PROGRAM(sx_pipe2)
{
	RECORD(EV_PIPE2, 5);
	u32 flags = 0;
	add_pipe(s);
	if (s->args[1] & NATIVE_O_DIRECT) flags |= 512;
	if (s->args[1] & 0x800) flags |= 64;
	if (s->args[1] & 0x80000) flags |= 4096;
	add_u32(s, flags);
	record_submit(s, cfg);
	return 0;
}

/* Native poll bits in the schema's order: POLLRDHUP comes fourth there. */
static __always_inline u16 poll_bits(u16 v)
{
	return (v & 7) | (v & 0x2000 ? 8 : 0) | ((v & 0x3f8) << 1);
}

/* The fds of a poll with the events that came back: a count, then fd (8 bytes) and bits (2 bytes) each. */
__noinline int add_poll_fds(struct scratch *s, u64 at, u64 count)
{
	if (!s) return 0;
	u64 bytes = (count > POLL_FDS_MAX ? POLL_FDS_MAX : count) * 8;
	u32 n = 0;
	asm volatile("%0 &= 0x3ff" : "+r"(bytes));
	if (bytes && bpf_probe_read_user(&s->data[SIDE_AT], bytes, (void *)at)) {
		COUNT(unread);
		count = 0;
	}
	for (; n < POLL_FDS_MAX; n++) {
		if (n >= count) break;
		struct { s32 fd; u16 events, revents; } *p = (void *)&s->data[SIDE_AT + n * 8];
		u8 *to = &s->data[P(s->pos + 2 + n * 10)];
		put64(to, (s64)p->fd);
		put16(to + 8, poll_bits(p->revents));
	}
	put16(&s->data[P(s->pos)], n);
	value_end(s, 2 + n * 10);
	if (n < count) COUNT(truncated);
	return 0;
}

SYSCALL_PROGRAM(sx_poll)
{
	RECORD(EV_POLL, 3);
	add_s64(s, s->ret);
	add_poll_fds(s, s->args[0], (u32)s->args[1]);
	add_s64(s, (s32)s->args[2]);
	record_submit(s, cfg);
	return 0;
}

SYSCALL_PROGRAM(sx_ppoll)
{
	RECORD(EV_PPOLL, 4);
	u64 ns = 0;
	u32 mask = 0;
	add_s64(s, s->ret);
	add_poll_fds(s, s->args[0], (u32)s->args[1]);
	if (s->is_compat) {
		u32 t[2] = {};
		bpf_probe_read_user(t, 8, (void *)s->args[2]);
		ns = t[0] * 1000000000ULL + t[1];
	} else {
		u64 t[2] = {};
		bpf_probe_read_user(t, 16, (void *)s->args[2]);
		ns = t[0] * 1000000000ULL + t[1];
	}
	add_u64(s, ns);
	bpf_probe_read_user(&mask, 4, (void *)s->args[3]);
	add_u32(s, mask);
	record_submit(s, cfg);
	return 0;
}
