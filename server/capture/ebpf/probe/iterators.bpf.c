/*
 * Iterators of the initial state: every task, every open file, argv and environment of every process. User space reads the records
 * below from the iterator's descriptor and decodes them in iterator-records.ts, which mirrors their layout.
 */
#include "kernel.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define RECORD_TASK 0x4b534154
#define RECORD_FILE 0x454c4946
#define RECORD_ARGS 0x53475241

#define PATH_BYTES 4096
#define ARGS_BYTES 4096
#define UNIX_PATH_BYTES 108

#define PF_KTHREAD 0x00200000
#define O_CLOEXEC 02000000
#define SB_RDONLY 1
#define S_IMMUTABLE 8
#define RLIMIT_NOFILE 7
#define OVERLAYFS_SUPER_MAGIC 0x794c7630
#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10

/* Facts of a task_record, a bit each. */
#define TASK_IS_DEAD 1        /* exited; its process may live on */
#define TASK_OWN_FILES 2      /* a thread that does not share its process's fds */
#define TASK_HAS_EXE 4
#define TASK_EXE_READ_ONLY 8  /* on a read-only file system, or immutable */
#define TASK_EXE_UPPER 16
#define TASK_EXE_LOWER 32

struct task_record {
	u32 kind, length;
	u32 exe_length, cwd_length, root_length;  /* the paths follow, each with its NUL */
	u32 facts;
	s32 tid, pid, ptid, vtid, vpid, pgid, vpgid, sid;
	u32 uid, gid, loginuid, tty, pidns_level, exe_mode, exe_uid, exe_gid;
	s32 thread_count, reserved;
	u64 read_ns, start_ns, pidns_start_ns;    /* since boot */
	u64 fdlimit;
	u64 size_pages, rss_pages, swap_pages;
	u64 major_faults, minor_faults;
	u64 cap_inheritable, cap_permitted, cap_effective;
	u64 exe_ino;
	s64 exe_ctime_sec, exe_mtime_sec;
	u32 exe_ctime_nsec, exe_mtime_nsec;
	u64 cgroup_key;                           /* same key, same memberships */
	char comm[16];
};

struct file_record {
	u32 kind, length;
	u32 name_length;                          /* the name follows, with its NUL */
	s32 tid, pid, fd;
	u32 flags, mode, dev, mount_id;
	u16 family, socket_type, protocol, state;
	u16 port, peer_port;
	u8 address[16], peer_address[16];
	u32 reserved;
	u64 ino, read_ns;
	u64 socket, peer_socket;
};

struct args_record {
	u32 kind, length;
	s32 pid;
	u32 args_length;                          /* the bytes follow */
};

/* Members the small types of the probe leave out. */
struct task_struct___more { int exit_state; } KERNEL;
struct signal_struct___more { int nr_threads; } KERNEL;
struct fdtable___more { unsigned long *close_on_exec; } KERNEL;
struct super_block___more { unsigned long s_flags, s_magic; } KERNEL;
struct inode___more { u32 i_flags; } KERNEL;
struct seq_file;
struct bpf_iter_meta { struct seq_file *seq; u64 session_id, seq_num; } KERNEL;
struct bpf_iter__task { struct bpf_iter_meta *meta; struct task_struct *task; };
struct bpf_iter__task_file { struct bpf_iter_meta *meta; struct task_struct *task; u32 fd; struct file *file; };

static struct task_record task;
static struct file_record file_entry;
static char exe[PATH_BYTES], cwd[PATH_BYTES], root[PATH_BYTES];
static struct args_record args;
static char arg_bytes[ARGS_BYTES];

static __always_inline int id_at(struct pid *pid, u32 level)
{
	struct upid id = {};
	bpf_probe_read_kernel(&id, sizeof(id), (void *)pid + bpf_core_field_offset(struct pid, numbers) + level * bpf_core_type_size(struct upid));
	return id.nr;
}

/* In the form user space sees. */
static __always_inline u32 user_dev(u32 major, u32 minor) { return (minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12); }

static __always_inline u64 capabilities(void *set)
{
	u64 value = 0;
	bpf_probe_read_kernel(&value, sizeof(value), set);
	return value;
}

