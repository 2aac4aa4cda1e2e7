/*
 * System calls the table cannot describe: parameters that depend on others, or come from structures. Programs: sx_openat2,
 * sx_open_by_handle_at, sx_fsconfig, sx_quotactl, sx_setsockopt, sx_getsockopt, sx_ptrace, sx_prctl, sx_process_vm_readv,
 * sx_process_vm_writev, sx_capset, sx_semop, sx_keyctl.
 */
#pragma once

#include "io.h"
#include "ops.h"
#include "path.h"
#include "process.h"

#define EV_SETSOCKOPT 45
#define EV_GETSOCKOPT 47
#define EV_PTRACE 169
#define EV_QUOTACTL 191
#define EV_SEMOP 251
#define EV_OPENAT2 327
#define EV_OPEN_BY_HANDLE_AT 337
#define EV_CAPSET 353
#define EV_FSCONFIG 373
#define EV_PRCTL 401
#define EV_PROCESS_VM_READV 421
#define EV_PROCESS_VM_WRITEV 423
#define EV_KEYCTL 453

#define TEXT_BYTES 4096
#define DYN_BYTES_MAX 4096 /* of a socket option without a type of its own */

/* Values of a dynamic type: a byte with the index of the type, then the value. */
static __always_inline void add_dyn(struct scratch *s, u8 type, u64 v, u32 bytes)
{
	s->data[P(s->pos)] = type;
	put64(&s->data[P(s->pos + 1)], v);
	value_end(s, 1 + bytes);
}
static __always_inline void add_dyn_text(struct scratch *s, u8 type, u64 from)
{
	long n = 0;
	s->data[P(s->pos)] = type;
	if (from) {
		n = bpf_probe_read_user_str(&s->data[P(s->pos + 1)], TEXT_BYTES, (void *)from);
		if (n < 0) {
			n = 0;
			COUNT(unread);
		}
	}
	value_end(s, 1 + n);
}
static __always_inline void add_dyn_bytes(struct scratch *s, u8 type, u64 from, u64 n)
{
	s->data[P(s->pos)] = type;
	if (n > DYN_BYTES_MAX) n = DYN_BYTES_MAX;
	if (!from) n = 0;
	asm volatile("%0 &= 0x7fff" : "+r"(n));
	if (n && bpf_probe_read_user(&s->data[P(s->pos + 1)], n, (void *)from)) {
		n = 0;
		COUNT(unread);
	}
	value_end(s, 1 + n);
}

SYSCALL_PROGRAM(sx_openat2)
{
	RECORD(EV_OPENAT2, 8);
	u64 how[3] = {}; /* struct open_how: flags, mode, resolve */
	bpf_probe_read_user(how, sizeof(how), (void *)s->args[2]);
	add_s64(s, s->ret);
	add_s64(s, (s32)s->args[0]);
	add_user_text(s, (void *)s->args[1], TEXT_BYTES);
	add_u32(s, open_flags(how[0], s->ret));
	add_u32(s, open_mode(how[1], how[0]));
	add_u32(s, native_to_schema(TABLE_RESOLVE_FLAGS, how[2]));
	add_dev_ino(s, s->ret);
	record_submit(s, cfg);
	return 0;
}

SYSCALL_PROGRAM(sx_open_by_handle_at)
{
	RECORD(EV_OPEN_BY_HANDLE_AT, 6);
	add_s64(s, s->ret);
	add_s64(s, (s32)s->args[0]);
	add_u32(s, open_flags(s->args[2], s->ret));
	struct file *file = file_of_fd(s->ret);
	u64 dentry = 0, mnt = 0;
	if (file) {
		dentry = (u64)BPF_CORE_READ(file, f_path.dentry);
		mnt = (u64)BPF_CORE_READ(file, f_path.mnt);
	}
	add_path(s, dentry, mnt, PATH_FROM_TASK_ROOT);
	add_dev_ino(s, s->ret);
	record_submit(s, cfg);
	return 0;
}

#define FSCONFIG_SET_STRING 1
#define FSCONFIG_SET_BINARY 2
#define FSCONFIG_SET_PATH 3
#define FSCONFIG_SET_PATH_EMPTY 4

