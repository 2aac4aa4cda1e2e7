/* Building a record: header, lengths, values, and handing it to a ring. */
#pragma once

#include "abi.h"

struct header { u64 ts; u64 tid; u32 len; u16 type; u32 nparams; } __attribute__((packed));
#define HEADER_BYTES 26

#define P(x) ((x) & (SCRATCH_BYTES - 1))
/* Through a void pointer: a store to a u8 array would be split into bytes. */
static __always_inline void put64(void *at, u64 v) { *(u64 *)at = v; }
static __always_inline void put32(void *at, u32 v) { *(u32 *)at = v; }
static __always_inline void put16(void *at, u16 v) { *(u16 *)at = v; }

static __always_inline struct config *config_of(void)
{
	u32 k = 0;
	return bpf_map_lookup_elem(&config, &k);
}
static __always_inline struct counters *counters_of(void)
{
	u32 cpu = bpf_get_smp_processor_id();
	return bpf_map_lookup_elem(&counters, &cpu);
}
static __always_inline struct scratch *scratch_of(void)
{
	u32 cpu = bpf_get_smp_processor_id();
	return bpf_map_lookup_elem(&scratches, &cpu);
}
#define COUNT(member) do { struct counters *c_ = counters_of(); if (c_) __sync_fetch_and_add(&c_->member, 1); } while (0)

static __always_inline void *ring_of(struct config *cfg, u32 cpu)
{
	u32 n = cfg->ring_count;
	/* As many rings as cpus, or one: a division only in between. */
	u32 k = cpu < n ? cpu : n > 1 ? cpu % n : 0;
	return bpf_map_lookup_elem(&rings, &k);
}

/* A wake-up only for a reader that asked for one: it costs more than the record. */
static __always_inline u64 wake_flags(void)
{
	u32 k = 0;
	volatile u64 *wanted = bpf_map_lookup_elem(&wake, &k);
	if (wanted && *wanted) {
		*wanted = 0;
		return BPF_RB_FORCE_WAKEUP;
	}
	return BPF_RB_NO_WAKEUP;
}

static __always_inline void count_drop(u16 type)
{
	u32 k = type;
	u64 *n = bpf_map_lookup_elem(&drops, &k);
	if (n) __sync_fetch_and_add(n, 1);
	COUNT(dropped);
}

static __always_inline void fill_header(void *at, struct config *cfg, u64 tid, u32 len, u16 type, u32 nparams)
{
	put64(at, bpf_ktime_get_boot_ns() + cfg->boot_epoch_ns);
	put64(at + 8, tid);
	put32(at + 16, len);
	put16(at + 20, type);
	put32(at + 22, nparams);
}

/* Starts a record of `nparams` parameters for thread `tid`. The prefix is at data[0], the header at data[8]. */
static __always_inline void record_begin(struct scratch *s, struct config *cfg, u64 tid, u16 type, u32 nparams)
{
	put32(&s->data[0], bpf_get_smp_processor_id());
	put32(&s->data[4], 0);
	fill_header(&s->data[8], cfg, tid, 0, type, nparams);
	s->lpos = 8 + HEADER_BYTES;
	s->pos = 8 + HEADER_BYTES + nparams * 2;
}

/* The value of `n` bytes at `pos` is complete. */
static __always_inline void value_end(struct scratch *s, u16 n)
{
	put16(&s->data[P(s->lpos)], n);
	s->lpos += 2;
	s->pos += n;
}
static __always_inline void add_empty(struct scratch *s) { value_end(s, 0); }
static __always_inline void add_u64(struct scratch *s, u64 v) { put64(&s->data[P(s->pos)], v); value_end(s, 8); }
static __always_inline void add_s64(struct scratch *s, s64 v) { add_u64(s, (u64)v); }
static __always_inline void add_u32(struct scratch *s, u32 v) { put32(&s->data[P(s->pos)], v); value_end(s, 4); }
static __always_inline void add_u16(struct scratch *s, u16 v) { put16(&s->data[P(s->pos)], v); value_end(s, 2); }
static __always_inline void add_u8(struct scratch *s, u8 v) { s->data[P(s->pos)] = v; value_end(s, 1); }

/* Text of the process, with its NUL; empty when its address is 0 or cannot be read. `max` counts the NUL. */
static __always_inline void add_user_text(struct scratch *s, const void *from, u32 max)
{
	long n = 0;
	if (from) {
		n = bpf_probe_read_user_str(&s->data[P(s->pos)], max, from);
		if (n < 0) {
			n = 0;
			COUNT(unread);
		}
	}
	value_end(s, n);
}
static __always_inline void add_kernel_text(struct scratch *s, const void *from, u32 max)
{
	long n = bpf_probe_read_kernel_str(&s->data[P(s->pos)], max, from);
	if (n < 0) n = 0;
	value_end(s, n);
}
/* Bytes of the process, at most 32,767. */
static __always_inline void add_user_bytes(struct scratch *s, const void *from, u64 n, u32 max)
{
	if (n > max) n = max;
	/* Keeps the bound in the register the verifier looks at. */
	asm volatile("%0 &= 0x7fff" : "+r"(n));
	if (n && bpf_probe_read_user(&s->data[P(s->pos)], n, from)) {
		n = 0;
		COUNT(unread);
	}
	value_end(s, n);
}

/* Hands the record to the ring of this cpu. */
static __always_inline void record_submit(struct scratch *s, struct config *cfg)
{
	u64 len = s->pos;
	if (len > SCRATCH_BYTES) {
		COUNT(failed);
		return;
	}
	asm volatile("%0 &= 0x1ffff" : "+r"(len));
	put32(&s->data[8 + 16], len - 8);
	void *ring = ring_of(cfg, bpf_get_smp_processor_id());
	COUNT(generated);
	if (!ring || bpf_ringbuf_output(ring, s->data, len, wake_flags())) {
		u16 *type = (void *)&s->data[8 + 20];
		count_drop(*type);
	}
}

/* A program of the table `programs`: called for one system call with its arguments in the scratch. */
#define SYSCALL_PROGRAM(name) SEC("tp_btf/sys_exit") int BPF_PROG(name, struct pt_regs *regs, long ret)
