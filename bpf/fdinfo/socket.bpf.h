/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * socket.bpf.h - sockets of every family: net/socket.c, include/net/sock.h.
 *
 * The members that only one family has are those that /proc/net and sock_diag
 * show. Packet, netlink and vsock sockets may be modules, whose types are known
 * while these are loaded.
 */
#ifndef FDMAP_SOCKET_BPF_H
#define FDMAP_SOCKET_BPF_H

#include "subject.bpf.h"

/* include/linux/socket.h, include/uapi/linux/in.h, include/linux/net.h */
#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define AF_NETLINK 16
#define AF_PACKET 17
#define AF_VSOCK 40
#define IPPROTO_ICMP 1
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define IPPROTO_ICMPV6 58
#define IPPROTO_UDPLITE 136
#define IPPROTO_MPTCP 262
#define SOCK_STREAM 1
#define SOCK_RAW 3
#define TCP_LISTEN 10

/* Of one layout everywhere: copied out whole. */
struct in6_addr_bytes {
	__u8 bytes[16];
};

struct counter {
	int counter;
};

struct unix_name {
	char bytes[110];
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct net_common {
	unsigned int inum;
};

struct net {
	struct net_common ns;
};

struct possible_net {
	struct net *net;
};

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	unsigned char skc_state;
	int skc_bound_dev_if;
	struct possible_net skc_net;
	struct in6_addr_bytes skc_v6_daddr;
	struct in6_addr_bytes skc_v6_rcv_saddr;
};

struct socket;


struct sock {
	struct sock_common __sk_common;
	struct {
		struct counter rmem_alloc;
	} sk_backlog;
	struct counter sk_wmem_alloc;
	__u16 sk_protocol;
	__u16 sk_type;
	unsigned char sk_shutdown;
	__u32 sk_ack_backlog;
	__u32 sk_max_ack_backlog;
	struct socket *sk_socket;
};

struct socket {
	struct sock *sk;
	short type;
};

struct socket_alloc {
	struct socket socket;
	struct inode vfs_inode;
};

struct tcp_sock {
	__u32 rcv_nxt;
	__u32 copied_seq;
	__u32 write_seq;
	__u32 snd_una;
};

struct unix_address {
	int len;
	struct unix_name name[];
};

struct unix_sock {
	struct unix_address *addr;
	struct sock *peer;
};

struct netlink_sock {
	__u32 portid;
	__u32 dst_portid;
	__u32 ngroups;
	unsigned long *groups;
};

struct packet_sock {
	int ifindex;
	__be16 num;
};

struct sockaddr_vm {
	unsigned int svm_port;
	unsigned int svm_cid;
};

struct vsock_sock {
	struct sockaddr_vm local_addr;
	struct sockaddr_vm remote_addr;
};

#pragma clang attribute pop

static __always_inline __u16 from_network(__be16 port)
{
	return __builtin_bswap16(port);
}

static __always_inline __u32 inet_type(__u16 protocol, __u16 socket_type)
{
	if (socket_type == SOCK_RAW)
		return FDINFO_RAW;
	switch (protocol) {
	case IPPROTO_TCP:
	case IPPROTO_MPTCP:
		return FDINFO_TCP;
	case IPPROTO_UDP:
		return FDINFO_UDP;
	case IPPROTO_UDPLITE:
		return FDINFO_UDPLITE;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return FDINFO_PING;
	}
	return FDINFO_SOCKET;
}

static __always_inline __u32 type_of_family(__u16 family)
{
	switch (family) {
	case AF_UNIX:
		return FDINFO_UNIX;
	case AF_NETLINK:
		return FDINFO_NETLINK;
	case AF_PACKET:
		return FDINFO_PACKET;
	case AF_VSOCK:
		return FDINFO_VSOCK;
	}
	return FDINFO_SOCKET;
}

/* RCV_SHUTDOWN and SEND_SHUTDOWN of include/net/sock.h are the bits 1 and 2. */
static __always_inline __u32 shutdown_of(struct sock *sk)
{
	return FDINFO_KNOWS_SHUTDOWN | (READ(sk, sk_shutdown) & 3) * FDINFO_SHUT_READ;
}

