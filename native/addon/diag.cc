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
#include <cstring>
#include <vector>

#include "addon/arguments.h"
#include "addon/parts.h"
#include "addon/system_error.h"

namespace one_listener {
namespace {

constexpr uint32_t kSynRecv = 3, kNewSynRecv = 12;

struct DumpRequest {
  nlmsghdr header;
  inet_diag_req_v2 wanted;
  rtattr filter;
  inet_diag_bc_op program[4];
};

// "local port >= p and local port <= p": the port of a comparison stands in the `no` field of the operation after it. Offsets are
// in bytes; jumping to the end accepts, beyond the end rejects (inet_diag_bc_run).
void FilterByPort(DumpRequest& request, uint16_t port) {
  request.filter.rta_type = INET_DIAG_REQ_BYTECODE;
  request.filter.rta_len = RTA_LENGTH(sizeof request.program);
  request.program[0] = {INET_DIAG_BC_S_GE, 8, 20};
  request.program[1] = {INET_DIAG_BC_NOP, 0, port};
  request.program[2] = {INET_DIAG_BC_S_LE, 8, 12};
  request.program[3] = {INET_DIAG_BC_NOP, 0, port};
}

}  // namespace

int DumpSockets(int diagFd, uint32_t stateMask, uint16_t port, const std::function<void(const inet_diag_msg&)>& onSocket) {
  static std::atomic<uint32_t> sequence{0};
  DumpRequest request{};
  // Requests are NEW_SYN_RECV inside the kernel and SYN_RECV to those who ask.
  if (stateMask & ((1u << kSynRecv) | (1u << kNewSynRecv))) stateMask |= (1u << kSynRecv) | (1u << kNewSynRecv);
  request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.header.nlmsg_seq = ++sequence;
  request.header.nlmsg_len = port == 0 ? offsetof(DumpRequest, filter) : sizeof request;
  request.wanted.sdiag_family = AF_INET;
  request.wanted.sdiag_protocol = IPPROTO_TCP;
  request.wanted.idiag_states = stateMask;
  if (port != 0) FilterByPort(request, port);
  if (send(diagFd, &request, request.header.nlmsg_len, MSG_NOSIGNAL) < 0) return errno;

  alignas(nlmsghdr) std::array<char, 32 * 1024> buffer;
  for (;;) {
    ssize_t size = recv(diagFd, buffer.data(), buffer.size(), 0);
    if (size < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    auto left = static_cast<size_t>(size);
    for (auto* message = reinterpret_cast<nlmsghdr*>(buffer.data()); NLMSG_OK(message, left); message = NLMSG_NEXT(message, left)) {
      if (message->nlmsg_seq != request.header.nlmsg_seq) continue;  // the rest of a dump that failed midway
      if (message->nlmsg_type == NLMSG_DONE) return 0;
      if (message->nlmsg_type == NLMSG_ERROR) return -static_cast<nlmsgerr*>(NLMSG_DATA(message))->error;
      onSocket(*static_cast<inet_diag_msg*>(NLMSG_DATA(message)));
    }
  }
}

namespace {

template <typename Array, typename Of>
void SetColumn(Napi::Env env, Napi::Object rows, const char* name, const std::vector<inet_diag_msg>& sockets, Of of) {
  Array column = Array::New(env, sockets.size());
  for (size_t at = 0; at < sockets.size(); ++at) column[at] = of(sockets[at]);
  rows.Set(name, column);
}

// diag(diagFd, stateMask, port): DiagRows
Napi::Value Diag(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  std::vector<inet_diag_msg> sockets;
  uint16_t port = static_cast<uint16_t>(Integer(info[2], "port", 0, 65535));
  uint32_t mask = static_cast<uint32_t>(Integer(info[1], "stateMask", 0, UINT32_MAX));
  int error = DumpSockets(FileDescriptor(info[0], "diagFd"), mask, port, [&](const inet_diag_msg& socket) { sockets.push_back(socket); });
  if (error != 0) throw SystemError(env, error, "sock_diag");
  Napi::Object rows = Napi::Object::New(env);
  rows.Set("length", Napi::Number::New(env, static_cast<double>(sockets.size())));
  SetColumn<Napi::Uint8Array>(env, rows, "state", sockets, [](auto& s) { return s.idiag_state; });
  SetColumn<Napi::Uint32Array>(env, rows, "localAddress", sockets, [](auto& s) { return ntohl(s.id.idiag_src[0]); });
  SetColumn<Napi::Uint16Array>(env, rows, "localPort", sockets, [](auto& s) { return ntohs(s.id.idiag_sport); });
  SetColumn<Napi::Uint32Array>(env, rows, "remoteAddress", sockets, [](auto& s) { return ntohl(s.id.idiag_dst[0]); });
  SetColumn<Napi::Uint16Array>(env, rows, "remotePort", sockets, [](auto& s) { return ntohs(s.id.idiag_dport); });
  SetColumn<Napi::Uint8Array>(env, rows, "timer", sockets, [](auto& s) { return s.idiag_timer; });
  SetColumn<Napi::Uint8Array>(env, rows, "retransmits", sockets, [](auto& s) { return s.idiag_retrans; });
  SetColumn<Napi::Uint32Array>(env, rows, "expires", sockets, [](auto& s) { return s.idiag_expires; });
  SetColumn<Napi::Uint32Array>(env, rows, "receiveQueue", sockets, [](auto& s) { return s.idiag_rqueue; });
  SetColumn<Napi::Uint32Array>(env, rows, "sendQueue", sockets, [](auto& s) { return s.idiag_wqueue; });
  SetColumn<Napi::Uint32Array>(env, rows, "uid", sockets, [](auto& s) { return s.idiag_uid; });
  SetColumn<Napi::Float64Array>(env, rows, "inode", sockets, [](auto& s) { return static_cast<double>(s.idiag_inode); });
  return rows;
}

}  // namespace

void InitDiag(Napi::Env env, Napi::Object exports) { exports.Set("diag", Napi::Function::New(env, Diag, "diag")); }

}  // namespace one_listener
