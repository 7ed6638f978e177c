// One system call of a socket each. Descriptors are plain numbers here; who owns them is decided in TypeScript.
#include <arpa/inet.h>
#include <linux/tcp.h>
#include <napi.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstring>
#include <limits>
#include <vector>

#include "addon/arguments.h"
#include "addon/exported.h"
#include "addon/parts.h"
#include "addon/system_error.h"
#include "base/os_error.h"

namespace one_listener {
namespace {

constexpr int64_t kInt = std::numeric_limits<int>::max();

sockaddr_in EndpointOf(const Napi::CallbackInfo& info, size_t at) {
  sockaddr_in place{};
  place.sin_family = AF_INET;
  place.sin_addr.s_addr = Ipv4(info[at], "address");
  place.sin_port = htons(static_cast<uint16_t>(Integer(info[at + 1], "port", 0, 65535)));
  return place;
}

Napi::Value MakeEndpoint(Napi::Env env, const sockaddr_in& place) {
  char text[INET_ADDRSTRLEN] = "";
  inet_ntop(AF_INET, &place.sin_addr, text, sizeof text);
  Napi::Object made = Napi::Object::New(env);
  made.Set("address", text);
  made.Set("port", ntohs(place.sin_port));
  return made;
}

void Bind(const Napi::CallbackInfo& info) {
  sockaddr_in place = EndpointOf(info, 1);
  Require(bind(FileDescriptor(info[0]), reinterpret_cast<sockaddr*>(&place), sizeof place), "bind");
}

void Listen(const Napi::CallbackInfo& info) {
  int backlog = static_cast<int>(Integer(info[1], "backlog", std::numeric_limits<int>::min(), kInt));
  Require(listen(FileDescriptor(info[0]), backlog), "listen");
}

Napi::Value Connect(const Napi::CallbackInfo& info) {
  sockaddr_in place = EndpointOf(info, 1);
  if (connect(FileDescriptor(info[0]), reinterpret_cast<sockaddr*>(&place), sizeof place) == 0)
    return Napi::Boolean::New(info.Env(), true);
  if (errno == EINPROGRESS) return Napi::Boolean::New(info.Env(), false);
  throw OsError{errno, "connect"};
}

int AcceptOne(int fd) {
  for (;;) {
    int made = accept4(fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (made >= 0 || errno != EINTR) return made;
  }
}

Napi::Value Accept(const Napi::CallbackInfo& info) {
  int made = AcceptOne(FileDescriptor(info[0]));
  if (made < 0 && errno != EAGAIN) throw OsError{errno, "accept4"};
  return Napi::Number::New(info.Env(), made);
}

Napi::Value AcceptAll(const Napi::CallbackInfo& info) {
  int fd = FileDescriptor(info[0]);
  size_t limit = static_cast<size_t>(Integer(info[1], "limit", 0, kInt));
  std::vector<int> made;
  while (made.size() < limit) {
    int one = AcceptOne(fd);
    if (one >= 0) {
      made.push_back(one);
      continue;
    }
    if (errno != EAGAIN && made.empty()) throw OsError{errno, "accept4"};
    break;
  }
  Napi::Int32Array fds = Napi::Int32Array::New(info.Env(), made.size());
  if (!made.empty()) std::memcpy(fds.Data(), made.data(), made.size() * sizeof(int));
  return fds;
}

template <int (*Call)(int, sockaddr*, socklen_t*)>
Napi::Value NameOf(const Napi::CallbackInfo& info, const char* syscall) {
  sockaddr_in place{};
  socklen_t size = sizeof place;
  Require(Call(FileDescriptor(info[0]), reinterpret_cast<sockaddr*>(&place), &size), syscall);
  return MakeEndpoint(info.Env(), place);
}
int SocketName(int fd, sockaddr* place, socklen_t* size) { return getsockname(fd, place, size); }
int PeerName(int fd, sockaddr* place, socklen_t* size) { return getpeername(fd, place, size); }
Napi::Value GetSockName(const Napi::CallbackInfo& info) { return NameOf<SocketName>(info, "getsockname"); }
Napi::Value GetPeerName(const Napi::CallbackInfo& info) { return NameOf<PeerName>(info, "getpeername"); }

void SetSockOpt(const Napi::CallbackInfo& info) {
  int value = static_cast<int>(Integer(info[3], "value", std::numeric_limits<int>::min(), kInt));
  int level = static_cast<int>(Integer(info[1], "level", 0, kInt)),
      name = static_cast<int>(Integer(info[2], "name", 0, kInt));
  Require(setsockopt(FileDescriptor(info[0]), level, name, &value, sizeof value), "setsockopt");
}

Napi::Value GetSockOpt(const Napi::CallbackInfo& info) {
  int value = 0;
  socklen_t size = sizeof value;
  int level = static_cast<int>(Integer(info[1], "level", 0, kInt)),
      name = static_cast<int>(Integer(info[2], "name", 0, kInt));
  Require(getsockopt(FileDescriptor(info[0]), level, name, &value, &size), "getsockopt");
  return Napi::Number::New(info.Env(), value);
}

void SetLinger(const Napi::CallbackInfo& info) {
  linger value{1, static_cast<int>(Integer(info[1], "seconds", 0, 65535))};
  Require(setsockopt(FileDescriptor(info[0]), SOL_SOCKET, SO_LINGER, &value, sizeof value), "setsockopt");
}

Napi::Value GetTcpInfo(const Napi::CallbackInfo& info) {
  tcp_info data{};
  socklen_t size = sizeof data;
  Require(getsockopt(FileDescriptor(info[0]), IPPROTO_TCP, TCP_INFO, &data, &size), "getsockopt");
  Napi::Object made = Napi::Object::New(info.Env());
  auto set = [&](const char* name, double value) { made.Set(name, Napi::Number::New(info.Env(), value)); };
  set("state", data.tcpi_state);
  set("unacked", data.tcpi_unacked);
  set("sacked", data.tcpi_sacked);
  set("retransmits", data.tcpi_retransmits);
  set("totalRetrans", data.tcpi_total_retrans);
  set("rtt", data.tcpi_rtt / 1e3);
  set("rttVar", data.tcpi_rttvar / 1e3);
  set("options", data.tcpi_options);
  set("sndWscale", data.tcpi_snd_wscale);
  set("rcvWscale", data.tcpi_rcv_wscale);
  set("sndMss", data.tcpi_snd_mss);
  set("rcvMss", data.tcpi_rcv_mss);
  set("advMss", data.tcpi_advmss);
  set("pmtu", data.tcpi_pmtu);
  set("bytesAcked", static_cast<double>(data.tcpi_bytes_acked));
  set("bytesReceived", static_cast<double>(data.tcpi_bytes_received));
  set("segsOut", data.tcpi_segs_out);
  set("segsIn", data.tcpi_segs_in);
  return made;
}

// Notebooks look at the accept queue in loops, so this call should cost little more than the system call itself: a
// plain N-API function without arguments, whose descriptor rides in its data pointer.
napi_value ReadAcceptQueue(napi_env env, napi_callback_info info) {
  void* data;
  napi_value made = nullptr;
  napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data);
  tcp_info reading;
  socklen_t size = offsetof(tcp_info, tcpi_sacked);
  if (getsockopt(static_cast<int>(reinterpret_cast<intptr_t>(data)), IPPROTO_TCP, TCP_INFO, &reading, &size) < 0) {
    SystemError(env, errno, "getsockopt").ThrowAsJavaScriptException();
    return nullptr;
  }
  napi_create_uint32(env, reading.tcpi_unacked, &made);
  return made;
}

// acceptQueueReader(fd): () => number
Napi::Value AcceptQueueReader(const Napi::CallbackInfo& info) {
  napi_value made;
  napi_create_function(info.Env(), "acceptQueue", NAPI_AUTO_LENGTH, ReadAcceptQueue,
      // NOLINTNEXTLINE(performance-no-int-to-ptr): never followed, ReadAcceptQueue() makes a number of it again
      reinterpret_cast<void*>(static_cast<intptr_t>(FileDescriptor(info[0]))), &made);
  return Napi::Value(info.Env(), made);
}

Napi::Value Transferred(Napi::Env env, ssize_t size, const char* syscall) {
  if (size < 0 && errno != EAGAIN) throw OsError{errno, syscall};
  return Napi::Number::New(env, static_cast<double>(size));
}

Napi::Value Recv(const Napi::CallbackInfo& info) {
  Napi::Uint8Array into = Bytes(info[1], "into");
  return Transferred(
      info.Env(), recv(FileDescriptor(info[0]), into.Data(), into.ElementLength(), MSG_DONTWAIT), "recv");
}

Napi::Value Send(const Napi::CallbackInfo& info) {
  Napi::Uint8Array data = Bytes(info[1], "data");
  return Transferred(info.Env(),
      send(FileDescriptor(info[0]), data.Data(), data.ElementLength(), MSG_DONTWAIT | MSG_NOSIGNAL), "send");
}

void Shutdown(const Napi::CallbackInfo& info) {
  Require(shutdown(FileDescriptor(info[0]), static_cast<int>(Integer(info[1], "how", 0, 2))), "shutdown");
}

}  // namespace

void InitSockets(Napi::Env env, Napi::Object exports) {
  Export<Bind>(env, exports, "bind");
  Export<Listen>(env, exports, "listen");
  Export<Connect>(env, exports, "connect");
  Export<Accept>(env, exports, "accept");
  Export<AcceptAll>(env, exports, "acceptAll");
  Export<GetSockName>(env, exports, "getsockname");
  Export<GetPeerName>(env, exports, "getpeername");
  Export<SetSockOpt>(env, exports, "setsockopt");
  Export<GetSockOpt>(env, exports, "getsockopt");
  Export<SetLinger>(env, exports, "setLinger");
  Export<GetTcpInfo>(env, exports, "tcpInfo");
  Export<AcceptQueueReader>(env, exports, "acceptQueueReader");
  Export<Recv>(env, exports, "recv");
  Export<Send>(env, exports, "send");
  Export<Shutdown>(env, exports, "shutdown");
}

}  // namespace one_listener
