/*
 * What the process events share: clone, fork, vfork, clone3, execve and execveat describe a whole process with every event. The
 * subprograms take the task from scratch.work[0]: the verifier refuses to hand a task to a global subprogram.
 */
#pragma once
#include "record.h"
#include "task.h"
#include "path.h"
#include "cgroup.h"

#define RLIMIT_NOFILE 7
#define EXE_BYTES_MAX 4096
/* Where args and env have to end, so that what follows them always has room in a record. */
#define TEXTS_END 56000
#define USER_PAGE 4096
#define ARGV_MAX 512

/* Of clone_flags (PPM_CL_*). */
#define CL_FILES 1
#define CL_SIGHAND (1 << 11)
#define CL_THREAD (1 << 13)
#define CL_VM (1 << 15)
#define CL_CHILD_IN_PIDNS (1 << 29)

/* Of execve_flags. */
#define EXE_WRITABLE 1
#define EXE_UPPER_LAYER 2
#define EXE_FROM_MEMFD 4
#define EXE_LOWER_LAYER 8

#define OVERLAYFS_MAGIC 0x794c7630
#define SB_RDONLY 1
#define S_IMMUTABLE 8
#define S_WRITE 2
#define CAP_DAC_OVERRIDE 1
#define CAP_FOWNER 3
#define CAPABILITIES_ALL ((1ULL << 41) - 1)

static __always_inline struct task_struct *task_of(struct scratch *s) { return (struct task_struct *)s->work[0]; }

/*
 * Bytes [from, end) of the process as one parameter, at most `max`. Page by page: one page that is not in memory must not cost the
 * whole text.
 */
__noinline int add_user_range(struct scratch *s, u64 from, u64 end, u32 max)
{
	if (!s) return 0;
	volatile u32 *pos = &s->pos;
	u32 start = *pos;
	u64 left = end > from ? end - from : 0;
	if (start >= TEXTS_END) max = 0;
	else if (max > TEXTS_END - start) max = TEXTS_END - start;
	if (left > max) {
		left = max;
		COUNT(truncated);
	}
	for (int i = 0; i < 9; i++) {
		if (!left) break;
		u64 n = USER_PAGE - (from & (USER_PAGE - 1));
		if (n > left) n = left;
		asm volatile("%0 &= 0x1fff" : "+r"(n));
		if (bpf_probe_read_user(&s->data[P(*pos)], n, (void *)from)) {
			COUNT(unread);
			break;
		}
		*pos += n;
		from += n;
		left -= n;
	}
	u32 n = *pos - start;
	*pos = start;
	value_end(s, n);
	return 0;
}

static __always_inline u32 args_max(void)
{
	struct config *cfg = config_of();
	u32 max = cfg ? cfg->args_bytes_max : 0;
	return max > 0x7fff ? 0x7fff : max;
}

/* Two parameters: exe (argv[0]) and args, as they lie in the task's memory. */
__noinline int add_command(struct scratch *s)
{
	if (!s) return 0;
	struct task_struct *task = task_of(s);
	u64 from = BPF_CORE_READ(task, mm, arg_start), end = BPF_CORE_READ(task, mm, arg_end);
	u32 start = s->pos;
	add_user_text(s, (void *)from, EXE_BYTES_MAX);
	u32 exe_bytes = s->pos - start;
	u32 max = args_max();
	add_user_range(s, from + exe_bytes, end, max > exe_bytes ? max - exe_bytes : 0);
	return 0;
}

/* Appends a text of the calling process up to the position in scratch.work[1]. Not 0: there is no more to come. */
__noinline int append_user_text(struct scratch *s, u64 from)
{
	if (!s) return 1;
	u32 now = s->pos, end = s->work[1];
	u64 room = end > now ? end - now : 0;
	asm volatile("%0 &= 0x7fff" : "+r"(room));
	if (!room) {
		COUNT(truncated);
		return 1;
	}
	long n = bpf_probe_read_user_str(&s->data[P(now)], room, (void *)from);
	if (n < 0) {
		COUNT(unread);
		return 1;
	}
	s->pos = now + n;
	return 0;
}

/* Texts of a NULL terminated array of the calling process as one parameter; `first` are left out. */
__noinline int add_user_array(struct scratch *s, u64 array, u32 first, u32 max)
{
	if (!s) return 0;
	u32 start = s->pos, size = s->is_compat ? 4 : 8, end = start + max;
	s->work[1] = end > TEXTS_END ? TEXTS_END : end;
	array += first * size;
	for (int i = 0; i < ARGV_MAX; i++) {
		u64 at = 0;
		bpf_probe_read_user(&at, size, (void *)array);
		if (!at || append_user_text(s, at)) break;
		array += size;
	}
	u32 n = s->pos - start;
	s->pos = start;
	value_end(s, n);
	return 0;
}

