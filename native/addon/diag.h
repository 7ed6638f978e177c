#pragma once
#include <linux/inet_diag.h>
#include <netinet/in.h>

#include <cstdint>
#include <functional>

namespace one_listener {

// Which sockets a sock_diag dump shows.
struct DumpQuery {
  uint8_t family;                  // AF_INET or AF_INET6
  uint32_t states;                 // 1 << TCP_SYN_RECV, …
  uint16_t port;                   // the local one, host order; 0: any
  uint8_t protocol = IPPROTO_TCP;  // or another one that sock_diag knows
};

// One sock_diag dump; `onSocket` is called for each socket, and the message is valid during the call. Returns 0 or an
// errno: ENOBUFS, EMSGSIZE: rows were lost; ENOENT: the kernel has no tcp_diag, or none of that protocol
// (inet_diag_lock_handler). The kernel walks the namespace's established-hash for all states but LISTEN
// (inet_diag_dump_icsk), so the cost grows with its buckets. For one thread at a time on one descriptor.
int DumpSockets(int diagFd, const DumpQuery& query, const std::function<void(const inet_diag_msg&)>& onSocket);

// @throws OsError EPROTONOSUPPORT: not the descriptor of a NETLINK_SOCK_DIAG socket, which might never answer; EBADF
void RequireDiagSocket(int diagFd);

}  // namespace one_listener