static __always_inline void read_inet(struct subject *s, struct sock *sk, __u16 family, __u16 protocol)
{
	struct fdinfo_inet *inet = &s->class.inet;

	SET_CLASS(s, inet, FDINFO_A_INET);
	inet->family = family == AF_INET ? 4 : 6;
	inet->state = READ(sk, __sk_common.skc_state);
	inet->protocol = protocol;
	inet->local_port = READ(sk, __sk_common.skc_num);
	inet->remote_port = from_network(READ(sk, __sk_common.skc_dport));
	inet->netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	inet->interface = READ(sk, __sk_common.skc_bound_dev_if);
	if (family == AF_INET) {
		BPF_CORE_READ_INTO((__u32 *)inet->local, sk, __sk_common.skc_rcv_saddr);
		BPF_CORE_READ_INTO((__u32 *)inet->remote, sk, __sk_common.skc_daddr);
	} else {
		BPF_CORE_READ_INTO((struct in6_addr_bytes *)inet->local, sk, __sk_common.skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO((struct in6_addr_bytes *)inet->remote, sk, __sk_common.skc_v6_daddr);
	}
	inet->valid = FDINFO_KNOWS_RECEIVE | FDINFO_KNOWS_SEND | shutdown_of(sk);
	if (s->record.type != FDINFO_TCP) {
		struct counter held;
		int send;

		/* sk_rmem_alloc_get(), sk_wmem_alloc_get() of include/net/sock.h */
		BPF_CORE_READ_INTO(&held, sk, sk_wmem_alloc);
		send = held.counter;
		inet->receive_queue = READ(sk, sk_backlog.rmem_alloc.counter);
		inet->send_queue = send > 0 ? send - 1 : 0;
	} else if (protocol == IPPROTO_MPTCP) {
		/* its flows have them, and its first flow the backlog */
		inet->valid &= ~(FDINFO_KNOWS_RECEIVE | FDINFO_KNOWS_SEND);
	} else if (inet->state == TCP_LISTEN) {
		/* tcp_diag_get_info() of net/ipv4/tcp_diag.c */
		inet->receive_queue = READ(sk, sk_ack_backlog);
		inet->send_queue = READ(sk, sk_max_ack_backlog);
	} else {
		struct tcp_sock *tcp = (void *)sk;
		int waiting = BPF_CORE_READ(tcp, rcv_nxt) - BPF_CORE_READ(tcp, copied_seq);

		inet->receive_queue = waiting > 0 ? waiting : 0;
		inet->send_queue = BPF_CORE_READ(tcp, write_seq) - BPF_CORE_READ(tcp, snd_una);
	}
}

static __always_inline void read_unix(struct subject *s, struct unix_sock *sk)
{
	struct unix_address *address = BPF_CORE_READ(sk, addr);
	struct sock *peer = BPF_CORE_READ(sk, peer);
	struct socket *socket = peer ? BPF_CORE_READ(peer, sk_socket) : NULL;
	__u64 inode = 0;

	if (socket) {
		/* SOCK_INODE() of include/net/sock.h */
		struct socket_alloc *alloc = (void *)socket - bpf_core_field_offset(struct socket_alloc, socket);

		inode = BPF_CORE_READ(alloc, vfs_inode.i_ino);
	}
	s->class.socket.valid |= FDINFO_KNOWS_DETAIL;
	loads_in_order();
	/*
	 * Looked at once more, the outer one last: a peer that closes leaves its
	 * socket (sock_orphan()), and one that is connected anew is another.
	 */
	if ((!peer || BPF_CORE_READ(peer, sk_socket) == socket) && BPF_CORE_READ(sk, peer) == peer) {
		s->class.socket.peer = inode;
		s->class.socket.valid |= FDINFO_KNOWS_PEER;
	}
	if (address) {
		/* sockaddr_un: the family, then the path with its NUL, or an abstract name from its NUL on */
		__u64 length = AT_MOST((__u32)(BPF_CORE_READ(address, len) - 2), 108);
		char *path = (void *)address + bpf_core_field_offset(struct unix_address, name) + 2;

		if (length && !bpf_probe_read_kernel(s->name.bytes, length, path))
			set_name(s, length);
	}
}

static __always_inline void read_other(struct subject *s, struct sock *sk, __u16 family)
{
	struct fdinfo_socket *socket = &s->class.socket;

	if (family == AF_UNIX) {
		read_unix(s, (void *)sk);
	} else if (family == AF_NETLINK && bpf_core_type_exists(struct netlink_sock)) {
		struct netlink_sock *netlink = (void *)sk;
		unsigned long *groups = BPF_CORE_READ(netlink, groups);

		socket->valid |= FDINFO_KNOWS_DETAIL;
		socket->local_port = BPF_CORE_READ(netlink, portid);
		socket->remote_port = BPF_CORE_READ(netlink, dst_portid);
		if (groups)
			bpf_probe_read_kernel(&socket->groups, 4, groups);
		loads_in_order();
		/* Looked at once more: netlink_realloc_groups() frees the array that it grew from. */
		if (BPF_CORE_READ(netlink, groups) != groups) {
			socket->groups = 0;
			socket->valid &= ~FDINFO_KNOWS_DETAIL;
		}
	} else if (family == AF_PACKET && bpf_core_type_exists(struct packet_sock)) {
		struct packet_sock *packet = (void *)sk;

		socket->valid |= FDINFO_KNOWS_DETAIL;
		socket->interface = BPF_CORE_READ(packet, ifindex);
		socket->protocol = from_network(BPF_CORE_READ(packet, num));
	} else if (family == AF_VSOCK && bpf_core_type_exists(struct vsock_sock)) {
		struct vsock_sock *vsock = (void *)sk;

		socket->valid |= FDINFO_KNOWS_DETAIL;
		socket->local_cid = BPF_CORE_READ(vsock, local_addr.svm_cid);
		socket->local_port = BPF_CORE_READ(vsock, local_addr.svm_port);
		socket->remote_cid = BPF_CORE_READ(vsock, remote_addr.svm_cid);
		socket->remote_port = BPF_CORE_READ(vsock, remote_addr.svm_port);
	}
}

/* Type and facts of a socket whose file was really opened (one by O_PATH has no private_data). */
__noinline int read_socket(struct subject *s)
{
	struct socket *socket;
	struct sock *sk;
	__u16 family, protocol, socket_type;

	if (!s)
		return 0;
	ZERO_CLASS(s);
	socket = CAST((void *)s->private_data, struct socket);
	sk = READ(socket, sk);
	if (!sk)
		return 0;
	family = READ(sk, __sk_common.skc_family);
	protocol = READ(sk, sk_protocol);
	socket_type = READ(sk, sk_type);
	if (family == AF_INET || family == AF_INET6) {
		s->record.type = inet_type(protocol, socket_type);
		read_inet(s, sk, family, protocol);
		return 0;
	}
	s->record.type = type_of_family(family);
	SET_CLASS(s, socket, FDINFO_A_SOCKET);
	s->class.socket.family = family;
	s->class.socket.socket_type = socket_type;
	s->class.socket.protocol = protocol;
	s->class.socket.state = READ(sk, __sk_common.skc_state);
	s->class.socket.netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	s->class.socket.valid = FDINFO_KNOWS_NETNS | shutdown_of(sk);
	read_other(s, sk, family);
	return 0;
}

#endif