static __always_inline void read_ids(struct task_struct *t)
{
	struct signal_struct *signal = t->signal;
	struct pid *own = BPF_CORE_READ(t, thread_pid);
	u32 level = BPF_CORE_READ(own, level);
	task.tid = t->pid;
	task.pid = t->tgid;
	task.ptid = BPF_CORE_READ(t, real_parent, tgid);
	task.pidns_level = level;
	task.vtid = id_at(own, level);
	task.vpid = id_at(BPF_CORE_READ(signal, pids[PIDTYPE_TGID]), level);
	struct pid *group = BPF_CORE_READ(signal, pids[PIDTYPE_PGID]);
	task.pgid = id_at(group, 0);
	/* A group led from outside the namespace has no number inside. */
	task.vpgid = BPF_CORE_READ(group, level) < level ? 0 : id_at(group, level);
	task.sid = id_at(BPF_CORE_READ(signal, pids[PIDTYPE_SID]), 0);
	struct upid innermost = {};
	bpf_probe_read_kernel(&innermost, sizeof(innermost), (void *)own + bpf_core_field_offset(struct pid, numbers) + level * bpf_core_type_size(struct upid));
	task.pidns_start_ns = BPF_CORE_READ(innermost.ns, child_reaper, start_boottime);
}

#define MM_PAGES(mm, which) ({ \
	s64 n_; \
	if (bpf_core_field_exists(((struct mm_struct___pre62 *)0)->rss_stat.count)) \
		n_ = BPF_CORE_READ((struct mm_struct___pre62 *)(mm), rss_stat.count[which].counter); \
	else \
		n_ = BPF_CORE_READ(mm, rss_stat[which].count); \
	n_ < 0 ? 0 : n_; \
})

static __always_inline void read_exe(struct inode *inode)
{
	task.facts |= TASK_HAS_EXE;
	task.exe_ino = BPF_CORE_READ(inode, i_ino);
	task.exe_mode = BPF_CORE_READ(inode, i_mode);
	task.exe_uid = BPF_CORE_READ(inode, i_uid.val);
	task.exe_gid = BPF_CORE_READ(inode, i_gid.val);
	if (bpf_core_field_exists(((struct inode *)0)->i_ctime_sec)) {
		task.exe_ctime_sec = BPF_CORE_READ(inode, i_ctime_sec);
		/* The top bit says that someone asked for the time. */
		task.exe_ctime_nsec = BPF_CORE_READ(inode, i_ctime_nsec) & 0x7fffffff;
		task.exe_mtime_sec = BPF_CORE_READ(inode, i_mtime_sec);
		task.exe_mtime_nsec = BPF_CORE_READ(inode, i_mtime_nsec);
	} else {
		struct timespec64 c = {}, m = {};
		if (bpf_core_field_exists(((struct inode *)0)->__i_ctime)) c = BPF_CORE_READ(inode, __i_ctime);
		else c = BPF_CORE_READ(inode, i_ctime);
		if (bpf_core_field_exists(((struct inode___v66 *)0)->__i_mtime)) m = BPF_CORE_READ((struct inode___v66 *)inode, __i_mtime);
		else m = BPF_CORE_READ(inode, i_mtime);
		task.exe_ctime_sec = c.tv_sec;
		task.exe_ctime_nsec = c.tv_nsec & 0x7fffffff;
		task.exe_mtime_sec = m.tv_sec;
		task.exe_mtime_nsec = m.tv_nsec;
	}
	struct super_block___more *sb = (void *)BPF_CORE_READ(inode, i_sb);
	if ((BPF_CORE_READ(sb, s_flags) & SB_RDONLY) || (BPF_CORE_READ((struct inode___more *)inode, i_flags) & S_IMMUTABLE)) task.facts |= TASK_EXE_READ_ONLY;
	if (BPF_CORE_READ(sb, s_magic) != OVERLAYFS_SUPER_MAGIC) return;
	/* The overlay keeps its inode in front of the dentry of the upper layer. */
	struct dentry *upper = 0;
	bpf_probe_read_kernel(&upper, sizeof(upper), (void *)inode + bpf_core_type_size(struct inode));
	task.facts |= upper && BPF_CORE_READ(upper, d_inode, i_ino) ? TASK_EXE_UPPER : TASK_EXE_LOWER;
}

static __always_inline void read_credentials(struct task_struct *t)
{
	const struct cred *cred = BPF_CORE_READ(t, cred);
	task.uid = BPF_CORE_READ(cred, euid.val);
	task.gid = BPF_CORE_READ(cred, egid.val);
	task.loginuid = bpf_core_field_exists(t->loginuid) ? BPF_CORE_READ(t, loginuid.val) : (u32)-1;
	task.cap_inheritable = capabilities((void *)cred + bpf_core_field_offset(struct cred, cap_inheritable));
	task.cap_permitted = capabilities((void *)cred + bpf_core_field_offset(struct cred, cap_permitted));
	task.cap_effective = capabilities((void *)cred + bpf_core_field_offset(struct cred, cap_effective));
}