SYSCALL_PROGRAM(sx_fsconfig)
{
	RECORD(EV_FSCONFIG, 7);
	u32 cmd = s->args[1];
	u64 bytes = s->ret >= 0 && cmd == FSCONFIG_SET_BINARY ? s->args[3] : 0;
	u64 text = s->ret >= 0 && (cmd == FSCONFIG_SET_STRING || cmd == FSCONFIG_SET_PATH || cmd == FSCONFIG_SET_PATH_EMPTY) ? s->args[3] : 0;
	add_s64(s, s->ret);
	add_s64(s, (s32)s->args[0]);
	add_u32(s, cmd);
	add_user_text(s, (void *)s->args[2], TEXT_BYTES);
	add_user_bytes(s, (void *)bytes, bytes ? (u32)s->args[4] : 0, 0x7fff);
	add_user_text(s, (void *)text, TEXT_BYTES);
	add_u32(s, s->args[4]);
	record_submit(s, cfg);
	return 0;
}

/* Of the schema: quotactl_cmds, quotactl_quota_fmts, quotactl_dqi_flags. */
#define SCHEMA_Q_QUOTAON 0x1
#define SCHEMA_Q_GETFMT 0x4
#define SCHEMA_Q_GETINFO 0x8
#define SCHEMA_Q_SETINFO 0x10
#define SCHEMA_Q_GETQUOTA 0x20
#define SCHEMA_Q_SETQUOTA 0x40
#define SCHEMA_Q_XGETQUOTA 0x400
#define SCHEMA_Q_XSETQLIM 0x800
#define SCHEMA_QFMT_NOT_USED 1
#define SCHEMA_DQF_NONE 1
#define SCHEMA_DQF_RSQUASH 2

/* As user space passes them: struct if_dqblk, struct if_dqinfo. */
struct quota_block { u64 bhard, bsoft, space, ihard, isoft, inodes, btime, itime; u32 valid, pad; };
struct quota_info { u64 bgrace, igrace; u32 flags, valid; };
#define QIF_BLIMITS 1
#define QIF_SPACE 2
#define QIF_ILIMITS 4
#define QIF_BTIME 16
#define QIF_ITIME 32
#define IIF_BGRACE 1
#define IIF_IGRACE 2
#define IIF_FLAGS 4

/* Native formats are 1, 2 and 4; the schema has a bit each. */
static __always_inline u8 quota_format(u32 native)
{
	return native == 1 ? 2 : native == 2 ? 4 : native == 4 ? 8 : SCHEMA_QFMT_NOT_USED;
}
static __always_inline u32 quota_command(u32 native)
{
	u32 cmd = native >> 8, high = cmd >> 8;
	if (high != 0x8000 && high != 'X') return 0;
	return enum_to_schema(TABLE_QUOTACTL_COMMAND, (cmd & 255) | (high == 'X' ? 0x400 : 0));
}

SYSCALL_PROGRAM(sx_quotactl)
{
	RECORD(EV_QUOTACTL, 18);
	struct quota_block block = {};
	struct quota_info info = {};
	u32 native = s->args[0], id = s->args[2], format = 0;
	u32 cmd = quota_command(native), type = native & 255;
	void *at = (void *)s->args[3];
	if (cmd == SCHEMA_Q_GETQUOTA || cmd == SCHEMA_Q_SETQUOTA) bpf_probe_read_user(&block, 68, at);
	if (cmd == SCHEMA_Q_GETINFO || cmd == SCHEMA_Q_SETINFO) bpf_probe_read_user(&info, 24, at);
	if (cmd == SCHEMA_Q_GETFMT) bpf_probe_read_user(&format, 4, at);
	u32 has = block.valid;
	add_s64(s, s->ret);
	add_user_text(s, (void *)s->args[1], TEXT_BYTES);
	add_user_text(s, cmd == SCHEMA_Q_QUOTAON ? at : 0, TEXT_BYTES);
	add_u64(s, has & QIF_BLIMITS ? block.bhard : 0);
	add_u64(s, has & QIF_BLIMITS ? block.bsoft : 0);
	add_u64(s, has & QIF_SPACE ? block.space : 0);
	add_u64(s, has & QIF_ILIMITS ? block.ihard : 0);
	add_u64(s, has & QIF_ILIMITS ? block.isoft : 0);
	add_u64(s, has & QIF_BTIME ? block.btime : 0);
	add_u64(s, has & QIF_ITIME ? block.itime : 0);
	add_u64(s, info.valid & IIF_BGRACE ? info.bgrace : 0);
	add_u64(s, info.valid & IIF_IGRACE ? info.igrace : 0);
	add_u8(s, info.valid & IIF_FLAGS ? (info.flags & 1 ? SCHEMA_DQF_RSQUASH : SCHEMA_DQF_NONE) : 0);
	add_u8(s, quota_format(format));
	add_u16(s, cmd);
	add_u8(s, type == 0 ? 1 : type == 1 ? 2 : 0);
	int has_id = cmd == SCHEMA_Q_GETQUOTA || cmd == SCHEMA_Q_SETQUOTA || cmd == SCHEMA_Q_XGETQUOTA || cmd == SCHEMA_Q_XSETQLIM;
	add_u32(s, has_id ? id : 0);
	add_u8(s, cmd == SCHEMA_Q_QUOTAON ? quota_format(id) : SCHEMA_QFMT_NOT_USED);
	record_submit(s, cfg);
	return 0;
}

