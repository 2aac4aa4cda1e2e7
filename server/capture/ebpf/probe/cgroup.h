/* The cgroups of a task, "cpuset=/a/b" and so on, NUL separated, for hierarchies of version 1, version 2 and both at once. */
#pragma once
#include "record.h"

#define CGROUP_DEPTH_MAX 24

static __always_inline struct kernfs_node *kernfs_parent(struct kernfs_node *node)
{
	if (bpf_core_field_exists(node->__parent)) return BPF_CORE_READ(node, __parent);
	return BPF_CORE_READ((struct kernfs_node___pre615 *)node, parent);
}

/* Appends "=path\0" of a cgroup. */
__noinline int append_cgroup_path(struct scratch *s, u64 cgroup)
{
	if (!s) return 0;
	/* Positions kept in the map, so that the states of all rounds are alike for the verifier. */
	volatile u32 *pos = &s->pos;
	s->data[P(*pos)] = '=';
	*pos += 1;
	struct kernfs_node *nodes[CGROUP_DEPTH_MAX];
	struct kernfs_node *node = BPF_CORE_READ((struct cgroup *)cgroup, kn);
	for (int i = 0; i < CGROUP_DEPTH_MAX; i++) {
		struct kernfs_node *parent = node ? kernfs_parent(node) : 0;
		/* The root has no name of its own. */
		nodes[i] = parent ? node : 0;
		node = parent;
	}
	if (!nodes[0]) {
		s->data[P(*pos)] = '/';
		*pos += 1;
	}
	for (int i = CGROUP_DEPTH_MAX - 1; i >= 0; i--) {
		if (!nodes[i]) continue;
		s->data[P(*pos)] = '/';
		*pos += 1;
		long n = bpf_probe_read_kernel_str(&s->data[P(*pos)], 256, BPF_CORE_READ(nodes[i], name));
		if (n > 1) *pos += n - 1;
	}
	s->data[P(*pos)] = 0;
	*pos += 1;
	return 0;
}

/*
 * Appends "name=path\0" of one controller; nothing when the task has none. In version 2 the path is that of the nearest cgroup with
 * it. Returns whether that is the task's own cgroup of version 2.
 */
__noinline int append_cgroup(struct scratch *s, u64 css_set, u32 subsys)
{
	if (!s) return 0;
	struct cgroup_subsys_state *css = 0;
	bpf_probe_read_kernel(&css, sizeof(css), (void *)css_set + bpf_core_field_offset(struct css_set, subsys) + (subsys & 63) * 8);
	if (!css) return 0;
	volatile u32 *pos = &s->pos;
	long n = bpf_probe_read_kernel_str(&s->data[P(*pos)], 32, BPF_CORE_READ(css, ss, name));
	if (n <= 1) return 0;
	*pos += n - 1;
	struct cgroup *cgroup = BPF_CORE_READ(css, cgroup);
	append_cgroup_path(s, (u64)cgroup);
	return cgroup == BPF_CORE_READ((struct css_set *)css_set, dfl_cgrp);
}

/* Appends "=path\0" of the task's cgroup of version 2, unless it is the root. */
__noinline int append_unified(struct scratch *s, u64 css_set)
{
	if (!s) return 0;
	struct cgroup *cgroup = BPF_CORE_READ((struct css_set *)css_set, dfl_cgrp);
	struct kernfs_node *node = cgroup ? BPF_CORE_READ(cgroup, kn) : 0;
	if (!node || !kernfs_parent(node)) return 0;
	append_cgroup_path(s, (u64)cgroup);
	return 0;
}

/* A macro, as CO-RE needs the enumerator itself: its number differs from kernel to kernel. */
#define APPEND_CGROUP(s, css_set, id) \
	(bpf_core_enum_value_exists(enum cgroup_subsys_id, id) && \
		append_cgroup(s, css_set, bpf_core_enum_value(enum cgroup_subsys_id, id)))

/* One parameter: the cgroups of the task in scratch.work[0]. */
__noinline int add_cgroups(struct scratch *s)
{
	if (!s) return 0;
	u32 start = s->pos;
	struct task_struct *task = (void *)s->work[0];
	u64 css_set = (u64)BPF_CORE_READ(task, cgroups);
	int has_unified = APPEND_CGROUP(s, css_set, cpuset_cgrp_id);
	has_unified |= APPEND_CGROUP(s, css_set, cpu_cgrp_id);
	has_unified |= APPEND_CGROUP(s, css_set, cpuacct_cgrp_id);
	has_unified |= APPEND_CGROUP(s, css_set, io_cgrp_id);
	has_unified |= APPEND_CGROUP(s, css_set, memory_cgrp_id);
	/* Where no controller tells it: a container may be known by it alone. */
	if (!has_unified) append_unified(s, css_set);
	u32 n = s->pos - start;
	s->pos = start;
	value_end(s, n);
	return 0;
}
