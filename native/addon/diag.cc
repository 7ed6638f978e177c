#include "addon/diag.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <napi.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <optional>
#include <span>
#include <vector>

#include "addon/arguments.h"
#include "addon/column.h"
#include "addon/exported.h"
#include "addon/parts.h"
#include "base/os_error.h"

namespace one_listener {
namespace {

struct DumpRequest {
  nlmsghdr header;
  inet_diag_req_v2 wanted;
};

int Option(int fd, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  Require(getsockopt(fd, SOL_SOCKET, name, &value, &size), "getsockopt");
  return value;
}

}  // namespace

void RequireDiagSocket(int diagFd) {
  if (Option(diagFd, SO_DOMAIN) != AF_NETLINK || Option(diagFd, SO_PROTOCOL) != NETLINK_SOCK_DIAG)
    throw OsError{EPROTONOSUPPORT, "sock_diag"};
}

namespace {

// A part of a dump's answer: 0 at its end, an errno where the kernel has given up, nothing while more is to come.
std::optional<int> ReadPart(
    std::span<char> part, uint32_t sequence, const std::function<void(const inet_diag_msg&)>& onSocket) {
  size_t left = part.size();
  for (auto* message = reinterpret_cast<nlmsghdr*>(part.data()); NLMSG_OK(message, left);
      message = NLMSG_NEXT(message, left)) {
    if (message->nlmsg_seq != sequence) continue;  // the rest of a dump that failed midway
    void* data = NLMSG_DATA(message);
    switch (message->nlmsg_type) {
      case NLMSG_ERROR: return -static_cast<nlmsgerr*>(data)->error;
      case NLMSG_DONE:
        // What the dump itself has returned, 0 or a negative errno (netlink_dump_done).
        return message->nlmsg_len < NLMSG_LENGTH(sizeof(int)) ? 0 : std::max(0, -*static_cast<int*>(data));
      default: onSocket(*static_cast<inet_diag_msg*>(data));
    }
  }
  return std::nullopt;
}

}  // namespace

int DumpSockets(int diagFd, const DumpQuery& query, const std::function<void(const inet_diag_msg&)>& onSocket) {
  static std::atomic<uint32_t> sequence{0};
  DumpRequest request{};
  request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.header.nlmsg_seq = ++sequence;
  request.header.nlmsg_len = sizeof request;
  request.wanted.sdiag_family = query.family;
  request.wanted.sdiag_protocol = query.protocol;
  request.wanted.idiag_states = query.states;
  request.wanted.id.idiag_sport = htons(query.port);
  if (send(diagFd, &request, sizeof request, MSG_NOSIGNAL) < 0) return errno;

  alignas(nlmsghdr) std::array<char, 8 * 1024> buffer;
  int lost = 0;
  for (;;) {
    // Each part of the answer is there before it is asked for (netlink_dump): if none is, the kernel has given up.
    // MSG_TRUNC: the size of the whole message, also if it was cut.
    ssize_t size = recv(diagFd, buffer.data(), buffer.size(), MSG_DONTWAIT | MSG_TRUNC);
    if (size < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN) return lost != 0 ? lost : ENOBUFS;
      if (errno != ENOBUFS) return errno;
      lost = ENOBUFS;  // the dump goes on all the same, and must be read to its end
      continue;
    }
    if (static_cast<size_t>(size) > buffer.size()) lost = EMSGSIZE;
    size_t here = std::min(static_cast<size_t>(size), buffer.size());
    std::optional<int> end = ReadPart({buffer.data(), here}, request.header.nlmsg_seq, onSocket);
    if (end) return *end != 0 ? *end : lost;
  }
}

namespace {

// Of an IPv6 socket the last four bytes: those of an IPv4-mapped address, and 0 for ::.
uint32_t Ipv4(const inet_diag_msg& socket, const __be32 (&address)[4]) {
  return ntohl(address[socket.idiag_family == AF_INET6 ? 3 : 0]);
}

// diag(diagFd, stateMask, port, version = 4, protocol = 6): DiagRows
Napi::Value Diag(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  int fd = FileDescriptor(info[0], "diagFd");
  DumpQuery query{AF_INET, static_cast<uint32_t>(Integer(info[1], "stateMask", 0, UINT32_MAX)),
      static_cast<uint16_t>(Integer(info[2], "port", 0, 65535))};
  if (!info[3].IsUndefined() && Integer(info[3], "version", 4, 6) == 6) query.family = AF_INET6;
  if (!info[4].IsUndefined()) query.protocol = static_cast<uint8_t>(Integer(info[4], "protocol", 0, 255));
  RequireDiagSocket(fd);
  std::vector<inet_diag_msg> sockets;
  int error = DumpSockets(fd, query, [&](const inet_diag_msg& socket) { sockets.push_back(socket); });
  if (error != 0) throw OsError{error, "sock_diag"};
  Napi::Object rows = Napi::Object::New(env);
  rows.Set("length", Napi::Number::New(env, static_cast<double>(sockets.size())));
  SetColumn<Napi::Uint8Array>(rows, "state", sockets, [](auto& s) { return s.idiag_state; });
  SetColumn<Napi::Uint32Array>(rows, "localAddress", sockets, [](auto& s) { return Ipv4(s, s.id.idiag_src); });
  SetColumn<Napi::Uint16Array>(rows, "localPort", sockets, [](auto& s) { return ntohs(s.id.idiag_sport); });
  SetColumn<Napi::Uint32Array>(rows, "remoteAddress", sockets, [](auto& s) { return Ipv4(s, s.id.idiag_dst); });
  SetColumn<Napi::Uint16Array>(rows, "remotePort", sockets, [](auto& s) { return ntohs(s.id.idiag_dport); });
  SetColumn<Napi::Uint8Array>(rows, "timer", sockets, [](auto& s) { return s.idiag_timer; });
  SetColumn<Napi::Uint8Array>(rows, "retransmits", sockets, [](auto& s) { return s.idiag_retrans; });
  SetColumn<Napi::Uint32Array>(rows, "expires", sockets, [](auto& s) { return s.idiag_expires; });
  SetColumn<Napi::Uint32Array>(rows, "receiveQueue", sockets, [](auto& s) { return s.idiag_rqueue; });
  SetColumn<Napi::Uint32Array>(rows, "sendQueue", sockets, [](auto& s) { return s.idiag_wqueue; });
  SetColumn<Napi::Float64Array>(rows, "inode", sockets, [](auto& s) { return static_cast<double>(s.idiag_inode); });
  return rows;
}

// diagSocket(): number
Napi::Value DiagSocket(const Napi::CallbackInfo& info) {
  return Napi::Number::New(
      info.Env(), Require(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG), "socket"));
}

}  // namespace

void InitDiag(Napi::Env env, Napi::Object exports) {
  Export<Diag>(env, exports, "diag");
  Export<DiagSocket>(env, exports, "diagSocket");
}

}  // namespace one_listener
