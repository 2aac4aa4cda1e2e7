/*
 * Events of processes and of the scheduler. Who returns twice or never (clone, execve, exit) is told at the scheduler's tracepoints;
 * the system calls' own programs (sx_*) tell the rest: the caller's side of a clone, and failures.
 */
#pragma once
#include <linux/sched.h>
#include "process.h"
#include "suppress.h"

#define PPME_SCHEDSWITCH_6_E 152
#define PPME_PROCEXIT_1_E 186
#define PPME_SYSCALL_CLONE_20_X 223
#define PPME_SYSCALL_FORK_20_X 225
#define PPME_SYSCALL_VFORK_20_X 227
#define PPME_SIGNALDELIVER_E 232
#define PPME_PAGE_FAULT_E 290
#define PPME_SYSCALL_EXECVE_19_X 293
#define PPME_SYSCALL_EXECVEAT_X 331
#define PPME_SYSCALL_CLONE3_X 335

#define CLONE_PARAMS 21
#define EXECVE_PARAMS 31
#define EXECVEAT_PARAMS 30

#define PF_EXITING 0x4
#define PF_KTHREAD 0x200000
#define NR_CLONE3 435
#if defined(__TARGET_ARCH_x86)
#define NR_FORK 57
#define NR_VFORK 58
#define NR_EXECVEAT 322
#else
#define NR_EXECVEAT 281
#endif

/* Interest in an event that is no system call, of a process that is not suppressed. */
static __always_inline int is_wanted(struct config *cfg, u32 event)
{
	if (!cfg || !cfg->enabled || !cfg->events[event & 15]) return 0;
	if (!is_suppressed(cfg, bpf_get_current_pid_tgid() >> 32)) return 1;
	COUNT(suppressed);
	return 0;
}

/* The event of a system call that makes a thread. Anything but the four calls is the kernel's own doing and told as clone. */
static __always_inline u32 clone_event(u32 nr)
{
	if (nr == NR_CLONE3) return PPME_SYSCALL_CLONE3_X;
#if defined(__TARGET_ARCH_x86)
	if (nr == NR_FORK) return PPME_SYSCALL_FORK_20_X;
	if (nr == NR_VFORK) return PPME_SYSCALL_VFORK_20_X;
#endif
	return PPME_SYSCALL_CLONE_20_X;
}

/* The child's side, told while the parent still runs: no child is seen doing something before it is born. */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(tp_fork, struct task_struct *parent, struct task_struct *child)
{
	struct config *cfg = config_of();
	if (!cfg) return 0;
	u32 tgid = bpf_get_current_pid_tgid() >> 32;
	inherit_suppression(cfg, tgid, child->tgid);
	if (!is_wanted(cfg, EVENT_FORK)) return 0;
	struct task_struct *task = current_task();
	if (BPF_CORE_READ(task, flags) & PF_KTHREAD) return 0;
	struct scratch *s = scratch_of();
	if (!s) return 0;
	u32 flags = 0;
	if (child->pid != child->tgid) flags = CL_THREAD | CL_SIGHAND | CL_VM;
	if (child->files == parent->files) flags |= CL_FILES;
	s->work[0] = (u64)child;
	record_begin(s, cfg, child->pid, clone_event(native_nr_of_current()), CLONE_PARAMS);
	add_s64(s, 0);
	add_command(s);
	add_task(s);
	add_cgroups(s);
	add_clone_tail(s, flags, 1);
	record_submit(s, cfg);
	return 0;
}

/* The caller's side of clone and the like. `flags` are the schema's. */
static __always_inline int clone_returns(u32 event, u32 flags)
{
	struct scratch *s = scratch_of();
	struct config *cfg = config_of();
	/* The child's own return: tp_fork has told it. */
	if (!s || !cfg || !s->ret) return 0;
	s->work[0] = (u64)current_task();
	record_begin(s, cfg, bpf_get_current_pid_tgid() & 0xffffffff, event, CLONE_PARAMS);
	add_s64(s, s->ret);
	if (s->ret > 0) {
		add_command(s);
	} else {
		add_empty(s);
		add_empty(s);
	}
	add_task(s);
	add_cgroups(s);
	add_clone_tail(s, flags, 0);
	record_submit(s, cfg);
	return 0;
}

