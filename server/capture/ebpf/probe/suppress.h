/* Processes nobody wants to see: our own, and those suppressed by pid, name or cgroup. */
#pragma once
#include "record.h"

/* Values of the map `suppressed`. */
#define SUPPRESSED_UNSEEN 1 /* nothing of it was ever told */
#define SUPPRESSED_SEEN 2   /* it was visible before: its end is still told, so that no state is left behind */

static __always_inline int is_self(struct config *cfg, u32 tgid)
{
	for (int i = 0; i < SELF_MAX; i++) {
		if (i >= cfg->self_count) break;
		if (cfg->self_tgids[i] == tgid) return 1;
	}
	return 0;
}

static __always_inline int is_suppressed(struct config *cfg, u32 tgid)
{
	if (is_self(cfg, tgid)) return 1;
	if (cfg->suppressed_count && bpf_map_lookup_elem(&suppressed, &tgid)) return 1;
	for (int i = 0; i < CGROUPS_MAX; i++) {
		if (i >= cfg->cgroup_count) break;
		if (bpf_get_current_ancestor_cgroup_id(cfg->cgroups[i].level) == cfg->cgroups[i].id) return 1;
	}
	return 0;
}

static __always_inline void suppress(struct config *cfg, u32 tgid, u32 how)
{
	if (bpf_map_update_elem(&suppressed, &tgid, &how, BPF_ANY)) {
		COUNT(failed);
		return;
	}
	/* From now on the map is asked. */
	if (!cfg->suppressed_count) cfg->suppressed_count = 1;
}

/* A child of a suppressed process is suppressed too; those of our own processes when the loader says so. */
static __always_inline void inherit_suppression(struct config *cfg, u32 parent, u32 child)
{
	if (parent == child) return;
	if (cfg->suppressed_count && bpf_map_lookup_elem(&suppressed, &parent)) suppress(cfg, child, SUPPRESSED_UNSEEN);
	else if (cfg->self_tree && is_self(cfg, parent)) suppress(cfg, child, SUPPRESSED_UNSEEN);
}

/* The name of a thread is one of those to suppress. */
static __always_inline int is_suppressed_comm(struct config *cfg)
{
	u64 comm[2] = {};
	if (!cfg->comm_count) return 0;
	bpf_get_current_comm(comm, sizeof(comm));
	for (int i = 0; i < COMMS_MAX; i++) {
		if (i >= cfg->comm_count) break;
		u64 *name = (void *)cfg->comms[i];
		if (name[0] == comm[0] && name[1] == comm[1]) return 1;
	}
	return 0;
}
