/*
 * The table that describes most system calls: one operation per parameter, run by `run_op`. The rows come from the loader
 * (syscall-rows.ts), so that one page says for every call which event it is and where each parameter comes from.
 */
#pragma once

#include "record.h"
#include "task.h"

#define OP_EMPTY 0      /* no value */
#define OP_RET 1        /* result, 8 bytes */
#define OP_S64 2        /* argument, 8 bytes */
#define OP_FD 3         /* argument as signed 32 bits, 8 bytes */
#define OP_U32 4
#define OP_U16 5
#define OP_U8 6
#define OP_FLAGS32 7    /* argument through flag table `table` */
#define OP_FLAGS16 8
#define OP_FLAGS8 9
#define OP_PATH 10      /* text at the argument's address, up to 4,096 bytes */
#define OP_CONST32 11   /* `extra`, 4 bytes */
#define OP_CONST8 12
#define OP_VM 13        /* three parameters: vm_size, vm_rss, vm_swap in KiB; counts as three */
#define OP_S32 14       /* argument as signed 32 bits, 4 bytes */
#define OP_SYSCALL_ID 15 /* the schema's number of the call, 2 bytes */
#define OP_NATIVE_ID 16 /* the kernel's number of the call, 2 bytes */
#define OP_DEV_INO 17   /* two parameters: device (4) and inode (8) of the file of the returned fd; counts as two */
#define OP_USER_U64 18  /* 8 bytes at the argument's address + extra */
#define OP_USER_U32 19
#define OP_TIMESPEC 20  /* struct timespec at the argument's address, as nanoseconds */
#define OP_BYTES 21     /* bytes at the argument's address, length in argument `extra`, up to the snaplen; only with WANT_PAYLOAD */
#define OP_RET32 22     /* result, 4 bytes */

__noinline int run_op(struct scratch *s, u32 nr, u32 index)
{
	if (!s) return 0;
	struct syscall_row *row = bpf_map_lookup_elem(&syscalls, &nr);
	if (!row) return 0;
	/* Keeps the bound in the register the verifier looks at. */
	asm volatile("%0 &= 15" : "+r"(index));
	struct op *op = &row->ops[index];
	u64 v = s->args[op->arg & 7];
	switch (op->kind) {
	case OP_EMPTY: add_empty(s); break;
	case OP_RET: add_s64(s, s->ret); break;
	case OP_RET32: add_u32(s, s->ret); break;
	case OP_S64: add_u64(s, v); break;
	case OP_FD: add_s64(s, (s32)v); break;
	case OP_S32:
	case OP_U32: add_u32(s, v); break;
	case OP_U16: add_u16(s, v); break;
	case OP_U8: add_u8(s, v); break;
	case OP_FLAGS32: add_u32(s, native_to_schema(op->table, v)); break;
	case OP_FLAGS16: add_u16(s, native_to_schema(op->table, v)); break;
	case OP_FLAGS8: add_u8(s, native_to_schema(op->table, v)); break;
	case OP_PATH: add_user_text(s, (void *)v, 4096); break;
	case OP_CONST32: add_u32(s, op->extra); break;
	case OP_CONST8: add_u8(s, op->extra); break;
	case OP_VM: add_vm(s, current_task()); break;
	case OP_SYSCALL_ID: add_u16(s, row->syscall_id); break;
	case OP_NATIVE_ID: add_u16(s, s->nr); break;
	case OP_DEV_INO: add_dev_ino(s, s->ret); break;
	case OP_USER_U64: {
		u64 x = 0;
		bpf_probe_read_user(&x, 8, (void *)(v + op->extra));
		add_u64(s, x);
		break;
	}
	case OP_USER_U32: {
		u32 x = 0;
		bpf_probe_read_user(&x, 4, (void *)(v + op->extra));
		add_u32(s, x);
		break;
	}
	case OP_TIMESPEC: {
		u64 t[2] = {};
		bpf_probe_read_user(t, 16, (void *)v);
		add_u64(s, t[0] * 1000000000ULL + t[1]);
		break;
	}
	case OP_BYTES: add_payload(s, (void *)v, s->args[op->extra & 7]); break;
	default: add_empty(s);
	}
	return 0;
}
