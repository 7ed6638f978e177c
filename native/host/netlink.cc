#include "host/netlink.h"

#include <arpa/inet.h>
#include <linux/ethtool.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

#include <cstring>

#include "base/fd.h"
#include "host/failure.h"

namespace one_listener {
namespace {

// One request under construction; attributes are appended, nested ones closed in reverse order. What does not fit
// throws Failure EMSGSIZE.
class Request {
 public:
  static constexpr size_t kRoom = 1024;

  template <typename Header>
  Request(uint16_t type, uint16_t flags, const Header& header) {
    static_assert(NLMSG_SPACE(sizeof(Header)) <= kRoom);
    auto* message = Message();
    message->nlmsg_len = NLMSG_LENGTH(sizeof(Header));
    message->nlmsg_type = type;
    message->nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
    std::memcpy(NLMSG_DATA(message), &header, sizeof(Header));
  }

  void Add(uint16_t type, const void* data, size_t size) {
    Reserve(RTA_SPACE(size));
    rtattr* attribute = Tail();
    attribute->rta_type = type;
    attribute->rta_len = static_cast<uint16_t>(RTA_LENGTH(size));
    if (size > 0) std::memcpy(RTA_DATA(attribute), data, size);
    Message()->nlmsg_len = static_cast<uint32_t>(NLMSG_ALIGN(Message()->nlmsg_len) + RTA_ALIGN(attribute->rta_len));
  }
  void AddText(uint16_t type, const char* text) { Add(type, text, std::strlen(text) + 1); }
  void AddNumber(uint16_t type, uint32_t number) { Add(type, &number, sizeof number); }

  rtattr* Open(uint16_t type) {
    rtattr* attribute = Tail();
    Add(type, nullptr, 0);
    return attribute;
  }
  void Close(rtattr* attribute) {
    attribute->rta_len = static_cast<uint16_t>(reinterpret_cast<char*>(Tail()) - reinterpret_cast<char*>(attribute));
  }

  // The peer of a veth pair is described by a whole ifinfomsg inside VETH_INFO_PEER.
  void AddInterfaceHeader(int index) {
    Reserve(NLMSG_ALIGN(sizeof(ifinfomsg)));
    ifinfomsg peer{};
    peer.ifi_index = index;
    std::memcpy(Tail(), &peer, sizeof peer);
    Message()->nlmsg_len += NLMSG_ALIGN(sizeof peer);
  }

