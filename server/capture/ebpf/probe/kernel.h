/*
 * The few kernel structures the probe reads, reduced to the members it uses. CO-RE relocates every access against the BTF of the running
 * kernel, so neither order nor omissions matter; a member that is not everywhere is asked for with bpf_core_field_exists().
 */
#pragma once

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;

#define KERNEL __attribute__((preserve_access_index))

typedef struct { u32 val; } kuid_t;
typedef struct { u32 val; } kgid_t;

struct list_head { struct list_head *next, *prev; } KERNEL;
struct qstr { u32 len; const unsigned char *name; } KERNEL;

struct super_block { u32 s_dev; unsigned long s_flags, s_magic; void *s_op; } KERNEL;
struct timespec64 { s64 tv_sec; long tv_nsec; } KERNEL;
struct inode {
	u16 i_mode;
	u32 i_flags;
	kuid_t i_uid;
	kgid_t i_gid;
	unsigned long i_ino;
	u32 i_nlink;
	u32 i_rdev;
	struct super_block *i_sb;
	s64 i_ctime_sec, i_mtime_sec;
	u32 i_ctime_nsec, i_mtime_nsec;
	struct timespec64 i_mtime, __i_ctime, i_ctime;
	void *i_fop;
} KERNEL;
/* Times before 6.11, and before 6.6. */
struct inode___v66 { struct timespec64 __i_mtime, __i_ctime; } KERNEL;
struct dentry { u32 d_flags; struct dentry *d_parent; struct qstr d_name; struct inode *d_inode; struct super_block *d_sb; } KERNEL;
struct vfsmount { struct dentry *mnt_root; struct super_block *mnt_sb; } KERNEL;
struct mount { struct mount *mnt_parent; struct dentry *mnt_mountpoint; struct vfsmount mnt; int mnt_id; } KERNEL;
struct path { struct vfsmount *mnt; struct dentry *dentry; } KERNEL;
struct file { u32 f_mode; u32 f_flags; void *private_data; struct inode *f_inode; struct path f_path; void *f_op; } KERNEL;
struct fdtable { u32 max_fds; struct file **fd; } KERNEL;
struct files_struct { struct fdtable *fdt; } KERNEL;
struct fs_struct { struct path root, pwd; } KERNEL;

struct ns_common { u32 inum; } KERNEL;
struct uid_gid_extent { u32 first, lower_first, count; } KERNEL;
struct uid_gid_map { u32 nr_extents; struct uid_gid_extent extent[5]; } KERNEL;
struct user_namespace { struct uid_gid_map uid_map, gid_map; int level; } KERNEL;
struct task_struct;
struct pid_namespace { struct task_struct *child_reaper; u32 level; struct ns_common ns; } KERNEL;
struct net { struct ns_common ns; } KERNEL;
struct nsproxy { struct pid_namespace *pid_ns_for_children; struct net *net_ns; } KERNEL;
struct upid { int nr; struct pid_namespace *ns; } KERNEL;
struct pid { u32 level; struct upid numbers[1]; } KERNEL;

struct kernfs_node { struct kernfs_node *__parent; const char *name; u64 id; } KERNEL;
/* Up to 6.14. */
struct kernfs_node___pre615 { struct kernfs_node *parent; } KERNEL;
struct cgroup { struct kernfs_node *kn; int level; } KERNEL;
struct cgroup_subsys { const char *name; } KERNEL;
struct cgroup_subsys_state { struct cgroup *cgroup; struct cgroup_subsys *ss; } KERNEL;
enum cgroup_subsys_id { cpuset_cgrp_id, cpu_cgrp_id, cpuacct_cgrp_id, io_cgrp_id, memory_cgrp_id, devices_cgrp_id, freezer_cgrp_id, pids_cgrp_id, CGROUP_SUBSYS_COUNT };
struct css_set { struct cgroup *dfl_cgrp; struct cgroup_subsys_state *subsys[8]; } KERNEL;