/* clone's flags in the schema's bits. The lowest byte of clone's own word is the signal at exit, with no bits of the schema. */
static __always_inline u32 clone_flags(u64 native)
{
	u32 flags = 0;
#define FLAG(of_kernel, of_schema) if (native & (of_kernel)) flags |= 1u << (of_schema)
	FLAG(CLONE_FILES, 0);
	FLAG(CLONE_FS, 1);
	FLAG(CLONE_IO, 2);
	FLAG(CLONE_NEWIPC, 3);
	FLAG(CLONE_NEWNET, 4);
	FLAG(CLONE_NEWNS, 5);
	FLAG(CLONE_NEWPID, 6);
	FLAG(CLONE_NEWUTS, 7);
	FLAG(CLONE_PARENT, 8);
	FLAG(CLONE_PARENT_SETTID, 9);
	FLAG(CLONE_PTRACE, 10);
	FLAG(CLONE_SIGHAND, 11);
	FLAG(CLONE_SYSVSEM, 12);
	FLAG(CLONE_THREAD, 13);
	FLAG(CLONE_UNTRACED, 14);
	FLAG(CLONE_VM, 15);
	FLAG(CLONE_NEWUSER, 20);
	FLAG(CLONE_CHILD_CLEARTID, 23);
	FLAG(CLONE_CHILD_SETTID, 24);
	FLAG(CLONE_SETTLS, 25);
	FLAG(CLONE_VFORK, 27);
	FLAG(CLONE_NEWCGROUP, 28);
#undef FLAG
	return flags;
}

/* All four calls: one program is verified, loaded and kept instead of four. */
SYSCALL_PROGRAM(sx_clone)
{
	struct scratch *s = scratch_of();
	if (!s) return 0;
	u32 event = clone_event(s->nr);
	u64 native = 0;
	if (event == PPME_SYSCALL_CLONE_20_X) native = s->args[0];
	else if (event == PPME_SYSCALL_CLONE3_X) bpf_probe_read_user(&native, 8, (void *)s->args[0]);
	return clone_returns(event, clone_flags(native));
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(tp_exec, struct task_struct *task, int old_pid, struct linux_binprm *program)
{
	struct config *cfg = config_of();
	if (!cfg) return 0;
	if (is_suppressed_comm(cfg)) {
		u32 tgid = bpf_get_current_pid_tgid() >> 32;
		if (!is_suppressed(cfg, tgid)) suppress(cfg, tgid, SUPPRESSED_SEEN);
	}
	if (!is_wanted(cfg, EVENT_EXEC)) return 0;
	struct scratch *s = scratch_of();
	if (!s) return 0;
	struct task_struct *current = current_task();
	/*
	 * The system call's number is no help: x86 pretends execve whenever a 64-bit program starts. A path of the fd's is only there when
	 * execveat was called with one.
	 */
	u32 is_at = BPF_CORE_READ(program, fdpath) != 0;
	s->work[0] = (u64)current;
	record_begin(s, cfg, bpf_get_current_pid_tgid() & 0xffffffff, is_at ? PPME_SYSCALL_EXECVEAT_X : PPME_SYSCALL_EXECVE_19_X,
		is_at ? EXECVEAT_PARAMS : EXECVE_PARAMS);
	add_s64(s, 0);
	add_command(s);
	add_task(s);
	add_cgroups(s);
	if (cfg->wants_env) add_user_range(s, BPF_CORE_READ(current, mm, env_start), BPF_CORE_READ(current, mm, env_end), args_max());
	else add_empty(s);
	add_identity(s);
	add_executable(s);
	if (!is_at) add_kernel_text(s, BPF_CORE_READ(program, filename), 4096);
	record_submit(s, cfg);
	return 0;
}

/* A failed execve or execveat: what was to be run comes from the caller's pointers, the rest describes the caller as it is. */
SYSCALL_PROGRAM(sx_execve)
{
	struct scratch *s = scratch_of();
	struct config *cfg = config_of();
	if (!s || !cfg || s->ret >= 0) return 0;
	u32 is_at = s->nr == NR_EXECVEAT;
	/* Behind the directory, execveat's arguments are those of execve. */
	u64 path = is_at ? s->args[1] : s->args[0], argv = is_at ? s->args[2] : s->args[1], envp = is_at ? s->args[3] : s->args[2];
	s->work[0] = (u64)current_task();
	record_begin(s, cfg, bpf_get_current_pid_tgid() & 0xffffffff, is_at ? PPME_SYSCALL_EXECVEAT_X : PPME_SYSCALL_EXECVE_19_X,
		is_at ? EXECVEAT_PARAMS : EXECVE_PARAMS);
	add_s64(s, s->ret);
	add_user_first(s, argv);
	add_user_array(s, argv, 1, args_max());
	add_task(s);
	add_cgroups(s);
	if (cfg->wants_env) add_user_array(s, envp, 0, args_max());
	else add_empty(s);
	add_identity(s);
	add_executable(s);
	if (!is_at) add_user_text(s, (void *)path, 4096);
	record_submit(s, cfg);
	return 0;
}

/*
 * Events of fixed size are written straight into the ring. Page faults must be: they happen inside other programs that read user
 * memory, whose record is in the scratch.
 */
#define RECORD_OF(name, n, values) struct name { struct ring_prefix prefix; u8 header[HEADER_BYTES]; u16 lens[n]; values } __attribute__((packed))

#define FIXED_BEGIN(T, cfg, type, count) ({ \
	void *ring_ = ring_of(cfg, bpf_get_smp_processor_id()); \
	struct T *r_ = ring_ ? bpf_ringbuf_reserve(ring_, sizeof(struct T), 0) : 0; \
	COUNT(generated); \
	if (r_) { \
		r_->prefix.cpu = bpf_get_smp_processor_id(); \
		r_->prefix.reserved = 0; \
		fill_header(r_->header, cfg, bpf_get_current_pid_tgid() & 0xffffffff, sizeof(struct T) - 8, type, count); \
	} else { \
		count_drop(type); \
	} \
	r_; \
})