/* Types of the schema's sockopt_dynamic_param. */
#define SOCKOPT_BYTES 0
#define SOCKOPT_ERRNO 1
#define SOCKOPT_U32 2
#define SOCKOPT_U64 3
#define SOCKOPT_TIME 4

#define SOL_SOCKET 1
#define SO_ERROR 4
#define SO_RCVTIMEO_OLD 20
#define SO_SNDTIMEO_OLD 21
#define SO_COOKIE 57
#define SO_RCVTIMEO_NEW 66
#define SO_SNDTIMEO_NEW 67
/* Options below 64 that are no number: linger, credentials, filters, names, and what has a type of its own above. */
#define SO_NOT_A_NUMBER (1ULL << 0 | 1ULL << 13 | 1ULL << 17 | 1ULL << 26 | 1ULL << 28 | ~0ULL << 50)

/* The value of a socket option, by its name. */
static __always_inline void add_sockopt(struct scratch *s, u32 level, u32 name, u64 at, u32 len)
{
	u64 v[2] = {};
	if (level != SOL_SOCKET) {
		add_dyn_bytes(s, SOCKOPT_BYTES, at, len);
		return;
	}
	switch (name) {
	case SO_ERROR: {
		s32 error = 0;
		bpf_probe_read_user(&error, 4, (void *)at);
		add_dyn(s, SOCKOPT_ERRNO, (u64)-(s64)error, 8);
		return;
	}
	case SO_RCVTIMEO_OLD:
	case SO_SNDTIMEO_OLD:
	case SO_RCVTIMEO_NEW:
	case SO_SNDTIMEO_NEW:
		if (s->is_compat && name <= SO_SNDTIMEO_OLD) {
			u32 v32[2] = {};
			bpf_probe_read_user(v32, 8, (void *)at);
			v[0] = v32[0];
			v[1] = v32[1];
		} else {
			bpf_probe_read_user(v, 16, (void *)at);
		}
		add_dyn(s, SOCKOPT_TIME, v[0] * 1000000000ULL + v[1] * 1000, 8);
		return;
	case SO_COOKIE:
		bpf_probe_read_user(v, 8, (void *)at);
		add_dyn(s, SOCKOPT_U64, v[0], 8);
		return;
	}
	if (name < 64 && !(SO_NOT_A_NUMBER >> name & 1)) {
		u32 n = 0;
		bpf_probe_read_user(&n, 4, (void *)at);
		add_dyn(s, SOCKOPT_U32, n, 4);
		return;
	}
	add_dyn_bytes(s, SOCKOPT_BYTES, at, len);
}

static __always_inline int socket_option(struct scratch *s, u16 type, u32 len)
{
	RECORD_IN(s, type, 6);
	u32 level = s->args[1], name = s->args[2];
	add_s64(s, s->ret);
	add_s64(s, (s32)s->args[0]);
	add_u8(s, enum_to_schema(TABLE_SOCKOPT_LEVEL, level));
	add_u8(s, level == SOL_SOCKET ? enum_to_schema(TABLE_SOCKOPT_OPTION, name) : 0);
	add_sockopt(s, level, name, s->args[3], len);
	add_u32(s, len);
	record_submit(s, cfg);
	return 0;
}

