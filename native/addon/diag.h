#pragma once
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <netinet/in.h>

#include <cstdint>
#include <functional>

namespace one_listener {

// TCP_NEW_SYN_RECV in idiag_states: requests alone. TCP_SYN_RECV would also give Fast Open connections, which are
// sockets and wait in the accept queue (inet_diag_dump_icsk).
constexpr uint32_t kRequests = 1u << 12;

// Which sockets a sock_diag dump shows.
struct DumpQuery {
  uint8_t family;                  // AF_INET or AF_INET6
  uint32_t states;                 // 1 << TCP_SYN_RECV, …
  uint16_t port;                   // the local one, host order; 0: any
  uint8_t protocol = IPPROTO_TCP;  // or another one that sock_diag knows
};

// A socket as a dump tells of it.
struct SeenSocket {
  const inet_diag_msg& message;
  // SO_MARK; of a request that of its listener (inet_request_mark). 0: it has none, or the kernel does not tell it:
  // that takes CAP_NET_ADMIN over the namespace.
  uint32_t mark = 0;
  // A request_sock. With Fast Open a socket, too, may be in SYN_RECV. Only of sockets the kernel tells
  // INET_DIAG_SHUTDOWN (inet_diag_msg_attrs_fill).
  bool request = false;
  bool v6only = false;  // IPV6_V6ONLY, told of IPv6 listeners
};

// One sock_diag dump of any family: `request` heads a whole request of request.nlmsg_len bytes, and its type, flags and
// number are filled in here. `onMessage` is called for each message of the answer, which is valid during the call.
// Returns 0 or an errno: ENOBUFS, EMSGSIZE: messages were lost; ENOENT: the kernel has no sock_diag of this family. For
// one thread at a time on one descriptor.
int Dump(int diagFd, nlmsghdr& request, const std::function<void(const nlmsghdr&)>& onMessage);

// One sock_diag dump; `onSocket` is called for each socket, and the message is valid during the call. Returns 0 or an
// errno: ENOBUFS, EMSGSIZE: rows were lost; ENOENT: the kernel has no tcp_diag, or none of that protocol
// (inet_diag_lock_handler). The kernel walks the namespace's established-hash for all states but LISTEN
// (inet_diag_dump_icsk), so the cost grows with its buckets. For one thread at a time on one descriptor.
int DumpSockets(int diagFd, const DumpQuery& query, const std::function<void(const SeenSocket&)>& onSocket);

// @throws OsError EPROTONOSUPPORT: not the descriptor of a NETLINK_SOCK_DIAG socket, which might never answer; EBADF
void RequireDiagSocket(int diagFd);

}  // namespace one_listener
