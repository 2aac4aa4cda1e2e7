/* Facts about tasks, files and paths that several families of events need. */
#pragma once

#include "record.h"

static __always_inline struct task_struct *current_task(void) { return (struct task_struct *)bpf_get_current_task(); }

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
	struct fdtable *fdt = BPF_CORE_READ(current_task(), files, fdt);
	if (fd >= BPF_CORE_READ(fdt, max_fds)) return 0;
	struct file **array = BPF_CORE_READ(fdt, fd);
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

#define PAGE_KB 4 /* arm64 with larger pages: set by the loader one day; see README */
/* A macro, as CO-RE accesses need a literal index. */
#define MM_COUNT(mm, which) ({ \
	s64 n_; \
	if (bpf_core_field_exists(((struct mm_struct___pre62 *)0)->rss_stat.count)) \
		n_ = BPF_CORE_READ((struct mm_struct___pre62 *)(mm), rss_stat.count[which].counter); \
	else \
		n_ = BPF_CORE_READ(mm, rss_stat[which].count); \
	n_ < 0 ? 0 : n_; \
})
/* Three parameters: vm_size, vm_rss, vm_swap in KiB. */
static __always_inline void add_vm(struct scratch *s, struct task_struct *task)
{
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	u64 size = 0, rss = 0, swap = 0;
	if (mm) {
		size = BPF_CORE_READ(mm, total_vm);
		/* MM_FILEPAGES, MM_ANONPAGES, MM_SWAPENTS, MM_SHMEMPAGES */
		rss = MM_COUNT(mm, 0) + MM_COUNT(mm, 1) + MM_COUNT(mm, 3);
		swap = MM_COUNT(mm, 2);
	}
	add_u32(s, size * PAGE_KB);
	add_u32(s, rss * PAGE_KB);
	add_u32(s, swap * PAGE_KB);
}

/* I/O payload: `n` bytes at `from`, cut to the snaplen; empty unless someone wants payloads. */
static __always_inline void add_payload(struct scratch *s, const void *from, s64 n)
{
	struct config *cfg = config_of();
	if (!cfg || !(s->interest & WANT_PAYLOAD) || n <= 0) {
		add_empty(s);
		return;
	}
	u32 max = cfg->snaplen;
	add_user_bytes(s, from, n, max > 0x7fff ? 0x7fff : max);
}
