/* Facts about tasks, files and paths that several families of events need. */
#pragma once

#include "record.h"

static __always_inline struct task_struct *current_task(void) { return (struct task_struct *)bpf_get_current_task(); }

#define TS_COMPAT 2          /* x86: thread_info.status */
#define TIF_32BIT (1 << 22)  /* arm64: thread_info.flags */
#define NR_NONE 0xffff
/* x86: the call through which older 32-bit programs make those of sockets; where those begin in `compat`. */
#define NR32_SOCKETCALL 102
#define COMPAT_SOCKETCALLS 480

/* The system call of `regs` by its 64-bit number, NR_NONE when it has none; *is_compat tells a 32-bit call. */
static __always_inline u32 native_nr(struct pt_regs *regs, u32 *is_compat)
{
	struct task_struct *task = bpf_get_current_task_btf();
	*is_compat = 0;
#if defined(__TARGET_ARCH_x86)
	u32 nr = (u32)regs->orig_ax;
	if (task->thread_info.status & TS_COMPAT) {
		if (nr == NR32_SOCKETCALL) nr = COMPAT_SOCKETCALLS + ((u32)regs->bx & 31);
		u16 *mapped = bpf_map_lookup_elem(&compat, &nr);
		*is_compat = 1;
		return mapped ? *mapped : NR_NONE;
	}
	return nr;
#else
	/* 32-bit programs on arm64 have numbers of their own, which nobody has written down here. */
	if (task->thread_info.flags & TIF_32BIT) return NR_NONE;
	return (u32)regs->syscallno;
#endif
}

static __always_inline u32 native_nr_of_current(void)
{
	u32 is_compat;
	struct pt_regs *regs = (void *)bpf_task_pt_regs(bpf_get_current_task_btf());
	return native_nr(regs, &is_compat);
}

/* A native flag word in the schema's bits. */
static __always_inline u32 native_to_schema(u32 table, u64 v)
{
	struct flag_table *t = bpf_map_lookup_elem(&flag_tables, &table);
	if (!t) return v;
	return t->byte[0][v & 255] | t->byte[1][(v >> 8) & 255] | t->byte[2][(v >> 16) & 255] | t->byte[3][(v >> 24) & 255];
}

/* The open file of an fd of the current process; 0 when there is none. */
static __always_inline struct file *file_of_fd(s64 fd)
{
	if (fd < 0) return 0;
	/* Plain loads, which cost less than reads through a helper. */
	struct files_struct *files = bpf_get_current_task_btf()->files;
	if (!files) return 0;
	struct fdtable *fdt = files->fdt;
	if (!fdt || fd >= fdt->max_fds) return 0;
	struct file **array = fdt->fd;
	struct file *file = 0;
	bpf_probe_read_kernel(&file, sizeof(file), &array[fd]);
	return file;
}

/* In the form user space sees: major and minor of the kernel's own 12:20 split. */
static __always_inline u32 user_dev(u32 dev)
{
	u32 major = dev >> 20, minor = dev & 0xfffff;
	return (minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12);
}

/* Device and inode of the file of an fd; zeros when the result was an error. */
static __always_inline void add_dev_ino(struct scratch *s, s64 fd)
{
	u32 dev = 0;
	u64 ino = 0;
	struct file *file = file_of_fd(fd);
	if (file) {
		struct inode *inode = BPF_CORE_READ(file, f_inode);
		dev = user_dev(BPF_CORE_READ(inode, i_sb, s_dev));
		ino = BPF_CORE_READ(inode, i_ino);
	}
	add_u32(s, dev);
	add_u64(s, ino);
}

/* A macro, as CO-RE accesses need a literal index. */
#define MM_COUNT(mm, which) ({ \
	s64 n_; \
	if (bpf_core_field_exists(((struct mm_struct___pre62 *)0)->rss_stat.count)) \
		n_ = BPF_CORE_READ((struct mm_struct___pre62 *)(mm), rss_stat.count[which].counter); \
	else \
		n_ = BPF_CORE_READ(mm, rss_stat[which].count); \
	n_ < 0 ? 0 : n_; \
})
/* Memory in KiB. */
struct vm { u32 size, rss, swap; };

static __always_inline void vm_of(struct vm *vm, struct task_struct *task)
{
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	struct config *cfg = config_of();
	*vm = (struct vm){};
	if (!mm || !cfg) return;
	u32 page_kb = cfg->page_kb;
	vm->size = BPF_CORE_READ(mm, total_vm) * page_kb;
	/* MM_FILEPAGES, MM_ANONPAGES, MM_SWAPENTS, MM_SHMEMPAGES */
	vm->rss = (MM_COUNT(mm, 0) + MM_COUNT(mm, 1) + MM_COUNT(mm, 3)) * page_kb;
	vm->swap = MM_COUNT(mm, 2) * page_kb;
}

/* Three parameters: vm_size, vm_rss, vm_swap in KiB. */
static __always_inline void add_vm(struct scratch *s, struct task_struct *task)
{
	struct vm vm;
	vm_of(&vm, task);
	add_u32(s, vm.size);
	add_u32(s, vm.rss);
	add_u32(s, vm.swap);
}

/* Bytes of payload in a record at most: a record has 65,535 for all its values (SNAPLEN_MAX of probe-abi.ts). */
#define PAYLOAD_MAX 65000

/* I/O payload: `n` bytes at `from`, cut to the snaplen; empty unless someone wants payloads. */
static __always_inline void add_payload(struct scratch *s, const void *from, s64 n)
{
	struct config *cfg = config_of();
	if (!cfg || !(s->interest & WANT_PAYLOAD) || n <= 0) {
		add_empty(s);
		return;
	}
	u64 size = cfg->snaplen > PAYLOAD_MAX ? PAYLOAD_MAX : cfg->snaplen;
	if (size > n) size = n;
	/* Keeps the bound in the register the verifier looks at. */
	asm volatile("%0 &= 0xffff" : "+r"(size));
	if (size && bpf_probe_read_user(&s->data[P(s->pos)], size, from)) {
		size = 0;
		COUNT(unread);
	}
	value_end(s, size);
}