static __always_inline void read_process(struct task_struct *t)
{
	struct signal_struct *signal = t->signal;
	task.thread_count = BPF_CORE_READ((struct signal_struct___more *)signal, nr_threads);
	task.fdlimit = BPF_CORE_READ(signal, rlim[RLIMIT_NOFILE].rlim_cur);
	struct tty_struct *tty = BPF_CORE_READ(signal, tty);
	if (tty) {
		u32 minor = BPF_CORE_READ(tty, driver, minor_start) + BPF_CORE_READ(tty, index);
		task.tty = user_dev(BPF_CORE_READ(tty, driver, major), minor);
	}
	struct mm_struct *mm = BPF_CORE_READ(t, mm);
	if (!mm) return;
	task.size_pages = BPF_CORE_READ(mm, total_vm);
	task.rss_pages = MM_PAGES(mm, 0) + MM_PAGES(mm, 1) + MM_PAGES(mm, 3);
	task.swap_pages = MM_PAGES(mm, 2);
}

SEC("iter/task") int each_task(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;
	if (!t || (t->flags & PF_KTHREAD)) return 0;
	struct seq_file *seq = ctx->meta->seq;
	__builtin_memset(&task, 0, sizeof(task));
	task.kind = RECORD_TASK;
	task.read_ns = bpf_ktime_get_boot_ns();
	task.start_ns = t->start_boottime;
	if (BPF_CORE_READ((struct task_struct___more *)t, exit_state)) task.facts |= TASK_IS_DEAD;
	read_ids(t);
	read_credentials(t);
	read_process(t);
	task.major_faults = t->maj_flt;
	task.minor_faults = t->min_flt;
	task.cgroup_key = (u64)BPF_CORE_READ(t, cgroups);
	bpf_probe_read_kernel(task.comm, sizeof(task.comm), t->comm);
	struct files_struct *files = BPF_CORE_READ(t, files), *leaders = BPF_CORE_READ(t, group_leader, files);
	if (files && leaders && files != leaders) task.facts |= TASK_OWN_FILES;
	/* Threads have their process's paths. */
	if (t->pid == t->tgid) {
		long n;
		if (t->mm && t->mm->exe_file) {
			read_exe(BPF_CORE_READ(t, mm, exe_file, f_inode));
			n = bpf_d_path(&t->mm->exe_file->f_path, exe, PATH_BYTES);
			if (n > 0 && n < PATH_BYTES) task.exe_length = n;
		}
		if (t->fs) {
			n = bpf_d_path(&t->fs->pwd, cwd, PATH_BYTES);
			if (n > 0 && n < PATH_BYTES) task.cwd_length = n;
			n = bpf_d_path(&t->fs->root, root, PATH_BYTES);
			if (n > 0 && n < PATH_BYTES) task.root_length = n;
		}
	}
	u32 n = task.exe_length & (PATH_BYTES - 1), c = task.cwd_length & (PATH_BYTES - 1), r = task.root_length & (PATH_BYTES - 1);
	task.length = sizeof(task) + n + c + r;
	bpf_seq_write(seq, &task, sizeof(task));
	if (n) bpf_seq_write(seq, exe, n);
	if (c) bpf_seq_write(seq, cwd, c);
	if (r) bpf_seq_write(seq, root, r);
	return 0;
}

static __always_inline void read_unix(struct sock *sk)
{
	struct unix_sock *u = (void *)sk;
	struct sock *peer = BPF_CORE_READ(u, peer);
	file_entry.peer_socket = (u64)peer;
	struct unix_address *address = BPF_CORE_READ(u, addr);
	if (!address) return;
	/* Counts the family too; a path ends in its NUL, an abstract name starts with one. */
	u32 length = BPF_CORE_READ(address, len);
	if (length <= 2 || length > UNIX_PATH_BYTES + 2) return;
	length -= 2;
	asm volatile("%0 &= 0x7f" : "+r"(length));
	bpf_probe_read_kernel(exe, length, (void *)address + bpf_core_field_offset(struct unix_address, name) + 2);
	file_entry.name_length = length;
}

