/*
 * The live probe. System calls are taken when they return (exit-only schema); what a return cannot show any more comes from the
 * scheduler's tracepoints: the child of a fork, an executed program, the end of a thread.
 */
#include "abi.h"
#include "record.h"
#include "task.h"
#include "suppress.h"
#include "ops.h"
#include "fast.h"

char LICENSE[] SEC("license") = "GPL";

static __always_inline void load_args(struct scratch *s, struct pt_regs *regs, int is_compat)
{
#if defined(__TARGET_ARCH_x86)
	if (is_compat && (u32)regs->orig_ax == NR32_SOCKETCALL) {
		/* The arguments are in memory, no more of them than the call takes. */
		u32 v[6] = {};
		for (int i = 0; i < 6; i++)
			if (bpf_probe_read_user(&v[i], 4, (void *)(u64)((u32)regs->cx + i * 4))) break;
		for (int i = 0; i < 6; i++) s->args[i] = v[i];
		return;
	}
	if (is_compat) {
		s->args[0] = (u32)regs->bx;
		s->args[1] = (u32)regs->cx;
		s->args[2] = (u32)regs->dx;
		s->args[3] = (u32)regs->si;
		s->args[4] = (u32)regs->di;
		s->args[5] = (u32)regs->bp;
		return;
	}
	s->args[0] = regs->di;
	s->args[1] = regs->si;
	s->args[2] = regs->dx;
	s->args[3] = regs->r10;
	s->args[4] = regs->r8;
	s->args[5] = regs->r9;
#else
	s->args[0] = regs->orig_x0;
	for (int i = 1; i < 6; i++) s->args[i] = regs->regs[i];
#endif
}

SEC("tp_btf/sys_exit")
int BPF_PROG(sys_exit, struct pt_regs *regs, long ret)
{
	struct config *cfg = config_of();
	if (!cfg || !cfg->enabled) return 0;
	u32 is_compat;
	u32 nr = native_nr(regs, &is_compat);
	if (nr >= SYSCALLS_MAX) return 0;
	/* Keeps the bound in the register the verifier looks at. */
	asm volatile("%0 &= 511" : "+r"(nr));
	u8 interest = cfg->syscalls[nr];
	if (!(interest & (ret < 0 ? WANT_FAILURE : WANT_SUCCESS))) return 0;
	u64 pid_tgid = bpf_get_current_pid_tgid();
	if (is_suppressed(cfg, pid_tgid >> 32)) {
		COUNT(suppressed);
		return 0;
	}
	if (!is_compat && fast_call(cfg, regs, nr, ret, (u32)pid_tgid, interest)) return 0;
	struct syscall_row *row = bpf_map_lookup_elem(&syscalls, &nr);
	struct scratch *s = scratch_of();
	if (!row || !s || !row->event_type) {
		COUNT(failed);
		return 0;
	}
	load_args(s, regs, is_compat);
	s->ret = ret;
	s->nr = nr;
	s->interest = interest;
	s->is_compat = is_compat;
	if (row->program) {
		bpf_tail_call(ctx, &programs, row->program);
		COUNT(failed);
		return 0;
	}
	u32 n = row->op_count;
	if (n > OPS_MAX) return 0;
	record_begin(s, cfg, bpf_get_current_pid_tgid() & 0xffffffff, row->event_type, row->param_count);
	for (u32 i = 0; i < OPS_MAX; i++) {
		if (i >= n) break;
		run_op(s, nr, i);
	}
	record_submit(s, cfg);
	return 0;
}

#include "events.h"
#include "io.h"
#include "socket.h"
#include "misc.h"
