/*
 * The calls that come by the hundred thousand a second, read, write and close, without the scratch, the table and a tail call: one
 * reservation in the ring, of a fixed size, and plain stores into it. The length in the record's header counts, so the entry's end may
 * stay unused. The programs sx_read and sx_write do the rest: long payloads and 32-bit calls.
 */
#pragma once

#include "record.h"

/* Largest payload of each size of entry. Without one an entry is a cache line. */
#define FAST_PAYLOAD_NONE 1
#define FAST_PAYLOAD_SMALL 31
#define FAST_PAYLOAD_MAX 255
/* Prefix, header, lengths, values: see the writers below. */
#define FAST_CLOSE_BYTES (8 + HEADER_BYTES + 2 * 2 + 16)
#define FAST_IO_BYTES(payload) (8 + HEADER_BYTES + 4 * 2 + 8 + (payload) + 8 + 4)
#define FAST_DATA_AT (8 + HEADER_BYTES + 4 * 2 + 8)
#define FAST_ROUND(n) (((n) + 7) & ~7)

#if defined(__TARGET_ARCH_x86)
#define NR_READ 0
#define NR_WRITE 1
#define NR_CLOSE 3
#define REGS_ARG1(regs) ((regs)->di)
#define REGS_ARG2(regs) ((regs)->si)
#define REGS_ARG3(regs) ((regs)->dx)
#else
#define NR_READ 63
#define NR_WRITE 64
#define NR_CLOSE 57
#define REGS_ARG1(regs) ((regs)->orig_x0)
#define REGS_ARG2(regs) ((regs)->regs[1])
#define REGS_ARG3(regs) ((regs)->regs[2])
#endif
#define FAST_TYPE_CLOSE 5
#define FAST_TYPE_READ 7
#define FAST_TYPE_WRITE 9

/* Room for a record, its prefix written; 0 when the ring is full, which is counted. */
static __always_inline void *fast_reserve(struct config *cfg, u64 bytes, u16 type)
{
	u32 cpu = bpf_get_smp_processor_id();
	struct counters *count = bpf_map_lookup_elem(&counters, &cpu);
	/* No atomic: only this cpu writes, and nothing interrupts a program of a tracepoint to run another. */
	if (count) count->generated++;
	void *ring = ring_of(cfg, cpu);
	void *at = ring ? bpf_ringbuf_reserve(ring, bytes, 0) : 0;
	if (at)
		put64(at, cpu);
	else
		count_drop(type);
	return at;
}

static __always_inline int fast_close(struct config *cfg, struct pt_regs *regs, long ret, u64 tid)
{
	void *at = fast_reserve(cfg, FAST_ROUND(FAST_CLOSE_BYTES), FAST_TYPE_CLOSE);
	if (!at) return 1;
	fill_header(at + 8, cfg, tid, FAST_CLOSE_BYTES - 8, FAST_TYPE_CLOSE, 2);
	put32(at + 34, 8 | 8 << 16);
	put64(at + 38, ret);
	put64(at + 46, (s64)(s32)REGS_ARG1(regs));
	bpf_ringbuf_submit(at, wake_flags());
	return 1;
}

/* Everything but the data, of which there are `n` bytes, and hands the entry over. */
static __always_inline int fast_io_submit(void *at, struct config *cfg, struct pt_regs *regs, long ret, u64 tid, u16 type, u64 n)
{
	fill_header(at + 8, cfg, tid, FAST_IO_BYTES(0) - 8 + n, type, 4);
	put64(at + 34, 8 | n << 16 | 8ULL << 32 | 4ULL << 48);
	put64(at + 42, ret);
	put64(at + FAST_DATA_AT + n, (s64)(s32)REGS_ARG1(regs));
	put32(at + FAST_DATA_AT + 8 + n, REGS_ARG3(regs));
	bpf_ringbuf_submit(at, wake_flags());
	return 1;
}

/* Short data goes over the stack: the kernel checks another destination of a copy for longer than the copy takes (55 of 430 ns). */
static __always_inline int fast_io_small(struct config *cfg, struct pt_regs *regs, long ret, u64 tid, u16 type, u64 n)
{
	u64 data[4] = {};
	if (n) {
		asm volatile("%0 &= 31" : "+r"(n));
		if (bpf_probe_read_user(data, n, (void *)REGS_ARG2(regs))) {
			n = 0;
			COUNT(unread);
		}
	}
	if (n <= FAST_PAYLOAD_NONE) {
		void *at = fast_reserve(cfg, FAST_ROUND(FAST_IO_BYTES(FAST_PAYLOAD_NONE)), type);
		if (!at) return 1;
		asm volatile("%0 &= 1" : "+r"(n));
		*(u8 *)(at + FAST_DATA_AT) = data[0];
		return fast_io_submit(at, cfg, regs, ret, tid, type, n);
	}
	void *at = fast_reserve(cfg, FAST_ROUND(FAST_IO_BYTES(FAST_PAYLOAD_SMALL)), type);
	if (!at) return 1;
	asm volatile("%0 &= 31" : "+r"(n));
	put64(at + FAST_DATA_AT, data[0]);
	put64(at + FAST_DATA_AT + 8, data[1]);
	put64(at + FAST_DATA_AT + 16, data[2]);
	put64(at + FAST_DATA_AT + 24, data[3]);
	return fast_io_submit(at, cfg, regs, ret, tid, type, n);
}

static __always_inline int fast_io_large(struct config *cfg, struct pt_regs *regs, long ret, u64 tid, u16 type, u64 n)
{
	void *at = fast_reserve(cfg, FAST_ROUND(FAST_IO_BYTES(FAST_PAYLOAD_MAX)), type);
	if (!at) return 1;
	asm volatile("%0 &= 255" : "+r"(n));
	if (bpf_probe_read_user(at + FAST_DATA_AT, n, (void *)REGS_ARG2(regs))) {
		n = 0;
		COUNT(unread);
	}
	asm volatile("%0 &= 255" : "+r"(n));
	return fast_io_submit(at, cfg, regs, ret, tid, type, n);
}

static __always_inline int fast_io(struct config *cfg, struct pt_regs *regs, long ret, u64 tid, u8 interest, u16 type)
{
	u64 n = 0;
	if (interest & WANT_PAYLOAD) {
		/* What was read, or, also of a failing call, what was to be written. */
		s64 size = ret > 0 ? ret : type == FAST_TYPE_WRITE ? (s64)REGS_ARG3(regs) : 0;
		n = size > 0 ? size : 0;
		if (n > cfg->snaplen) n = cfg->snaplen;
	}
	if (n <= FAST_PAYLOAD_SMALL) return fast_io_small(cfg, regs, ret, tid, type, n);
	if (n <= FAST_PAYLOAD_MAX) return fast_io_large(cfg, regs, ret, tid, type, n);
	return 0;
}

/* Writes the record of a hot call; 0 when the call is none of them. */
static __always_inline int fast_call(struct config *cfg, struct pt_regs *regs, u32 nr, long ret, u64 tid, u8 interest)
{
	switch (nr) {
	case NR_READ: return fast_io(cfg, regs, ret, tid, interest, FAST_TYPE_READ);
	case NR_WRITE: return fast_io(cfg, regs, ret, tid, interest, FAST_TYPE_WRITE);
	case NR_CLOSE: return fast_close(cfg, regs, ret, tid);
	default: return 0;
	}
}