SYSCALL_PROGRAM(sx_setsockopt)
{
	struct scratch *s = scratch_of();
	return s ? socket_option(s, EV_SETSOCKOPT, s->args[4]) : 0;
}

/* Value and length are what the kernel wrote, or what the process passed if it failed. */
SYSCALL_PROGRAM(sx_getsockopt)
{
	struct scratch *s = scratch_of();
	if (!s) return 0;
	u32 len = 0;
	bpf_probe_read_user(&len, 4, (void *)s->args[4]);
	return socket_option(s, EV_GETSOCKOPT, len);
}

/* Types of the schema's ptrace_dynamic_param, and its requests. */
#define PTRACE_U64 0
#define PTRACE_SIGNAL 1
#define SCHEMA_PTRACE_PEEKTEXT 2
#define SCHEMA_PTRACE_PEEKUSR 4
#define SCHEMA_PTRACE_CONT 8
#define SCHEMA_PTRACE_SINGLESTEP 10
#define SCHEMA_PTRACE_DETACH 12
#define SCHEMA_PTRACE_SYSCALL 13

SYSCALL_PROGRAM(sx_ptrace)
{
	RECORD(EV_PTRACE, 5);
	u32 request = enum_to_schema(TABLE_PTRACE_REQUEST, s->args[0]);
	add_s64(s, s->ret);
	add_dyn(s, PTRACE_U64, s->ret < 0 ? 0 : s->args[2], 8);
	if (s->ret < 0) {
		add_dyn(s, PTRACE_U64, 0, 8);
	} else if (request >= SCHEMA_PTRACE_PEEKTEXT && request <= SCHEMA_PTRACE_PEEKUSR) {
		u64 word = 0;
		bpf_probe_read_user(&word, s->is_compat ? 4 : 8, (void *)s->args[3]);
		add_dyn(s, PTRACE_U64, word, 8);
	} else if (request == SCHEMA_PTRACE_CONT || request == SCHEMA_PTRACE_SINGLESTEP || request == SCHEMA_PTRACE_DETACH || request == SCHEMA_PTRACE_SYSCALL) {
		add_dyn(s, PTRACE_SIGNAL, s->args[3], 1);
	} else {
		add_dyn(s, PTRACE_U64, s->args[3], 8);
	}
	add_u16(s, request);
	add_s64(s, (s32)s->args[1]);
	record_submit(s, cfg);
	return 0;
}

#define PR_SET_NAME 15
#define PR_GET_NAME 16
#define PR_GET_CHILD_SUBREAPER 37

SYSCALL_PROGRAM(sx_prctl)
{
	RECORD(EV_PRCTL, 4);
	u32 option = s->args[0];
	u64 arg = s->args[1];
	int is_name = option == PR_SET_NAME || option == PR_GET_NAME;
	if (is_name) {
		add_s64(s, s->ret);
		add_u32(s, option);
		add_user_text(s, (void *)arg, TEXT_BYTES);
		add_s64(s, 0);
		record_submit(s, cfg);
		return 0;
	}
	if (option == PR_GET_CHILD_SUBREAPER) {
		s32 v = 0;
		bpf_probe_read_user(&v, 4, (void *)arg);
		arg = (s64)v;
	}
	add_s64(s, s->ret);
	add_u32(s, option);
	add_empty(s);
	add_s64(s, arg);
	record_submit(s, cfg);
	return 0;
}

static __always_inline int process_vm(struct scratch *s, u16 type)
{
	RECORD_IN(s, type, 3);
	add_s64(s, s->ret);
	add_s64(s, (s32)s->args[0]);
	if (s->ret > 0) add_iovec_data(s, s->args[1], s->args[2], s->ret);
	else add_empty(s);
	record_submit(s, cfg);
	return 0;
}
SYSCALL_PROGRAM(sx_process_vm_readv)
{
	struct scratch *s = scratch_of();
	return s ? process_vm(s, EV_PROCESS_VM_READV) : 0;
}
SYSCALL_PROGRAM(sx_process_vm_writev)
{
	struct scratch *s = scratch_of();
	return s ? process_vm(s, EV_PROCESS_VM_WRITEV) : 0;
}