/* One parameter: the first text of an array of the calling process. */
__noinline int add_user_first(struct scratch *s, u64 array)
{
	if (!s) return 0;
	u64 at = 0;
	bpf_probe_read_user(&at, s->is_compat ? 4 : 8, (void *)array);
	add_user_text(s, (void *)at, EXE_BYTES_MAX);
	return 0;
}

/* Eleven parameters: tid, pid, ptid, cwd (empty, the reader knows it), fdlimit, page faults, memory, comm. */
__noinline int add_task(struct scratch *s)
{
	if (!s) return 0;
	struct task_struct *task = task_of(s);
	add_s64(s, BPF_CORE_READ(task, pid));
	add_s64(s, BPF_CORE_READ(task, tgid));
	add_s64(s, BPF_CORE_READ(task, real_parent, pid));
	add_empty(s);
	add_u64(s, BPF_CORE_READ(task, signal, rlim[RLIMIT_NOFILE].rlim_cur));
	add_u64(s, BPF_CORE_READ(task, maj_flt));
	add_u64(s, BPF_CORE_READ(task, min_flt));
	add_vm(s, task);
	char comm[16] = {};
	bpf_probe_read_kernel(comm, sizeof(comm), (void *)task + bpf_core_field_offset(struct task_struct, comm));
	add_kernel_text(s, comm, sizeof(comm));
	return 0;
}

/* The number of a pid at a level of namespaces. */
static __always_inline s64 pid_at(struct pid *pid, u32 level)
{
	int nr = 0;
	if (!pid) return 0;
	void *upid = (void *)pid + bpf_core_field_offset(struct pid, numbers) + (level & 63) * bpf_core_type_size(struct upid);
	bpf_probe_read_kernel(&nr, sizeof(nr), upid + bpf_core_field_offset(struct upid, nr));
	return nr;
}

/* As the process itself sees it. */
static __always_inline s64 pid_inside(struct pid *pid) { return pid_at(pid, BPF_CORE_READ(pid, level)); }

static __always_inline struct pid_namespace *pid_namespace_of(struct pid *pid)
{
	struct pid_namespace *ns = 0;
	u32 level = BPF_CORE_READ(pid, level);
	if (!pid) return 0;
	void *upid = (void *)pid + bpf_core_field_offset(struct pid, numbers) + (level & 63) * bpf_core_type_size(struct upid);
	bpf_probe_read_kernel(&ns, sizeof(ns), upid + bpf_core_field_offset(struct upid, ns));
	return ns;
}

/* The last six parameters of clone and the like: flags, uid, gid, vtid, vpid, start of the pid namespace (children only). */
__noinline int add_clone_tail(struct scratch *s, u32 flags, u32 is_child)
{
	if (!s) return 0;
	struct task_struct *task = task_of(s);
	struct pid *tid = BPF_CORE_READ(task, thread_pid), *pid = BPF_CORE_READ(task, signal, pids[PIDTYPE_TGID]);
	struct pid_namespace *ns = pid_namespace_of(tid);
	if (BPF_CORE_READ(ns, level)) flags |= CL_CHILD_IN_PIDNS;
	else if (!is_child && BPF_CORE_READ(task, nsproxy, pid_ns_for_children) != ns) flags |= CL_CHILD_IN_PIDNS;
	add_u32(s, flags);
	add_u32(s, BPF_CORE_READ(task, cred, euid.val));
	add_u32(s, BPF_CORE_READ(task, cred, egid.val));
	add_s64(s, pid_inside(tid));
	add_s64(s, pid_inside(pid));
	add_u64(s, is_child ? BPF_CORE_READ(pid_namespace_of(pid), child_reaper, start_time) : 0);
	return 0;
}

static __always_inline u32 tty_of(struct task_struct *task)
{
	struct tty_struct *tty = BPF_CORE_READ(task, signal, tty);
	if (!tty) return 0;
	struct tty_driver *driver = BPF_CORE_READ(tty, driver);
	if (!driver) return 0;
	return user_dev((BPF_CORE_READ(driver, major) << 20 | BPF_CORE_READ(driver, minor_start)) + BPF_CORE_READ(tty, index));
}