static __always_inline void read_socket(struct sock *sk)
{
	file_entry.socket = (u64)sk;
	file_entry.family = BPF_CORE_READ(sk, __sk_common.skc_family);
	file_entry.socket_type = BPF_CORE_READ(sk, sk_type);
	file_entry.protocol = BPF_CORE_READ(sk, sk_protocol);
	file_entry.state = BPF_CORE_READ(sk, __sk_common.skc_state);
	if (file_entry.family == AF_UNIX) {
		read_unix(sk);
	} else if (file_entry.family == AF_INET || file_entry.family == AF_INET6) {
		/* skc_num is 0 once a connection is closed: the source port stays. */
		file_entry.port = __builtin_bswap16(BPF_CORE_READ((struct inet_sock *)sk, inet_sport));
		file_entry.peer_port = __builtin_bswap16(BPF_CORE_READ(sk, __sk_common.skc_dport));
		if (file_entry.family == AF_INET) {
			u32 a = BPF_CORE_READ((struct inet_sock *)sk, inet_saddr), b = BPF_CORE_READ(sk, __sk_common.skc_daddr);
			u32 bound = BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr);
			if (bound) a = bound;
			__builtin_memcpy(file_entry.address, &a, 4);
			__builtin_memcpy(file_entry.peer_address, &b, 4);
		} else {
			struct in6_addr a = BPF_CORE_READ(sk, __sk_common.skc_v6_rcv_saddr), b = BPF_CORE_READ(sk, __sk_common.skc_v6_daddr);
			__builtin_memcpy(file_entry.address, &a, 16);
			__builtin_memcpy(file_entry.peer_address, &b, 16);
		}
	}
}

SEC("iter/task_file") int each_file(struct bpf_iter__task_file *ctx)
{
	struct task_struct *t = ctx->task;
	struct file *file = ctx->file;
	if (!t || !file || (t->flags & PF_KTHREAD)) return 0;
	struct seq_file *seq = ctx->meta->seq;
	__builtin_memset(&file_entry, 0, sizeof(file_entry));
	file_entry.kind = RECORD_FILE;
	file_entry.read_ns = bpf_ktime_get_boot_ns();
	file_entry.tid = t->pid;
	file_entry.pid = t->tgid;
	u32 fd = ctx->fd;
	file_entry.fd = fd;
	file_entry.flags = file->f_flags;
	struct inode *inode = file->f_inode;
	file_entry.mode = BPF_CORE_READ(inode, i_mode);
	file_entry.ino = BPF_CORE_READ(inode, i_ino);
	u32 dev = BPF_CORE_READ(inode, i_sb, s_dev);
	file_entry.dev = user_dev(dev >> 20, dev & 0xfffff);
	struct vfsmount *mnt = BPF_CORE_READ(file, f_path.mnt);
	file_entry.mount_id = BPF_CORE_READ((struct mount *)((void *)mnt - bpf_core_field_offset(struct mount, mnt)), mnt_id);
	struct fdtable___more *table = (void *)BPF_CORE_READ(t, files, fdt);
	unsigned long *bits = BPF_CORE_READ(table, close_on_exec), word = 0;
	bpf_probe_read_kernel(&word, sizeof(word), bits + fd / 64);
	if (word >> (fd & 63) & 1) file_entry.flags |= O_CLOEXEC;
	struct socket *socket = bpf_sock_from_file(file);
	struct sock *sk = socket ? BPF_CORE_READ(socket, sk) : 0;
	if (sk) {
		read_socket(sk);
	} else {
		long n = bpf_d_path(&file->f_path, exe, PATH_BYTES);
		if (n > 0 && n < PATH_BYTES) file_entry.name_length = n;
	}
	u32 n = file_entry.name_length & (PATH_BYTES - 1);
	file_entry.length = sizeof(file_entry) + n;
	bpf_seq_write(seq, &file_entry, sizeof(file_entry));
	if (n) bpf_seq_write(seq, exe, n);
	return 0;
}

/* Bytes of the process's memory from `start` to `end`; as many as fit and are readable. */
static __always_inline int write_range(struct seq_file *seq, struct task_struct *t, unsigned long start, unsigned long end)
{
	args.kind = RECORD_ARGS;
	args.pid = t->tgid;
	args.args_length = 0;
	unsigned long length = end - start;
	if (length > ARGS_BYTES - 1) length = ARGS_BYTES - 1;
	asm volatile("%0 &= 0xfff" : "+r"(length));
	if (end > start && length && !bpf_copy_from_user_task(arg_bytes, length, (void *)start, t, 0)) args.args_length = length;
	u32 n = args.args_length & (ARGS_BYTES - 1);
	args.length = sizeof(args) + n;
	bpf_seq_write(seq, &args, sizeof(args));
	if (n) bpf_seq_write(seq, arg_bytes, n);
	return 0;
}

SEC("iter.s/task") int each_argv(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;
	if (!t || t->pid != t->tgid) return 0;
	struct mm_struct *mm = t->mm;
	if (!mm) return 0;
	return write_range(ctx->meta->seq, t, mm->arg_start, mm->arg_end);
}

SEC("iter.s/task") int each_environment(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;
	if (!t || t->pid != t->tgid) return 0;
	struct mm_struct *mm = t->mm;
	if (!mm) return 0;
	return write_range(ctx->meta->seq, t, mm->env_start, mm->env_end);
}