/* The capabilities the thread has after the call. */
SYSCALL_PROGRAM(sx_capset)
{
	RECORD(EV_CAPSET, 4);
	struct task_struct *task = current_task();
	add_s64(s, s->ret);
	add_u64(s, CAPABILITIES(task, cap_inheritable));
	add_u64(s, CAPABILITIES(task, cap_permitted));
	add_u64(s, CAPABILITIES(task, cap_effective));
	record_submit(s, cfg);
	return 0;
}

struct sem_operation { u16 num, op, flags; };

SYSCALL_PROGRAM(sx_semop)
{
	RECORD(EV_SEMOP, 9);
	u32 count = s->args[2];
	struct sem_operation ops[2] = {};
	if (!s->ret && count) bpf_probe_read_user(ops, count == 1 ? 6 : 12, (void *)s->args[1]);
	add_s64(s, s->ret);
	add_u32(s, count);
	add_u16(s, ops[0].num);
	add_u16(s, ops[0].op);
	add_u16(s, native_to_schema(TABLE_SEMOP_FLAGS, ops[0].flags));
	add_u16(s, ops[1].num);
	add_u16(s, ops[1].op);
	add_u16(s, native_to_schema(TABLE_SEMOP_FLAGS, ops[1].flags));
	add_u32(s, s->args[0]);
	record_submit(s, cfg);
	return 0;
}

/*
 * What the arguments 2 to 5 of each operation of keyctl are, 2 bits each from the lowest on: 0 none (0 is told), 1 a number,
 * 2 a text.
 */
#define KEYCTL_ARGS(a, b, c, d) ((a) | (b) << 2 | (c) << 4 | (d) << 6)
#define KEYCTL_NUMBER 1
#define KEYCTL_TEXT 2

static __always_inline u32 keyctl_args(u32 operation)
{
	switch (operation) {
	case 1: return KEYCTL_ARGS(2, 0, 0, 0);                                           /* JOIN_SESSION_KEYRING */
	case 3: case 7: case 14: case 16: case 21: return KEYCTL_ARGS(1, 0, 0, 0);        /* REVOKE CLEAR SET_REQKEY_KEYRING ASSUME_AUTHORITY INVALIDATE */
	case 0: case 5: case 8: case 9: case 15: case 22: case 31: return KEYCTL_ARGS(1, 1, 0, 0); /* GET_KEYRING_ID SETPERM LINK UNLINK SET_TIMEOUT GET_PERSISTENT CAPABILITIES */
	case 2: case 4: case 6: case 11: case 13: case 17: case 32: return KEYCTL_ARGS(1, 1, 1, 0); /* UPDATE CHOWN DESCRIBE READ NEGATE GET_SECURITY WATCH_KEY */
	case 29: return KEYCTL_ARGS(1, 2, 2, 0);                                          /* RESTRICT_KEYRING */
	case 24: return KEYCTL_ARGS(1, 1, 2, 0);                                          /* PKEY_QUERY */
	case 10: return KEYCTL_ARGS(1, 2, 2, 1);                                          /* SEARCH */
	case 12: case 19: case 20: case 23: case 30: return KEYCTL_ARGS(1, 1, 1, 1);      /* INSTANTIATE REJECT INSTANTIATE_IOV DH_COMPUTE MOVE */
	case 25: case 26: case 27: case 28: return KEYCTL_ARGS(1, 2, 1, 1);               /* PKEY_ENCRYPT DECRYPT SIGN VERIFY */
	default: return 0;                                                                /* SESSION_TO_PARENT and unknown ones */
	}
}

__noinline int add_keyctl_arg(struct scratch *s, u32 index, u32 kind)
{
	if (!s) return 0;
	u64 v = s->args[index & 7];
	if (kind == KEYCTL_TEXT) add_dyn_text(s, 1, v);
	else add_dyn(s, 0, kind == KEYCTL_NUMBER ? v : 0, 8);
	return 0;
}

SYSCALL_PROGRAM(sx_keyctl)
{
	RECORD(EV_KEYCTL, 6);
	u32 operation = s->args[0];
	u32 kinds = keyctl_args(operation);
	add_s64(s, s->ret);
	add_u32(s, operation);
	for (u32 i = 1; i <= 4; i++) add_keyctl_arg(s, i, kinds >> (2 * (i - 1)) & 3);
	record_submit(s, cfg);
	return 0;
}
