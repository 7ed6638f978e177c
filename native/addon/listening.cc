// The listeners of a network namespace, read one by one: of TCP with their addresses and drops, and those of UNIX.
#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <napi.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "addon/arguments.h"
#include "addon/bound_address.h"
#include "addon/diag.h"
#include "addon/exported.h"
#include "addon/parts.h"
#include "base/os_error.h"

namespace one_listener {
namespace {

constexpr uint32_t kListen = 1u << 10;

using OnAttribute = std::function<void(uint16_t type, std::string_view bytes)>;

// The attributes in `left` bytes from `first` on.
void ForEachAttribute(const rtattr* first, size_t left, const OnAttribute& on) {
  for (const rtattr* at = first; RTA_OK(at, left); at = RTA_NEXT(at, left))
    on(at->rta_type & NLA_TYPE_MASK, {static_cast<const char*>(RTA_DATA(at)), RTA_PAYLOAD(at)});
}

// Those behind the fixed part of a message of the dump.
template <typename Fixed>
void ForEachAttribute(const nlmsghdr& message, const OnAttribute& on) {
  const size_t fixed = NLMSG_ALIGN(sizeof(Fixed)), payload = NLMSG_PAYLOAD(&message, 0);
  if (payload < fixed) return;
  const char* data = static_cast<const char*>(NLMSG_DATA(&message));
  ForEachAttribute(reinterpret_cast<const rtattr*>(data + fixed), payload - fixed, on);
}

// The number at `index` of an attribute that holds an array of them; 0 if it is shorter.
uint32_t NumberAt(std::string_view bytes, size_t index) {
  uint32_t number = 0;
  if (bytes.size() >= (index + 1) * sizeof number)
    std::memcpy(&number, bytes.data() + index * sizeof number, sizeof number);
  return number;
}

struct Listening {
  BoundAddress bound;
  uint16_t port;
  bool v6only;
  uint32_t acceptQueue, maximum, drops, inode;
  std::string ulp;
};

Listening ListeningOf(const nlmsghdr& message) {
  const auto& socket = *static_cast<const inet_diag_msg*>(NLMSG_DATA(&message));
  Listening found{BoundAddress::Of(socket), ntohs(socket.id.idiag_sport), false, socket.idiag_rqueue,
      socket.idiag_wqueue, 0, socket.idiag_inode, ""};
  ForEachAttribute<inet_diag_msg>(message, [&](uint16_t type, std::string_view bytes) {
    if (type == INET_DIAG_SKV6ONLY) found.v6only = !bytes.empty() && bytes[0] != 0;
    // sk_drops, which tcp_listendrop() counts for the listener beside the namespace's ListenDrops
    if (type == INET_DIAG_SKMEMINFO) found.drops = NumberAt(bytes, SK_MEMINFO_DROPS);
    if (type != INET_DIAG_ULP_INFO) return;
    ForEachAttribute(
        reinterpret_cast<const rtattr*>(bytes.data()), bytes.size(), [&](uint16_t inner, std::string_view name) {
          if (inner == INET_ULP_INFO_NAME) found.ulp = name.substr(0, name.find('\0'));
        });
  });
  return found;
}

Napi::Object Row(Napi::Env env, const Listening& found) {
  std::array<char, IF_NAMESIZE> name{};
  const uint32_t device = found.bound.device;
  Napi::Object row = Napi::Object::New(env);
  row.Set("version", found.bound.family == AF_INET6 ? 6 : 4);
  row.Set("address", found.bound.Text());
  row.Set("device", device);
  row.Set("deviceName", device != 0 && if_indextoname(device, name.data()) != nullptr ? name.data() : "");
  row.Set("port", found.port);
  row.Set("v6only", found.v6only);
  row.Set("acceptQueue", found.acceptQueue);
  row.Set("maximum", found.maximum);
  row.Set("drops", found.drops);
  row.Set("inode", found.inode);
  row.Set("ulp", found.ulp);
  return row;
}

template <typename Found>
Napi::Array Rows(Napi::Env env, const std::vector<Found>& found) {
  Napi::Array rows = Napi::Array::New(env, found.size());
  for (uint32_t at = 0; at < found.size(); ++at) rows.Set(at, Row(env, found[at]));
  return rows;
}

// listening(diagFd): ListeningSocket[]
Napi::Value TcpListening(const Napi::CallbackInfo& info) {
  int fd = FileDescriptor(info[0], "diagFd");
  RequireDiagSocket(fd);
  std::vector<Listening> found;
  for (int family : {AF_INET, AF_INET6}) {
    struct {
      nlmsghdr header;
      inet_diag_req_v2 wanted;
    } request{};
    request.header.nlmsg_len = sizeof request;
    request.wanted.sdiag_family = static_cast<uint8_t>(family);
    request.wanted.sdiag_protocol = IPPROTO_TCP;
    // the ULP is told beside INET_DIAG_INFO only (inet_sk_diag_fill, tcp_diag_get_aux)
    request.wanted.idiag_ext = 1u << (INET_DIAG_SKMEMINFO - 1) | 1u << (INET_DIAG_INFO - 1);
    request.wanted.idiag_states = kListen;
    int error = Dump(fd, request.header, [&](const nlmsghdr& message) { found.push_back(ListeningOf(message)); });
    if (error != 0) throw OsError{error, "sock_diag"};
  }
  return Rows(info.Env(), found);
}

struct UnixListening {
  std::string name;
  uint32_t acceptQueue, maximum, inode;
};

// unix(7): a path may end in a null byte; an abstract name begins with one, which ss(8) shows as @.
std::string Shown(std::string_view name) {
  std::string shown(name.empty() || name[0] == 0 ? name : name.substr(0, name.find('\0')));
  std::replace(shown.begin(), shown.end(), '\0', '@');
  return shown;
}

Napi::Object Row(Napi::Env env, const UnixListening& found) {
  Napi::Object row = Napi::Object::New(env);
  row.Set("name", found.name);
  row.Set("acceptQueue", found.acceptQueue);
  row.Set("maximum", found.maximum);
  row.Set("inode", found.inode);
  return row;
}

// unixListening(diagFd): UnixListeningSocket[]
Napi::Value UnixListeningSockets(const Napi::CallbackInfo& info) {
  int fd = FileDescriptor(info[0], "diagFd");
  RequireDiagSocket(fd);
  std::vector<UnixListening> found;
  struct {
    nlmsghdr header;
    unix_diag_req wanted;
  } request{};
  request.header.nlmsg_len = sizeof request;
  request.wanted.sdiag_family = AF_UNIX;
  request.wanted.udiag_states = kListen;
  request.wanted.udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_RQLEN;
  int error = Dump(fd, request.header, [&](const nlmsghdr& message) {
    UnixListening each{"", 0, 0, static_cast<const unix_diag_msg*>(NLMSG_DATA(&message))->udiag_ino};
    ForEachAttribute<unix_diag_msg>(message, [&](uint16_t type, std::string_view bytes) {
      if (type == UNIX_DIAG_NAME) each.name = Shown(bytes);
      // struct unix_diag_rqlen of a listener: connections that wait, and listen()'s backlog (sk_diag_show_rqlen)
      if (type == UNIX_DIAG_RQLEN) each.acceptQueue = NumberAt(bytes, 0), each.maximum = NumberAt(bytes, 1);
    });
    found.push_back(std::move(each));
  });
  if (error != 0) throw OsError{error, "sock_diag"};
  return Rows(info.Env(), found);
}

}  // namespace

void InitListening(Napi::Env env, Napi::Object exports) {
  Export<TcpListening>(env, exports, "listening");
  Export<UnixListeningSockets>(env, exports, "unixListening");
}

}  // namespace one_listener