static __always_inline int is_in_group(struct task_struct *task, u32 gid)
{
	struct group_info *groups = BPF_CORE_READ(task, cred, group_info);
	u32 left = 0, right = BPF_CORE_READ(groups, ngroups);
	/* Sorted, at most 65,536. */
	for (int i = 0; i < 17; i++) {
		if (left >= right) break;
		u32 mid = (left + right) / 2, one = 0;
		bpf_probe_read_kernel(&one, 4, (void *)groups + bpf_core_field_offset(struct group_info, gid) + mid * 4ULL);
		if (one == gid) return 1;
		if (gid > one) left = mid + 1;
		else right = mid;
	}
	return 0;
}

/* Has a number inside the user namespace. */
static __always_inline int is_mapped(void *map, u32 id)
{
	u32 count = BPF_CORE_READ((struct uid_gid_map *)map, nr_extents);
	for (int i = 0; i < 5; i++) {
		if (i >= count) break;
		void *extent = map + bpf_core_field_offset(struct uid_gid_map, extent) + i * bpf_core_type_size(struct uid_gid_extent);
		u32 first = BPF_CORE_READ((struct uid_gid_extent *)extent, lower_first);
		if (id >= first && id - first < BPF_CORE_READ((struct uid_gid_extent *)extent, count)) return 1;
	}
	/* More than five are kept elsewhere: rare enough to take them as mapped. */
	return count > 5;
}

#define CAPABILITIES(task, which) ({ \
	u64 caps_; \
	if (bpf_core_field_exists(((struct kernel_cap_struct___pre63 *)0)->cap)) { \
		struct kernel_cap_struct___pre63 old_ = {}; \
		bpf_probe_read_kernel(&old_, 8, (void *)BPF_CORE_READ(task, cred) + bpf_core_field_offset(struct cred, which)); \
		caps_ = (u64)old_.cap[1] << 32 | old_.cap[0]; \
	} else { \
		caps_ = 0; \
		bpf_probe_read_kernel(&caps_, 8, (void *)BPF_CORE_READ(task, cred) + bpf_core_field_offset(struct cred, which)); \
	} \
	/* The schema numbers them like the kernel. */ \
	caps_ & CAPABILITIES_ALL; \
})

/* The task could write its own executable: by owner, mode, group or capability; ACLs and security modules are not asked. */
__noinline int is_exe_writable(u64 of_task, u64 of_inode)
{
	struct task_struct *task = (void *)of_task;
	struct inode *inode = (void *)of_inode;
	u32 mode = BPF_CORE_READ(inode, i_mode);
	u32 type = mode & 0170000;
	if ((BPF_CORE_READ(inode, i_sb, s_flags) & SB_RDONLY) && (type == 0100000 || type == 0040000 || type == 0120000)) return 0;
	if (BPF_CORE_READ(inode, i_flags) & S_IMMUTABLE) return 0;
	u32 uid = BPF_CORE_READ(inode, i_uid.val), gid = BPF_CORE_READ(inode, i_gid.val);
	if (uid == (u32)-1 || gid == (u32)-1) return 0;
	if (uid == BPF_CORE_READ(task, cred, fsuid.val)) return 1;
	if (gid == BPF_CORE_READ(task, cred, fsgid.val) || is_in_group(task, gid)) mode >>= 3;
	if (mode & S_WRITE) return 1;
	struct user_namespace *ns = BPF_CORE_READ(task, cred, user_ns);
	if (!ns || !is_mapped((void *)ns + bpf_core_field_offset(struct user_namespace, uid_map), uid)) return 0;
	u64 caps = CAPABILITIES(task, cap_effective);
	if (caps & 1 << CAP_FOWNER) return 1;
	return (caps & 1 << CAP_DAC_OVERRIDE) && is_mapped((void *)ns + bpf_core_field_offset(struct user_namespace, gid_map), gid);
}

/* Upper or lower layer of an overlay; the layer's own dentry lies right behind the inode. */
static __always_inline u32 overlay_layer(struct dentry *dentry)
{
	if (BPF_CORE_READ(dentry, d_sb, s_magic) != OVERLAYFS_MAGIC) return 0;
	struct dentry *upper = 0;
	bpf_probe_read_kernel(&upper, sizeof(upper), (void *)BPF_CORE_READ(dentry, d_inode) + bpf_core_type_size(struct inode));
	return upper && BPF_CORE_READ(upper, d_inode, i_ino) ? EXE_UPPER_LAYER : EXE_LOWER_LAYER;
}