  void Send(const char* step) {
    Fd link(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
    if (!link) Fail(step, "socket");
    // A datagram goes whole or not at all (netlink_sendmsg).
    if (send(link.get(), buffer_, Message()->nlmsg_len, 0) < 0) Fail(step, "sendmsg(netlink)");
    alignas(nlmsghdr) char reply[4096];
    ssize_t size;
    do size = recv(link.get(), reply, sizeof reply, 0);
    while (size < 0 && errno == EINTR);
    if (size < 0) Fail(step, "recvmsg(netlink)");
    auto* message = reinterpret_cast<nlmsghdr*>(reply);
    if (!NLMSG_OK(message, static_cast<size_t>(size)) || message->nlmsg_type != NLMSG_ERROR ||
        message->nlmsg_len < NLMSG_LENGTH(sizeof(nlmsgerr)))
      Fail(step, "netlink", EPROTO);
    int error = -static_cast<nlmsgerr*>(NLMSG_DATA(message))->error;
    if (error != 0) Fail(step, "netlink", error);
  }

 private:
  nlmsghdr* Message() { return reinterpret_cast<nlmsghdr*>(buffer_); }
  // Throws if `size` more bytes do not fit behind the last attribute.
  void Reserve(size_t size) {
    if (size > kRoom - NLMSG_ALIGN(Message()->nlmsg_len)) Fail("netlink", "request", EMSGSIZE);
  }
  rtattr* Tail() { return reinterpret_cast<rtattr*>(buffer_ + NLMSG_ALIGN(Message()->nlmsg_len)); }
  alignas(nlmsghdr) char buffer_[kRoom] = {};
};

// Interface ioctls act in the namespace of the socket they go through.
void InterfaceCall(const char* step, unsigned long call, const char* name, ifreq& request) {
  Fd carrier(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!carrier) Fail(step, "socket");
  const size_t size = std::strlen(name) + 1;  // with the NUL
  if (size > sizeof request.ifr_name) Fail(step, "request", ENAMETOOLONG);
  std::memcpy(request.ifr_name, name, size);
  if (ioctl(carrier.get(), call, &request) < 0) Fail(step, "ioctl");
}

void SetFeature(const char* interface, uint32_t command) {
  ifreq request{};
  ethtool_value value{command, 0};
  request.ifr_data = reinterpret_cast<char*>(&value);
  try {
    InterfaceCall("offloads", SIOCETHTOOL, interface, request);
  } catch (const Failure& failure) {
    // A feature that this kernel does not have need not be switched off.
    if (failure.error != EOPNOTSUPP) throw;
  }
}

}  // namespace

// linkwatch_urgent_event() handles a carrier change at once only where an interface's index differs from its peer's;
// with equal ones in the two namespaces the link would take a second to come up.
constexpr int kNearIndex = 8, kFarIndex = 64;

void CreateVethPair(const char* near, const char* far, int farNamespaceFd) {
  ifinfomsg header{};
  header.ifi_index = kNearIndex;  // veth_newlink() takes the peer's index only if this one is given too
  Request request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, header);
  request.AddText(IFLA_IFNAME, near);
  rtattr* info = request.Open(IFLA_LINKINFO);
  request.AddText(IFLA_INFO_KIND, "veth");
  rtattr* data = request.Open(IFLA_INFO_DATA);
  rtattr* peer = request.Open(VETH_INFO_PEER);
  request.AddInterfaceHeader(kFarIndex);
  request.AddText(IFLA_IFNAME, far);
  request.AddNumber(IFLA_NET_NS_FD, static_cast<uint32_t>(farNamespaceFd));
  request.Close(peer);
  request.Close(data);
  request.Close(info);
  request.Send("veth");
}

void BringUp(const char* interface, bool noArp) {
  ifreq request{};
  InterfaceCall("interface-up", SIOCGIFFLAGS, interface, request);
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP | (noArp ? IFF_NOARP : 0));
  InterfaceCall("interface-up", SIOCSIFFLAGS, interface, request);
}

void WaitUntilRunning(const char* interface, int milliseconds) {
  for (int waited = 0; waited < milliseconds * 4; ++waited) {
    ifreq request{};
    InterfaceCall("interface-up", SIOCGIFFLAGS, interface, request);
    if (request.ifr_flags & IFF_RUNNING) return;
    timespec quarter{0, 250'000};
    nanosleep(&quarter, nullptr);
  }
  Fail("interface-up", "wait", ETIMEDOUT);
}

void DisableOffloads(const char* interface) {
  for (uint32_t command : {ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO, ETHTOOL_STXCSUM}) SetFeature(interface, command);
}

int InterfaceIndex(const char* interface) {
  ifreq request{};
  InterfaceCall("interface", SIOCGIFINDEX, interface, request);
  return request.ifr_ifindex;
}

std::string HardwareAddress(const char* interface) {
  ifreq request{};
  InterfaceCall("interface", SIOCGIFHWADDR, interface, request);
  char text[18];
  auto* bytes = reinterpret_cast<unsigned char*>(request.ifr_hwaddr.sa_data);
  snprintf(
      text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5]);
  return text;
}

void AddAddressAndRoute(const char* interface, uint32_t address, uint32_t gateway, uint32_t network, int prefix) {
  uint32_t index = static_cast<uint32_t>(InterfaceIndex(interface));
  ifaddrmsg owner{};
  owner.ifa_family = AF_INET;
  owner.ifa_prefixlen = 32;
  owner.ifa_index = index;
  Request add(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, owner);
  add.AddNumber(IFA_LOCAL, address);
  add.AddNumber(IFA_ADDRESS, address);
  add.Send("address");

  rtmsg route{};
  route.rtm_family = AF_INET;
  route.rtm_dst_len = static_cast<unsigned char>(prefix);
  route.rtm_table = RT_TABLE_MAIN;
  route.rtm_protocol = RTPROT_STATIC;
  route.rtm_scope = RT_SCOPE_UNIVERSE;
  route.rtm_type = RTN_UNICAST;
  route.rtm_flags = RTNH_F_ONLINK;
  Request through(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, route);
  through.AddNumber(RTA_DST, network);
  through.AddNumber(RTA_GATEWAY, gateway);
  through.AddNumber(RTA_OIF, index);
  through.AddNumber(RTA_PREFSRC, address);
  through.Send("route");
}

}  // namespace one_listener