typedef struct { u64 val; } kernel_cap_t;
/* Up to 6.2. */
struct kernel_cap_struct___pre63 { u32 cap[2]; } KERNEL;
struct group_info { int ngroups; kgid_t gid[1]; } KERNEL;
struct cred {
	kuid_t uid, suid, euid, fsuid;
	kgid_t gid, sgid, egid, fsgid;
	kernel_cap_t cap_inheritable, cap_permitted, cap_effective;
	struct user_namespace *user_ns;
	struct group_info *group_info;
} KERNEL;

struct percpu_counter { s64 count; } KERNEL;
typedef struct { int counter; } atomic_t;
typedef struct { s64 counter; } atomic_long_t;
struct mm_rss_stat___pre62 { atomic_long_t count[4]; } KERNEL;
struct mm_struct {
	unsigned long total_vm;
	unsigned long arg_start, arg_end, env_start, env_end;
	struct file *exe_file;
	struct percpu_counter rss_stat[4];
} KERNEL;
/* Up to 6.1. */
struct mm_struct___pre62 { struct mm_rss_stat___pre62 rss_stat; } KERNEL;

struct rlimit { unsigned long rlim_cur, rlim_max; } KERNEL;
struct tty_driver { int major, minor_start; } KERNEL;
struct tty_struct { struct tty_driver *driver; int index; } KERNEL;
enum pid_type { PIDTYPE_PID, PIDTYPE_TGID, PIDTYPE_PGID, PIDTYPE_SID };
struct signal_struct { atomic_t live; struct pid *pids[4]; struct rlimit rlim[16]; struct tty_struct *tty; u32 flags; struct task_struct *curr_target; struct list_head thread_head; unsigned int is_child_subreaper : 1; unsigned int has_child_subreaper : 1; } KERNEL;
struct thread_info { u32 flags; u32 status; } KERNEL;
struct task_struct {
	struct thread_info thread_info;
	u32 flags;
	int pid, tgid;
	int exit_code, exit_signal;
	struct task_struct *real_parent, *group_leader, *parent;
	struct list_head children, sibling, thread_node;
	struct pid *thread_pid;
	u64 start_time, start_boottime;
	unsigned long maj_flt, min_flt;
	const struct cred *cred, *real_cred;
	char comm[16];
	struct fs_struct *fs;
	struct files_struct *files;
	struct nsproxy *nsproxy;
	struct signal_struct *signal;
	kuid_t loginuid;
	struct css_set *cgroups;
	struct mm_struct *mm;
} KERNEL;
struct linux_binprm { const char *filename, *interp, *fdpath; struct file *file, *executable; struct cred *cred; } KERNEL;
struct kernel_siginfo;

struct in6_addr { u8 bytes[16]; };
struct sock_common {
	u32 skc_daddr, skc_rcv_saddr;
	u16 skc_dport, skc_num;
	u16 skc_family;
	volatile unsigned char skc_state;
	struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
} KERNEL;
struct sock { struct sock_common __sk_common; u16 sk_type, sk_protocol; u32 sk_ack_backlog, sk_max_ack_backlog; struct socket *sk_socket; } KERNEL;
struct ipv6_pinfo { struct in6_addr saddr; } KERNEL;
struct inet_sock { struct sock sk; struct ipv6_pinfo *pinet6; u32 inet_saddr; u16 inet_sport; } KERNEL;
struct socket { u32 state; short type; struct file *file; struct sock *sk; } KERNEL;
struct sockaddr_un { u16 sun_family; char sun_path[108]; } KERNEL;
struct unix_address { int len; struct sockaddr_un name[1]; } KERNEL;
struct unix_sock { struct sock sk; struct unix_address *addr; struct sock *peer; struct path path; } KERNEL;

#if defined(__TARGET_ARCH_x86)
struct pt_regs { unsigned long di, si, dx, r10, r8, r9, ax, orig_ax, bx, cx, bp, ip, sp; } KERNEL;
#elif defined(__TARGET_ARCH_arm64)
/* Held by copy in the kernel's pt_regs: user_pt_regs comes first there. */
struct pt_regs { u64 regs[31]; u64 sp, pc, pstate; u64 orig_x0; s32 syscallno; } KERNEL;
#else
#error "the probe knows x86 and arm64"
#endif
