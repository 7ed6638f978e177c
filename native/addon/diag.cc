#include "addon/diag.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <napi.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <vector>

#include "addon/arguments.h"
#include "addon/object_class.h"
#include "addon/parts.h"
#include "addon/system_error.h"

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

int DumpSockets(int diagFd, uint8_t family, uint32_t stateMask, uint16_t port,
    const std::function<void(const inet_diag_msg&)>& onSocket) {
  static std::atomic<uint32_t> sequence{0};
  DumpRequest request{};
  request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.header.nlmsg_seq = ++sequence;
  request.header.nlmsg_len = sizeof request;
  request.wanted.sdiag_family = family;
  request.wanted.sdiag_protocol = IPPROTO_TCP;
  request.wanted.idiag_states = stateMask;
  request.wanted.id.idiag_sport = htons(port);  // 0: any
  if (send(diagFd, &request, sizeof request, MSG_NOSIGNAL) < 0) return errno;

  alignas(nlmsghdr) std::array<char, 8 * 1024> buffer;
  int lost = 0;
  for (;;) {
    // Each part of the answer is there before it is asked for (netlink_dump): nothing there means that the kernel gave
    // up.
    ssize_t size = recv(diagFd, buffer.data(), buffer.size(),
        MSG_DONTWAIT | MSG_TRUNC);  // the size of the whole message, also if it was cut
    if (size < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN) return lost != 0 ? lost : ENOBUFS;
      if (errno != ENOBUFS) return errno;
      lost = ENOBUFS;  // the dump goes on all the same, and must be read to its end
      continue;
    }
    auto left = static_cast<size_t>(size);
    if (left > buffer.size()) {
      lost = EMSGSIZE;
      left = buffer.size();
    }
    for (auto* message = reinterpret_cast<nlmsghdr*>(buffer.data()); NLMSG_OK(message, left);
        message = NLMSG_NEXT(message, left)) {
      if (message->nlmsg_seq != request.header.nlmsg_seq) continue;  // the rest of a dump that failed midway
      if (message->nlmsg_type == NLMSG_DONE) return lost;
      if (message->nlmsg_type == NLMSG_ERROR) return -static_cast<nlmsgerr*>(NLMSG_DATA(message))->error;
      onSocket(*static_cast<inet_diag_msg*>(NLMSG_DATA(message)));
    }
  }
}

namespace {

template <typename Array, typename Of>
void SetColumn(Napi::Env env, Napi::Object rows, const char* name, const std::vector<inet_diag_msg>& sockets, Of of) {
  Array column = Array::New(env, sockets.size());
  auto* data = column.Data();
  for (size_t at = 0; at < sockets.size(); ++at) data[at] = of(sockets[at]);
  rows.Set(name, column);
}

// Of an IPv6 socket the last four bytes: those of an IPv4-mapped address, and 0 for ::.
uint32_t Ipv4(const inet_diag_msg& socket, const __be32 (&address)[4]) {
  return ntohl(address[socket.idiag_family == AF_INET6 ? 3 : 0]);
}

// diag(diagFd, stateMask, port, version = 4): DiagRows
Napi::Value Diag(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  std::vector<inet_diag_msg> sockets;
  uint16_t port = static_cast<uint16_t>(Integer(info[2], "port", 0, 65535));
  uint32_t mask = static_cast<uint32_t>(Integer(info[1], "stateMask", 0, UINT32_MAX));
  int fd = FileDescriptor(info[0], "diagFd");
  uint8_t family = AF_INET;
  if (!info[3].IsUndefined() && Integer(info[3], "version", 4, 6) == 6) family = AF_INET6;
  Guarded(env, [&] { RequireDiagSocket(fd); });
  int error = DumpSockets(fd, family, mask, port, [&](const inet_diag_msg& socket) { sockets.push_back(socket); });
  if (error != 0) throw SystemError(env, error, "sock_diag");
  Napi::Object rows = Napi::Object::New(env);
  rows.Set("length", Napi::Number::New(env, static_cast<double>(sockets.size())));
  SetColumn<Napi::Uint8Array>(env, rows, "state", sockets, [](auto& s) { return s.idiag_state; });
  SetColumn<Napi::Uint32Array>(env, rows, "localAddress", sockets, [](auto& s) { return Ipv4(s, s.id.idiag_src); });
  SetColumn<Napi::Uint16Array>(env, rows, "localPort", sockets, [](auto& s) { return ntohs(s.id.idiag_sport); });
  SetColumn<Napi::Uint32Array>(env, rows, "remoteAddress", sockets, [](auto& s) { return Ipv4(s, s.id.idiag_dst); });
  SetColumn<Napi::Uint16Array>(env, rows, "remotePort", sockets, [](auto& s) { return ntohs(s.id.idiag_dport); });
  SetColumn<Napi::Uint8Array>(env, rows, "timer", sockets, [](auto& s) { return s.idiag_timer; });
  SetColumn<Napi::Uint8Array>(env, rows, "retransmits", sockets, [](auto& s) { return s.idiag_retrans; });
  SetColumn<Napi::Uint32Array>(env, rows, "expires", sockets, [](auto& s) { return s.idiag_expires; });
  SetColumn<Napi::Uint32Array>(env, rows, "receiveQueue", sockets, [](auto& s) { return s.idiag_rqueue; });
  SetColumn<Napi::Uint32Array>(env, rows, "sendQueue", sockets, [](auto& s) { return s.idiag_wqueue; });
  SetColumn<Napi::Uint32Array>(env, rows, "uid", sockets, [](auto& s) { return s.idiag_uid; });
  SetColumn<Napi::Float64Array>(
      env, rows, "inode", sockets, [](auto& s) { return static_cast<double>(s.idiag_inode); });
  return rows;
}

// diagSocket(): number
Napi::Value DiagSocket(const Napi::CallbackInfo& info) {
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  if (fd < 0) throw SystemError(info.Env(), errno, "socket");
  return Napi::Number::New(info.Env(), fd);
}

}  // namespace

void InitDiag(Napi::Env env, Napi::Object exports) {
  exports.Set("diag", Napi::Function::New(env, Diag, "diag"));
  exports.Set("diagSocket", Napi::Function::New(env, DiagSocket, "diagSocket"));
}

}  // namespace one_listener
