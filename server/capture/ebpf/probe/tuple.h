/*
 * Addresses of sockets. A tuple comes from the kernel's socket, as user space may lie or not know it. Outbound calls write (local,
 * remote), inbound calls (remote, local); of a unix socket both addresses in memory and the path of the served side.
 */
#pragma once

#include "record.h"
#include "task.h"

#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define UNIX_PATH_MAX 108

#define OUTBOUND 0
#define INBOUND 1

static __always_inline u16 swap16(u16 v) { return __builtin_bswap16(v); }

static __always_inline struct sock *sock_of_fd(s64 fd)
{
	struct file *file = file_of_fd(fd);
	if (!file || (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK) return 0;
	struct socket *socket = BPF_CORE_READ(file, private_data);
	return BPF_CORE_READ(socket, sk);
}

/* Path of a unix socket's address at `at`, with its NUL: an abstract one without its leading NUL, none as the empty text. */
static __always_inline u32 put_unix_path(void *at, struct unix_sock *sk)
{
	struct unix_address *addr = sk ? BPF_CORE_READ(sk, addr) : 0;
	u64 n = addr ? BPF_CORE_READ(addr, len) : 0;
	*(u8 *)at = 0;
	if (n <= 2 || n > 2 + UNIX_PATH_MAX) return 1;
	n -= 2;
	const char *from = (const char *)__builtin_preserve_access_index(&addr->name) + 2;
	char first = 0;
	bpf_probe_read_kernel(&first, 1, from);
	if (!first) {
		from++;
		n--;
	}
	/* The kernel's copy of an abstract name has no NUL of its own: its length bounds it. */
	n++;
	asm volatile("%0 &= 0x7f" : "+r"(n));
	long done = bpf_probe_read_kernel_str(at, n, from);
	return done > 0 ? done : 1;
}

static __always_inline void put_ipv4(u8 *at, struct sock *sk, u32 inbound, u64 user_addr)
{
	struct inet_sock *inet = (struct inet_sock *)sk;
	u32 local = BPF_CORE_READ(inet, inet_saddr);
	u16 local_port = BPF_CORE_READ(inet, inet_sport);
	u32 remote = BPF_CORE_READ(sk, __sk_common.skc_daddr);
	u16 remote_port = BPF_CORE_READ(sk, __sk_common.skc_dport);
	if (!remote_port && user_addr) {
		struct { u16 family, port; u32 v4; } a = {};
		bpf_probe_read_user(&a, sizeof(a), (void *)user_addr);
		remote = a.v4;
		remote_port = a.port;
	}
	put32(at + 1, inbound ? remote : local);
	put16(at + 5, swap16(inbound ? remote_port : local_port));
	put32(at + 7, inbound ? local : remote);
	put16(at + 11, swap16(inbound ? local_port : remote_port));
}

static __always_inline void put_ipv6(u8 *at, struct sock *sk, u32 inbound, u64 user_addr)
{
	struct inet_sock *inet = (struct inet_sock *)sk;
	u8 local[16] = {}, remote[16] = {};
	u16 local_port = BPF_CORE_READ(inet, inet_sport);
	u16 remote_port = BPF_CORE_READ(sk, __sk_common.skc_dport);
	if (bpf_core_field_exists(inet->pinet6)) {
		struct ipv6_pinfo *info = BPF_CORE_READ(inet, pinet6);
		bpf_core_read(&local, 16, &info->saddr);
		bpf_core_read(&remote, 16, &sk->__sk_common.skc_v6_daddr);
	}
	if (!remote_port && user_addr) {
		struct { u16 family, port; u32 flow; u8 v6[16]; } a = {};
		/* An IPv4 address, which such sockets take too, is shorter. */
		if (!bpf_probe_read_user(&a, 8, (void *)user_addr) && a.family == AF_INET) {
			put16(remote + 10, 0xffff);
			put32(remote + 12, a.flow);
		} else {
			bpf_probe_read_user(&a, sizeof(a), (void *)user_addr);
			__builtin_memcpy(remote, a.v6, 16);
		}
		remote_port = a.port;
	}
	__builtin_memcpy(at + 1, inbound ? remote : local, 16);
	put16(at + 17, swap16(inbound ? remote_port : local_port));
	__builtin_memcpy(at + 19, inbound ? local : remote, 16);
	put16(at + 35, swap16(inbound ? local_port : remote_port));
}

/*
 * The tuple of an fd. `user_addr`: the address the caller gave or got, for sockets without a connection; may be 0. Empty for what is no
 * socket and for other families.
 */
__noinline int add_tuple(struct scratch *s, s64 fd, u32 inbound, u64 user_addr)
{
	if (!s) return 0;
	struct sock *sk = sock_of_fd(fd);
	u16 family = sk ? BPF_CORE_READ(sk, __sk_common.skc_family) : 0;
	u8 *at = &s->data[P(s->pos)];
	u32 n = 0;
	at[0] = family;
	if (family == AF_INET) {
		put_ipv4(at, sk, inbound, user_addr);
		n = 13;
	} else if (family == AF_INET6) {
		put_ipv6(at, sk, inbound, user_addr);
		n = 37;
	} else if (family == AF_UNIX) {
		struct unix_sock *local = (struct unix_sock *)sk;
		struct unix_sock *peer = (struct unix_sock *)BPF_CORE_READ(local, peer);
		put64(at + 1, (u64)(inbound ? local : peer));
		put64(at + 9, (u64)(inbound ? peer : local));
		n = 17 + put_unix_path(at + 17, inbound ? local : peer);
	}
	value_end(s, n);
	return 0;
}

/* The address a caller passed: family, then address and port, or a unix path without an abstract name's leading NUL. */
__noinline int add_sockaddr(struct scratch *s, u64 from, u64 len)
{
	if (!s) return 0;
	struct { u16 family, port; union { u32 v4; struct { u32 flow; u8 v6[16]; }; }; } a = {};
	u8 *at = &s->data[P(s->pos)];
	u32 n = 0;
	if (from && len >= 2) bpf_probe_read_user(&a, 2, (void *)from);
	at[0] = a.family;
	if (a.family == AF_INET && len >= 8) {
		if (!bpf_probe_read_user(&a, 8, (void *)from)) {
			put32(at + 1, a.v4);
			put16(at + 5, swap16(a.port));
			n = 7;
		}
	} else if (a.family == AF_INET6 && len >= 24) {
		if (!bpf_probe_read_user(&a, 24, (void *)from)) {
			__builtin_memcpy(at + 1, a.v6, 16);
			put16(at + 17, swap16(a.port));
			n = 19;
		}
	} else if (a.family == AF_UNIX) {
		u64 max = len - 2;
		char first = 0;
		if (max > UNIX_PATH_MAX) max = UNIX_PATH_MAX;
		from += 2;
		if (max) bpf_probe_read_user(&first, 1, (void *)from);
		if (max && !first) {
			from++;
			max--;
		}
		max++;
		asm volatile("%0 &= 0x7f" : "+r"(max));
		at[1] = 0;
		long done = bpf_probe_read_user_str(at + 1, max, (void *)from);
		n = 1 + (done > 0 ? done : 1);
	}
	value_end(s, n);
	return 0;
}