/* A thread of the group that will live on; 0: none; -1: too many to look at. */
__noinline int living_thread(u64 of_task)
{
	struct signal_struct *signal = BPF_CORE_READ((struct task_struct *)of_task, signal);
	void *head = (void *)signal + bpf_core_field_offset(struct signal_struct, thread_head);
	void *node = BPF_CORE_READ((struct list_head *)head, next);
	for (int i = 0; i < 256; i++) {
		if (node == head || !node) return 0;
		struct task_struct *task = node - bpf_core_field_offset(struct task_struct, thread_node);
		if (!(BPF_CORE_READ(task, flags) & PF_EXITING)) return BPF_CORE_READ(task, pid);
		node = BPF_CORE_READ((struct list_head *)node, next);
	}
	return -1;
}

/*
 * Who becomes the parent of a dying thread's children: another thread of the process, the nearest subreaper among its ancestors, or the
 * init of its pid namespace. 0: nobody, as init itself dies; -1: not found within the limits.
 */
__noinline int reaper_of(u64 of_task)
{
	struct task_struct *task = (void *)of_task;
	int found = living_thread((u64)task);
	if (found) return found;
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	struct task_struct *init = BPF_CORE_READ(pid_namespace_of(pid), child_reaper);
	if (init == task) return 0;
	struct signal_struct *signal = BPF_CORE_READ(task, signal);
	if (!BPF_CORE_READ_BITFIELD_PROBED(signal, has_child_subreaper)) return BPF_CORE_READ(init, pid);
	u32 level = BPF_CORE_READ(pid, level);
	struct task_struct *ancestor = BPF_CORE_READ(task, real_parent);
	for (int i = 0; i < 96; i++) {
		if (ancestor == init || BPF_CORE_READ(ancestor, thread_pid, level) != level) return BPF_CORE_READ(init, pid);
		signal = BPF_CORE_READ(ancestor, signal);
		if (BPF_CORE_READ_BITFIELD_PROBED(signal, is_child_subreaper)) {
			found = living_thread((u64)ancestor);
			if (found) return found;
		}
		ancestor = BPF_CORE_READ(ancestor, real_parent);
	}
	return -1;
}

RECORD_OF(procexit, 5, u64 status; u64 ret; u8 sig; u8 core; u64 reaper;);

