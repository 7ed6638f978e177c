#pragma once
#include <linux/inet_diag.h>

#include <cstdint>
#include <functional>

namespace one_listener {

// One sock_diag dump of TCP sockets of a family (AF_INET, AF_INET6) in the states of `stateMask` whose local port is
// `port` (0: any). The kernel walks the namespace's established-hash (inet_diag_dump_icsk), so the cost grows with its
// buckets. Returns 0 or an errno.
int DumpSockets(int diagFd, uint8_t family, uint32_t stateMask, uint16_t port,
    const std::function<void(const inet_diag_msg&)>& onSocket);

// @throws OsError EPROTONOSUPPORT: the descriptor is none of a NETLINK_SOCK_DIAG socket, and asking it could wait for
// ever
void RequireDiagSocket(int diagFd);

}  // namespace one_listener