/* An anonymous file of memfd_create: no place in a file system, and a name that says so. */
static __always_inline int is_memfd(struct dentry *dentry)
{
	char name[8] = {};
	if (BPF_CORE_READ(dentry, d_parent) != dentry) return 0;
	bpf_probe_read_kernel(name, 6, BPF_CORE_READ(dentry, d_name.name));
	return name[0] == 'm' && name[1] == 'e' && name[2] == 'm' && name[3] == 'f' && name[4] == 'd' && name[5] == ':';
}

static __always_inline u64 epoch_ns(s64 sec, u64 nsec)
{
	/* Bit 31 is a mark of the kernel's own. */
	return sec < 0 ? 0 : sec * 1000000000ULL + (nsec & 0x7fffffff);
}

/* Two parameters: change and modification time of an inode, whose members have moved three times. */
static __always_inline void add_inode_times(struct scratch *s, struct inode *inode)
{
	struct inode___v66 *v66 = (void *)inode;
	if (bpf_core_field_exists(inode->i_ctime_sec)) {
		add_u64(s, epoch_ns(BPF_CORE_READ(inode, i_ctime_sec), BPF_CORE_READ(inode, i_ctime_nsec)));
		add_u64(s, epoch_ns(BPF_CORE_READ(inode, i_mtime_sec), BPF_CORE_READ(inode, i_mtime_nsec)));
		return;
	}
	if (bpf_core_field_exists(v66->__i_ctime)) {
		add_u64(s, epoch_ns(BPF_CORE_READ(v66, __i_ctime.tv_sec), BPF_CORE_READ(v66, __i_ctime.tv_nsec)));
	} else {
		add_u64(s, epoch_ns(BPF_CORE_READ(inode, i_ctime.tv_sec), BPF_CORE_READ(inode, i_ctime.tv_nsec)));
	}
	if (bpf_core_field_exists(v66->__i_mtime)) {
		add_u64(s, epoch_ns(BPF_CORE_READ(v66, __i_mtime.tv_sec), BPF_CORE_READ(v66, __i_mtime.tv_nsec)));
	} else {
		add_u64(s, epoch_ns(BPF_CORE_READ(inode, i_mtime.tv_sec), BPF_CORE_READ(inode, i_mtime.tv_nsec)));
	}
}

/* Four parameters: tty, vpgid, loginuid, flags of the executable; and the three capability sets. */
__noinline int add_identity(struct scratch *s)
{
	if (!s) return 0;
	struct task_struct *task = task_of(s);
	struct file *exe = BPF_CORE_READ(task, mm, exe_file);
	struct dentry *dentry = BPF_CORE_READ(exe, f_path.dentry);
	add_u32(s, tty_of(task));
	add_s64(s, pid_inside(BPF_CORE_READ(task, signal, pids[PIDTYPE_PGID])));
	add_u32(s, bpf_core_field_exists(task->loginuid) ? BPF_CORE_READ(task, loginuid.val) : (u32)-1);
	u32 flags = overlay_layer(dentry);
	if (is_exe_writable((u64)task, (u64)BPF_CORE_READ(exe, f_inode))) flags |= EXE_WRITABLE;
	if (is_memfd(dentry)) flags |= EXE_FROM_MEMFD;
	add_u32(s, flags);
	add_u64(s, CAPABILITIES(task, cap_inheritable));
	add_u64(s, CAPABILITIES(task, cap_permitted));
	add_u64(s, CAPABILITIES(task, cap_effective));
	return 0;
}

/* Seven parameters: inode, its two times, uid, trusted path of the executable, pgid, gid. */
__noinline int add_executable(struct scratch *s)
{
	if (!s) return 0;
	struct task_struct *task = task_of(s);
	struct file *exe = BPF_CORE_READ(task, mm, exe_file);
	struct inode *inode = BPF_CORE_READ(exe, f_inode);
	add_u64(s, BPF_CORE_READ(inode, i_ino));
	add_inode_times(s, inode);
	add_u32(s, BPF_CORE_READ(task, cred, euid.val));
	add_path(s, (u64)BPF_CORE_READ(exe, f_path.dentry), (u64)BPF_CORE_READ(exe, f_path.mnt), 0);
	add_s64(s, pid_at(BPF_CORE_READ(task, signal, pids[PIDTYPE_PGID]), 0));
	add_u32(s, BPF_CORE_READ(task, cred, egid.val));
	return 0;
}
