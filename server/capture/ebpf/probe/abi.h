/*
 * What the probe and its loader share: maps and their layout. probe-abi.ts mirrors this page; a test compares the sizes.
 *
 * A ring holds: struct ring_prefix (8 bytes), then a scap v2 event record exactly as a capture file holds it. The length in the record's
 * header counts; a ring entry may be longer (reserved in fixed sizes).
 */
#pragma once

#include "kernel.h"

#define SYSCALLS_MAX 512
#define OPS_MAX 16
#define CPUS_MAX 512
#define RINGS_MAX 512
#define FLAG_TABLES_MAX 64
#define PROGRAMS_MAX 64
#define EVENT_TYPES_MAX 512
#define COMMS_MAX 16
#define CGROUPS_MAX 16
#define SELF_MAX 4

struct ring_prefix { u32 cpu; u32 reserved; };

/* Interest in one system call, a bit each. */
#define WANT_SUCCESS 1 /* results >= 0 */
#define WANT_FAILURE 2 /* results < 0 */
#define WANT_PAYLOAD 4 /* I/O buffers up to the snaplen; without it the parameter is empty */

/* Interest in what is no system call (config.events), and the index of its program. */
#define EVENT_FORK 0    /* child side of clone, fork, vfork, clone3 */
#define EVENT_EXEC 1    /* successful execve, execveat */
#define EVENT_EXIT 2    /* procexit */
#define EVENT_SIGNAL 3
#define EVENT_PAGE_FAULT 4
#define EVENT_SWITCH 5

struct config {
	u64 boot_epoch_ns;          /* add to CLOCK_BOOTTIME for nanoseconds since the epoch */
	u32 enabled;                /* 0: nothing is emitted */
	u32 ring_count;             /* ring of a cpu: cpu % ring_count */
	u32 snaplen;                /* I/O payload bytes, at most 65,000 */
	u32 args_bytes_max;         /* argv (and env) bytes of a process, at most 32,767 */
	u32 self_count;             /* how many of self_tgids count */
	u32 self_tgids[SELF_MAX];   /* never captured */
	u32 suppressed_count;       /* 0: the map `suppressed` is not asked */
	u32 comm_count;             /* processes that execute under these names become suppressed */
	u32 cgroup_count;           /* suppressed cgroups (v2 ids and their levels) */
	u32 wants_env;              /* 1: collect environment variables of executed programs */
	u32 self_tree;              /* 1: children of self_tgids are not captured either */
	char comms[COMMS_MAX][16];
	struct { u64 id; u32 level; u32 reserved; } cgroups[CGROUPS_MAX];
	u32 page_kb;                /* KiB of a page of memory */
	u32 reserved;
	u8 events[16];              /* by EVENT_*: 0 or 1 */
	u8 syscalls[SYSCALLS_MAX];  /* by native number: WANT_* */
};

/* Per cpu; a line of its own each. */
struct counters {
	u64 generated;     /* records built, whether or not a ring had room */
	u64 dropped;       /* no room in the ring */
	u64 suppressed;    /* of interest, but of a suppressed process, name or cgroup */
	u64 unread;        /* user memory that could not be read (not resident): the parameter is empty */
	u64 truncated;     /* parameters cut to a limit */
	u64 failed;        /* records given up: scratch or table missing, a bug when not 0 */
	u64 reserved[10];
};

/* One parameter of a system call's event: see OP_* in ops.h. */
struct op { u8 kind; u8 arg; u8 table; u8 extra; };
struct syscall_row {
	u16 event_type;    /* PPME_*_X; 0: not captured */
	u16 syscall_id;    /* the schema's own number of the call (PPM_SC_*), for the generic event */
	u8 program;        /* index in `programs` of the program that writes the event; 0: the table does */
	u8 op_count;
	u8 param_count;    /* parameters of the record; some operations write several */
	u8 reserved;
	struct op ops[OPS_MAX];
};

#define SCRATCH_BYTES 65536
/* Building place of one record; one per cpu (programs of tracepoints are not preempted). */
struct scratch {
	u64 args[8];       /* 6, and room for a mask */
	s64 ret;
	u32 nr;            /* native system call number */
	u32 interest;      /* WANT_* of it */
	u32 pos;           /* where the next value goes, in data */
	u32 lpos;          /* where its length goes, in data */
	u32 cpu;
	u32 is_compat;     /* 32-bit call on x86_64 */
	u32 path_at;       /* start of the last path, in path */
	u32 reserved;
	u64 work[8];       /* between subprograms; [0] is the task that process.h describes */
	u8 data[2 * SCRATCH_BYTES];
	u8 path[8192];     /* paths are built from the end backwards */
};

struct inner_ring { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); };
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, RINGS_MAX);
	__type(key, u32);
	__type(value, u32);
	__array(values, struct inner_ring);
} rings SEC(".maps");

#define ARRAY_MAP(name, count, T, flags) \
	struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, count); __uint(map_flags, flags); __type(key, u32); __type(value, T); } name SEC(".maps")

ARRAY_MAP(config, 1, struct config, BPF_F_MMAPABLE);
ARRAY_MAP(counters, CPUS_MAX, struct counters, BPF_F_MMAPABLE);
/* Records without room in a ring, by event type. */
ARRAY_MAP(drops, EVENT_TYPES_MAX, u64, BPF_F_MMAPABLE);
/* Not 0: the reader sleeps and wants a wake-up with the next record. */
ARRAY_MAP(wake, 1, u64, BPF_F_MMAPABLE);
ARRAY_MAP(syscalls, SYSCALLS_MAX, struct syscall_row, 0);
/* 32-bit x86 call numbers to those of 64 bits; 0xffff: none. */
ARRAY_MAP(compat, SYSCALLS_MAX, u16, 0);
/* Native flag words to the schema's: the OR of one entry per byte. 64 tables of 4 x 256. */
struct flag_table { u32 byte[4][256]; };
ARRAY_MAP(flag_tables, FLAG_TABLES_MAX, struct flag_table, 0);
ARRAY_MAP(scratches, CPUS_MAX, struct scratch, 0);

/* tgid -> SUPPRESSED_* (suppress.h). Grows at fork, shrinks when the process ends. */
struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 8192); __type(key, u32); __type(value, u32); } suppressed SEC(".maps");
/* Filled by the loader: index = syscall_row.program. */
struct { __uint(type, BPF_MAP_TYPE_PROG_ARRAY); __uint(max_entries, PROGRAMS_MAX); __type(key, u32); __type(value, u32); } programs SEC(".maps");
