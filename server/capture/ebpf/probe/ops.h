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
#define OP_UINT 23      /* argument as unsigned 32 bits, 8 bytes */
#define OP_ENUM32 24    /* argument through flag table `table` as one of its values */
#define OP_ENUM16 25
#define OP_ENUM8 26
#define OP_OPEN_FLAGS 27  /* OP_FLAGS32, and what is known of the returned file: created, layer of an overlay */
#define OP_CREAT_FLAGS 28 /* the layer of the returned file, 2 bytes */
#define OP_OPEN_MODE 29 /* OP_FLAGS32, if the open flags in argument `extra` create a file, else 0 */
#define OP_USER_FLAGS32 30 /* 4 bytes at the argument's address + extra, through flag table `table` */
#define OP_MOUNT_FLAGS 31 /* argument without the magic number of old programs, 4 bytes */
#define OP_S32_IF 32    /* OP_S32 if argument `table` is `extra`, else 0 */
#define OP_PATH_OK 33   /* OP_PATH if the call succeeded, else empty */
#define OP_RLIMIT 34    /* word `extra` of the struct rlimit at the argument's address, 8 bytes; `table`: RLIMIT_* */

/* Tables the programs use; the others are known by their index in the rows only. Order: flag-conversion-data.ts. */
#define TABLE_OPEN_FLAGS 1
#define TABLE_CHMOD_MODE 3
#define TABLE_RESOLVE_FLAGS 5
#define TABLE_SEMOP_FLAGS 22
#define TABLE_PTRACE_REQUEST 39
#define TABLE_QUOTACTL_COMMAND 40
#define TABLE_SOCKOPT_LEVEL 41
#define TABLE_SOCKOPT_OPTION 42

#define RLIMIT_ZERO_ON_FAILURE 1
#define RLIMIT_MINUS_ON_FAILURE 2
#define RLIMIT_COMPAT32 4 /* 32-bit processes hold it in 32 bits */

/* Of the schema's open flags, and of its creat flags. */
#define SCHEMA_O_F_CREATED 0x4000
#define SCHEMA_FD_UPPER_LAYER 0x8000
#define SCHEMA_FD_LOWER_LAYER 0x10000
#define SCHEMA_CREAT_UPPER_LAYER 1
#define SCHEMA_CREAT_LOWER_LAYER 2

#define FMODE_CREATED 0x100000
#define OVERLAY_MAGIC 0x794c7630
/* O_CREAT and the bit of O_TMPFILE that is its own: the same on x86 and arm64. */
#define OPEN_CREATES (0100 | 020000000)
#define MOUNT_MAGIC 0xc0ed0000

/* An enumerator in the schema's numbers: tables for values 0 to 0xff, 0x4xx and 0x42xx, and one value for all others. */
static __always_inline u32 enum_to_schema(u32 table, u64 v)
{
	struct flag_table *t = bpf_map_lookup_elem(&flag_tables, &table);
	if (!t) return v;
	switch ((u32)v >> 8) {
	case 0: return t->byte[0][v & 255];
	case 4: return t->byte[1][v & 255];
	case 0x42: return t->byte[2][v & 255];
	default: return t->byte[3][0];
	}
}

#define LAYER_UPPER 1
#define LAYER_LOWER 2
/* In which layer of an overlay file system a file is; 0: in none. The dentry of the upper layer lies right behind the inode. */
static __always_inline u32 file_layer(struct file *file)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	if (BPF_CORE_READ(inode, i_sb, s_magic) != OVERLAY_MAGIC) return 0;
	struct dentry *upper = 0;
	bpf_probe_read_kernel(&upper, sizeof(upper), (void *)inode + bpf_core_type_size(struct inode));
	return upper && BPF_CORE_READ(upper, d_inode, i_ino) ? LAYER_UPPER : LAYER_LOWER;
}

/* The schema's open flags: the native ones, and what is known of the file of the returned fd. */
static __always_inline u32 open_flags(u64 native, s64 fd)
{
	u32 flags = native_to_schema(TABLE_OPEN_FLAGS, native);
	struct file *file = file_of_fd(fd);
	if (!file) return flags;
	if (BPF_CORE_READ(file, f_mode) & FMODE_CREATED) flags |= SCHEMA_O_F_CREATED;
	u32 layer = file_layer(file);
	if (layer == LAYER_UPPER) flags |= SCHEMA_FD_UPPER_LAYER;
	if (layer == LAYER_LOWER) flags |= SCHEMA_FD_LOWER_LAYER;
	return flags;
}

static __always_inline u32 open_mode(u64 mode, u64 flags)
{
	return flags & OPEN_CREATES ? native_to_schema(TABLE_CHMOD_MODE, mode) : 0;
}

static __always_inline s64 rlimit_word(struct scratch *s, u64 at, u32 index, u32 how)
{
	if (s->ret < 0 && how & RLIMIT_ZERO_ON_FAILURE) return 0;
	if (s->ret < 0 && how & RLIMIT_MINUS_ON_FAILURE) return -1;
	if (s->is_compat && how & RLIMIT_COMPAT32) {
		u32 v = 0;
		bpf_probe_read_user(&v, 4, (void *)(at + index * 4));
		return v == 0xffffffff ? -1 : (s64)v;
	}
	s64 v = 0;
	bpf_probe_read_user(&v, 8, (void *)(at + index * 8));
	return v;
}

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
		u32 t32[2] = {};
		if (s->is_compat) {
			bpf_probe_read_user(t32, 8, (void *)v);
			t[0] = t32[0];
			t[1] = t32[1];
		} else {
			bpf_probe_read_user(t, 16, (void *)v);
		}
		add_u64(s, t[0] * 1000000000ULL + t[1]);
		break;
	}
	case OP_UINT: add_u64(s, (u32)v); break;
	case OP_ENUM32: add_u32(s, enum_to_schema(op->table, v)); break;
	case OP_ENUM16: add_u16(s, enum_to_schema(op->table, v)); break;
	case OP_ENUM8: add_u8(s, enum_to_schema(op->table, v)); break;
	case OP_OPEN_FLAGS: add_u32(s, open_flags(v, s->ret)); break;
	case OP_CREAT_FLAGS: {
		struct file *file = file_of_fd(s->ret);
		u32 layer = file ? file_layer(file) : 0;
		add_u16(s, layer == LAYER_UPPER ? SCHEMA_CREAT_UPPER_LAYER : layer == LAYER_LOWER ? SCHEMA_CREAT_LOWER_LAYER : 0);
		break;
	}
	case OP_OPEN_MODE: add_u32(s, open_mode(v, s->args[op->extra & 7])); break;
	case OP_USER_FLAGS32: {
		u32 x = 0;
		bpf_probe_read_user(&x, 4, (void *)(v + op->extra));
		add_u32(s, native_to_schema(op->table, x));
		break;
	}
	case OP_MOUNT_FLAGS: add_u32(s, (v & 0xffff0000) == MOUNT_MAGIC ? v & 0xffff : v); break;
	case OP_S32_IF: add_u32(s, (u32)s->args[op->table & 7] == op->extra ? v : 0); break;
	case OP_PATH_OK: add_user_text(s, (void *)(s->ret < 0 ? 0 : v), 4096); break;
	case OP_RLIMIT: add_s64(s, rlimit_word(s, v, op->extra & 1, op->table)); break;
	case OP_BYTES: add_payload(s, (void *)v, s->args[op->extra & 7]); break;
	default: add_empty(s);
	}
	return 0;
}
