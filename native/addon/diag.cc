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

constexpr uint8_t kSynRecvState = 3;

// The attributes behind the message of one socket.
SeenSocket Seen(const nlmsghdr& header) {
  auto* message = static_cast<const inet_diag_msg*>(NLMSG_DATA(&header));
  SeenSocket seen{*message};
  bool socket = false;
  auto* attribute =
      reinterpret_cast<const rtattr*>(reinterpret_cast<const char*>(message) + NLMSG_ALIGN(sizeof *message));
  for (auto left = static_cast<int>(header.nlmsg_len - NLMSG_LENGTH(NLMSG_ALIGN(sizeof *message)));
      RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
    switch (attribute->rta_type) {
      case INET_DIAG_MARK: std::memcpy(&seen.mark, RTA_DATA(attribute), sizeof seen.mark); break;
      case INET_DIAG_SHUTDOWN: socket = true; break;
      case INET_DIAG_SKV6ONLY: seen.v6only = *static_cast<const uint8_t*>(RTA_DATA(attribute)) != 0; break;
      default: break;
    }
  }
  seen.request = message->idiag_state == kSynRecvState && !socket;
  return seen;
}

// A part of a dump's answer: 0 at its end, an errno where the kernel has given up, nothing while more is to come.
std::optional<int> ReadPart(
    std::span<char> part, uint32_t sequence, const std::function<void(const nlmsghdr&)>& onMessage) {
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
      default: onMessage(*message);
    }
  }
  return std::nullopt;
}

}  // namespace

int Dump(int diagFd, nlmsghdr& request, const std::function<void(const nlmsghdr&)>& onMessage) {
  static std::atomic<uint32_t> sequence{0};
  request.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.nlmsg_seq = ++sequence;
  if (send(diagFd, &request, request.nlmsg_len, MSG_NOSIGNAL) < 0) return errno;

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
    std::optional<int> end = ReadPart({buffer.data(), here}, request.nlmsg_seq, onMessage);
    if (end) return *end != 0 ? *end : lost;
  }
}

int DumpSockets(int diagFd, const DumpQuery& query, const std::function<void(const SeenSocket&)>& onSocket) {
  DumpRequest request{};
  request.header.nlmsg_len = sizeof request;
  request.wanted.sdiag_family = query.family;
  request.wanted.sdiag_protocol = query.protocol;
  request.wanted.idiag_states = query.states;
  request.wanted.id.idiag_sport = htons(query.port);
  return Dump(diagFd, request.header, [&](const nlmsghdr& message) { onSocket(Seen(message)); });
}

namespace {

// A socket's row, which outlives the dump's message.
struct Row {
  inet_diag_msg socket;
  uint32_t mark;
  bool request, v6only;
};

// Of an IPv6 socket the last four bytes: those of an IPv4-mapped address, and 0 for ::.
uint32_t Ipv4(const Row& row, const __be32 (&address)[4]) {
  return ntohl(address[row.socket.idiag_family == AF_INET6 ? 3 : 0]);
}

// The addresses of IPv6 sockets as text (RFC 5952, inet_ntop(3)); of IPv4 sockets an empty array, as numbers tell them.
template <typename Of>
Napi::Array Ipv6Texts(Napi::Env env, const std::vector<Row>& rows, Of of) {
  const bool version6 = !rows.empty() && rows.front().socket.idiag_family == AF_INET6;
  Napi::Array texts = Napi::Array::New(env, version6 ? rows.size() : 0);
  std::array<char, INET6_ADDRSTRLEN> text{};
  for (uint32_t at = 0; at < texts.Length(); ++at)
    texts.Set(at, inet_ntop(AF_INET6, of(rows[at].socket.id), text.data(), text.size()));
  return texts;
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
  std::vector<Row> sockets;
  int error = DumpSockets(fd, query,
      [&](const SeenSocket& seen) { sockets.push_back({seen.message, seen.mark, seen.request, seen.v6only}); });
  if (error != 0) throw OsError{error, "sock_diag"};
  Napi::Object rows = Napi::Object::New(env);
  rows.Set("length", Napi::Number::New(env, static_cast<double>(sockets.size())));
  SetColumn<Napi::Uint8Array>(rows, "state", sockets, [](auto& r) { return r.socket.idiag_state; });
  SetColumn<Napi::Uint32Array>(rows, "localAddress", sockets, [](auto& r) { return Ipv4(r, r.socket.id.idiag_src); });
  SetColumn<Napi::Uint16Array>(rows, "localPort", sockets, [](auto& r) { return ntohs(r.socket.id.idiag_sport); });
  SetColumn<Napi::Uint32Array>(rows, "remoteAddress", sockets, [](auto& r) { return Ipv4(r, r.socket.id.idiag_dst); });
  SetColumn<Napi::Uint16Array>(rows, "remotePort", sockets, [](auto& r) { return ntohs(r.socket.id.idiag_dport); });
  rows.Set("localAddress6", Ipv6Texts(env, sockets, [](auto& id) { return id.idiag_src; }));
  rows.Set("remoteAddress6", Ipv6Texts(env, sockets, [](auto& id) { return id.idiag_dst; }));
  SetColumn<Napi::Uint8Array>(rows, "v6only", sockets, [](auto& r) { return r.v6only; });
  SetColumn<Napi::Uint8Array>(rows, "request", sockets, [](auto& r) { return r.request; });
  SetColumn<Napi::Uint32Array>(rows, "mark", sockets, [](auto& r) { return r.mark; });
  SetColumn<Napi::Uint8Array>(rows, "timer", sockets, [](auto& r) { return r.socket.idiag_timer; });
  SetColumn<Napi::Uint8Array>(rows, "retransmits", sockets, [](auto& r) { return r.socket.idiag_retrans; });
  SetColumn<Napi::Uint32Array>(rows, "expires", sockets, [](auto& r) { return r.socket.idiag_expires; });
  SetColumn<Napi::Uint32Array>(rows, "receiveQueue", sockets, [](auto& r) { return r.socket.idiag_rqueue; });
  SetColumn<Napi::Uint32Array>(rows, "sendQueue", sockets, [](auto& r) { return r.socket.idiag_wqueue; });
  SetColumn<Napi::Float64Array>(
      rows, "inode", sockets, [](auto& r) { return static_cast<double>(r.socket.idiag_inode); });
  return rows;
}

// requestCount(diagFd, port, mark): number. Notebooks read a SYN queue in loops, so no table is made of it.
Napi::Value RequestCount(const Napi::CallbackInfo& info) {
  int fd = FileDescriptor(info[0], "diagFd");
  DumpQuery query{AF_INET, kRequests, static_cast<uint16_t>(Integer(info[1], "port", 1, 65535))};
  const auto mark = static_cast<uint32_t>(Integer(info[2], "mark", 0, UINT32_MAX));
  RequireDiagSocket(fd);
  uint32_t count = 0;
  int error = DumpSockets(fd, query, [&](const SeenSocket& seen) { count += mark == 0 || seen.mark == mark ? 1 : 0; });
  if (error != 0) throw OsError{error, "sock_diag"};
  return Napi::Number::New(info.Env(), count);
}

// diagSocket(): number
Napi::Value DiagSocket(const Napi::CallbackInfo& info) {
  return Napi::Number::New(
      info.Env(), Require(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG), "socket"));
}

}  // namespace

void InitDiag(Napi::Env env, Napi::Object exports) {
  Export<Diag>(env, exports, "diag");
  Export<RequestCount>(env, exports, "requestCount");
  Export<DiagSocket>(env, exports, "diagSocket");
}

}  // namespace one_listener