/* Whether the end of the process is told although it is suppressed; forgets the process with its last thread. */
static __always_inline int ends_suppressed(struct config *cfg, u32 tgid)
{
	if (!cfg->suppressed_count) return 0;
	u32 *how = bpf_map_lookup_elem(&suppressed, &tgid);
	if (!how) return 0;
	int is_seen = *how == SUPPRESSED_SEEN;
	if (BPF_CORE_READ(current_task(), signal, live.counter) == 0) bpf_map_delete_elem(&suppressed, &tgid);
	return is_seen;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(tp_exit, struct task_struct *task)
{
	struct config *cfg = config_of();
	if (!cfg) return 0;
	u32 tgid = bpf_get_current_pid_tgid() >> 32;
	int was_suppressed = is_suppressed(cfg, tgid);
	int is_told = ends_suppressed(cfg, tgid) || !was_suppressed;
	if (!cfg->enabled || !cfg->events[EVENT_EXIT]) return 0;
	if (!is_told) {
		COUNT(suppressed);
		return 0;
	}
	struct task_struct *current = current_task();
	s32 code = BPF_CORE_READ(current, exit_code);
	void *children = (void *)current + bpf_core_field_offset(struct task_struct, children);
	/* Who has no children needs no reaper. */
	int reaper = BPF_CORE_READ((struct list_head *)children, next) == children ? 0 : reaper_of((u64)current);
	struct procexit *r = FIXED_BEGIN(procexit, cfg, PPME_PROCEXIT_1_E, 5);
	if (!r) return 0;
	u32 signal = code & 0x7f;
	r->lens[0] = r->lens[1] = r->lens[4] = 8;
	r->lens[2] = r->lens[3] = 1;
	r->status = (s64)code;
	r->ret = code >> 8 & 0xff;
	r->sig = signal == 0x7f ? 0 : signal;
	r->core = (code & 0x80) != 0;
	r->reaper = (s64)reaper;
	bpf_ringbuf_submit(r, wake_flags());
	return 0;
}

RECORD_OF(signaldeliver, 3, u64 from; u64 to; u8 sig;);

/* The head of the kernel's siginfo, part of the ABI. */
struct siginfo_head { s32 signo, error, code, pad, pid; };

static __always_inline int signal_has_sender(int sig, int code)
{
	if (sig == 9 || sig == 17 || sig >= 32) return 1; /* SIGKILL, SIGCHLD, real time */
	/* SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP when a process sent them. */
	return code <= 0 && (sig == 1 || sig == 2 || sig == 3 || sig == 15 || sig == 20);
}

SEC("tp_btf/signal_deliver")
int BPF_PROG(tp_signal, int sig, struct kernel_siginfo *info)
{
	struct config *cfg = config_of();
	if (!is_wanted(cfg, EVENT_SIGNAL)) return 0;
	struct siginfo_head head = {};
	/* Not readable when the kernel itself sent it. */
	long is_missing = bpf_probe_read_kernel(&head, sizeof(head), info);
	struct signaldeliver *r = FIXED_BEGIN(signaldeliver, cfg, PPME_SIGNALDELIVER_E, 3);
	if (!r) return 0;
	r->lens[0] = r->lens[1] = 8;
	r->lens[2] = 1;
	r->from = !is_missing && signal_has_sender(sig, head.code) ? (s64)head.pid : 0;
	r->to = bpf_get_current_pid_tgid() & 0xffffffff;
	r->sig = sig;
	bpf_ringbuf_submit(r, wake_flags());
	return 0;
}

#if defined(__TARGET_ARCH_x86)
/* Tracepoints of x86 alone; a program for a tracepoint that is not there would keep all others from loading. */
RECORD_OF(page_fault, 3, u64 address; u64 ip; u32 error;);

/* The processor's error bits in the schema's. */
static __always_inline u32 page_fault_flags(u64 error)
{
	u32 flags = error & 1 ? 1 : 2;
	flags |= error & 2 ? 4 : 8;
	flags |= error & 4 ? 16 : 32;
	if (error & 8) flags |= 64;
	if (error & 16) flags |= 128;
	return flags;
}

static __always_inline int page_fault(u64 address, u64 ip, u64 error)
{
	struct config *cfg = config_of();
	if (!is_wanted(cfg, EVENT_PAGE_FAULT)) return 0;
	struct page_fault *r = FIXED_BEGIN(page_fault, cfg, PPME_PAGE_FAULT_E, 3);
	if (!r) return 0;
	r->lens[0] = r->lens[1] = 8;
	r->lens[2] = 4;
	r->address = address;
	r->ip = ip;
	r->error = page_fault_flags(error);
	bpf_ringbuf_submit(r, wake_flags());
	return 0;
}

SEC("tp_btf/page_fault_user")
int BPF_PROG(tp_page_fault_user, unsigned long address, struct pt_regs *regs, unsigned long error)
{
	return page_fault(address, regs->ip, error);
}

SEC("tp_btf/page_fault_kernel")
int BPF_PROG(tp_page_fault_kernel, unsigned long address, struct pt_regs *regs, unsigned long error)
{
	return page_fault(address, regs->ip, error);
}
#endif

RECORD_OF(schedswitch, 6, u64 next; u64 major; u64 minor; u32 size; u32 rss; u32 swap;);

SEC("tp_btf/sched_switch")
int BPF_PROG(tp_switch, int preempt, struct task_struct *previous, struct task_struct *next)
{
	struct config *cfg = config_of();
	if (!is_wanted(cfg, EVENT_SWITCH)) return 0;
	struct task_struct *task = current_task();
	struct vm vm;
	vm_of(&vm, task);
	struct schedswitch *r = FIXED_BEGIN(schedswitch, cfg, PPME_SCHEDSWITCH_6_E, 6);
	if (!r) return 0;
	r->lens[0] = r->lens[1] = r->lens[2] = 8;
	r->lens[3] = r->lens[4] = r->lens[5] = 4;
	r->next = next->pid;
	r->major = BPF_CORE_READ(task, maj_flt);
	r->minor = BPF_CORE_READ(task, min_flt);
	r->size = vm.size;
	r->rss = vm.rss;
	r->swap = vm.swap;
	bpf_ringbuf_submit(r, wake_flags());
	return 0;
}
