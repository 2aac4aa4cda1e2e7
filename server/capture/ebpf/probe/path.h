/*
 * Absolute paths from a dentry and a mount. bpf_d_path() is refused in these programs, so the walk is made by hand: from the last
 * component to the root, written from the end of scratch.path backwards.
 */
#pragma once
#include "record.h"

#define PATH_BYTES 4096      /* with the NUL */
#define PATH_STEPS_MAX 192   /* components and mounts crossed */
#define PATH_FROM_TASK_ROOT 1 /* as the process itself sees it (chroot); without: from the root of its mount namespace */

/* Where a walk is, and where it ends, in scratch.work. */
#define WALK_DENTRY 4
#define WALK_MOUNT 5
#define WALK_ROOT 6
#define WALK_ROOT_MOUNT 7

#define STEP_MORE 0
#define STEP_END 1
#define STEP_TOO_LONG 2

/* One component written, or one mount crossed. On its own, so that it is verified once and not for every round. */
__noinline int walk_step(struct scratch *s)
{
	if (!s) return STEP_END;
	struct dentry *dentry = (void *)s->work[WALK_DENTRY];
	struct mount *mnt = (void *)s->work[WALK_MOUNT];
	if ((u64)dentry == s->work[WALK_ROOT] && (u64)mnt == s->work[WALK_ROOT_MOUNT]) return STEP_END;
	struct dentry *parent = BPF_CORE_READ(dentry, d_parent);
	if (dentry == BPF_CORE_READ(mnt, mnt.mnt_root)) {
		struct mount *below = BPF_CORE_READ(mnt, mnt_parent);
		if (below == mnt) return STEP_END;
		s->work[WALK_DENTRY] = (u64)BPF_CORE_READ(mnt, mnt_mountpoint);
		s->work[WALK_MOUNT] = (u64)below;
		return STEP_MORE;
	}
	if (dentry == parent) return STEP_END;
	u64 n = BPF_CORE_READ(dentry, d_name.len);
	asm volatile("%0 &= 0xff" : "+r"(n));
	u32 end = s->path_at;
	if (n + 1 > end) return STEP_TOO_LONG;
	u32 start = end - n;
	bpf_probe_read_kernel(&s->path[start & (PATH_BYTES - 1)], n, BPF_CORE_READ(dentry, d_name.name));
	s->path[(start - 1) & (PATH_BYTES - 1)] = '/';
	s->path_at = start - 1;
	s->work[WALK_DENTRY] = (u64)parent;
	return STEP_MORE;
}

/*
 * Builds the path and leaves its start in scratch.path_at (PATH_BYTES - 1: nothing but the NUL). A path that is too long keeps its
 * end and has no leading slash; it is counted as truncated. Files without a place in a file system (memfd, pipes) give an empty path.
 */
__noinline int walk_path(struct scratch *s, u64 at_dentry, u64 at_mnt, u32 flags)
{
	if (!s) return 0;
	s->work[WALK_DENTRY] = at_dentry;
	s->work[WALK_MOUNT] = at_mnt - bpf_core_field_offset(struct mount, mnt);
	s->work[WALK_ROOT] = s->work[WALK_ROOT_MOUNT] = 0;
	if (flags & PATH_FROM_TASK_ROOT) {
		struct task_struct *task = (void *)bpf_get_current_task();
		s->work[WALK_ROOT] = (u64)BPF_CORE_READ(task, fs, root.dentry);
		s->work[WALK_ROOT_MOUNT] = (u64)BPF_CORE_READ(task, fs, root.mnt) - bpf_core_field_offset(struct mount, mnt);
	}
	s->path_at = PATH_BYTES - 1;
	s->path[PATH_BYTES - 1] = 0;
	for (int i = 0; i < PATH_STEPS_MAX; i++) {
		int step = walk_step(s);
		if (step == STEP_END) return 0;
		if (step == STEP_TOO_LONG) break;
	}
	COUNT(truncated);
	/* The slash would pretend that this is all. */
	if (s->path_at < PATH_BYTES - 1) s->path_at += 1;
	return 0;
}

/* The path of a file as one parameter. The root itself is "/"; what has no place in a file system is its bare name ("memfd:x"). */
__noinline int add_path(struct scratch *s, u64 dentry, u64 mnt, u32 flags)
{
	if (!s) return 0;
	if (!dentry || !mnt) {
		add_empty(s);
		return 0;
	}
	walk_path(s, dentry, mnt, flags);
	u32 at = s->path_at & (PATH_BYTES - 1);
	if (at < PATH_BYTES - 1) {
		add_kernel_text(s, &s->path[at], PATH_BYTES);
		return 0;
	}
	const unsigned char *name = BPF_CORE_READ((struct dentry *)dentry, d_name.name);
	add_kernel_text(s, name, 256);
	return 0;
}
