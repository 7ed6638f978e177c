#include "addon/packet_source.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>

#include "base/clock.h"
#include "base/os_error.h"

namespace one_listener {
namespace {

constexpr size_t kLeastBlock = 1 << 16;
// Before the network header of a TPACKET_V2 frame: its own header and address, and room for the link's (tpacket_rcv).
constexpr size_t kRoomBefore = 96;
constexpr size_t kBuffers = 256;

void Set(int fd, int name, const void* value, size_t size, const char* call) {
  Require(setsockopt(fd, SOL_PACKET, name, value, static_cast<socklen_t>(size)), call);
}

// Asked through the packet socket itself, because an ioctl looks in the namespace of its socket.
size_t LinkFrame(int fd, int interfaceIndex) {
  ifreq request{};
  request.ifr_ifindex = interfaceIndex;
  Require(ioctl(fd, SIOCGIFNAME, &request), "ioctl");
  Require(ioctl(fd, SIOCGIFMTU, &request), "ioctl");
  return static_cast<size_t>(request.ifr_mtu) + ETH_HLEN;
}

// A power of two with room for `kept` bytes of a frame.
size_t FrameSize(size_t kept) {
  size_t size = 128;
  while (size < kept + kRoomBefore) size *= 2;
  return size;
}

// What the kernel says of a frame that recvmmsg has brought (packet(7), PACKET_AUXDATA).
bool ChecksumMissing(msghdr& message) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_PACKET || part->cmsg_type != PACKET_AUXDATA) continue;
    tpacket_auxdata about;
    std::memcpy(&about, CMSG_DATA(part), sizeof about);
    return (about.tp_status & TP_STATUS_CSUMNOTREADY) != 0;
  }
  return false;
}

}  // namespace

void PacketSource::Unmap::operator()(uint8_t* ring) const { munmap(ring, size); }

uint32_t Ipv4Network::Mask(int prefix) { return prefix == 0 ? 0 : htonl(~uint32_t{0} << (32 - prefix)); }

PacketSource::PacketSource(int packetFd, int interfaceIndex, const PacketFilter& filter, size_t ringBytes)
    : headers_(filter.headers),
      frameSize_(FrameSize(filter.headers ? filter.headers : LinkFrame(packetFd, interfaceIndex))),
      ringBytes_(ringBytes), borrowed_(packetFd) {
  Attach(filter);
  int one = 1;
  Set(packetFd, PACKET_IGNORE_OUTGOING, &one, sizeof one, "setsockopt");
  Set(packetFd, PACKET_QDISC_BYPASS, &one, sizeof one, "setsockopt");
  if (!MakeRing()) MakeBuffers();
  socket_.reset(packetFd);
}

// In the kernel, so that frames for others on the link never fill this ring.
void PacketSource::Attach(const PacketFilter& wanted) {
  // Jumps count instructions to be left out, so "not ours" is written three times instead of being jumped to.
  std::vector<sock_filter> program = {
      {BPF_LD | BPF_H | BPF_ABS, 0, 0, 12},
      {BPF_JMP | BPF_JEQ | BPF_K, 1, 0, ETH_P_IP},
      {BPF_RET | BPF_K, 0, 0, 0},
      {BPF_LD | BPF_B | BPF_ABS, 0, 0, 23},
      {BPF_JMP | BPF_JEQ | BPF_K, 1, 0, IPPROTO_TCP},
      {BPF_RET | BPF_K, 0, 0, 0},
  };
  auto unless = [&](const Ipv4Network& network, bool inside) {
    program.push_back({BPF_LD | BPF_W | BPF_ABS, 0, 0, 30});
    program.push_back({BPF_ALU | BPF_AND | BPF_K, 0, 0, ntohl(network.mask)});
    program.push_back({BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint8_t>(inside ? 1 : 0),
        static_cast<uint8_t>(inside ? 0 : 1), ntohl(network.address & network.mask)});
    program.push_back({BPF_RET | BPF_K, 0, 0, 0});
  };
  unless(wanted.to, true);
  for (const Ipv4Network& other : wanted.except) unless(other, false);
  program.push_back({BPF_RET | BPF_K, 0, 0, headers_ ? static_cast<uint32_t>(headers_) : 0xffffffff});
  sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  Require(setsockopt(borrowed_, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter), "setsockopt");
}

bool PacketSource::MakeRing() {
  int version = TPACKET_V2;
  Set(borrowed_, PACKET_VERSION, &version, sizeof version, "setsockopt");
  size_t block = std::max(kLeastBlock, frameSize_);
  tpacket_req request{static_cast<unsigned>(block), static_cast<unsigned>(ringBytes_ / block),
      static_cast<unsigned>(frameSize_), static_cast<unsigned>(ringBytes_ / frameSize_)};
  if (setsockopt(borrowed_, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) < 0) return false;
  void* mapped = mmap(nullptr, ringBytes_, PROT_READ | PROT_WRITE, MAP_SHARED, borrowed_, 0);
  if (mapped == MAP_FAILED) {
    request = {};
    Set(borrowed_, PACKET_RX_RING, &request, sizeof request, "setsockopt");
    return false;
  }
  // A child has no use for the ring, and user-mode kernels 6.12 and 7.2 panic when a process with one forks.
  madvise(mapped, ringBytes_, MADV_DONTFORK);
  ring_ = {static_cast<uint8_t*>(mapped), Unmap{ringBytes_}};
  frames_ = ringBytes_ / frameSize_;
  return true;
}

void PacketSource::MakeBuffers() {
  int one = 1, bytes = 8 << 20;
  Set(borrowed_, PACKET_AUXDATA, &one, sizeof one, "setsockopt");
  setsockopt(borrowed_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);  // as much of it as net.core.rmem_max allows
  buffers_.resize(kBuffers * frameSize_);
}

int PacketSource::Wait(StoppableThread& thread, double milliseconds) {
  pollfd watched[] = {{fd(), POLLIN, 0}, {thread.WakeFd(), POLLIN, 0}};
  timespec time{};
  if (!std::isinf(milliseconds)) time = TimeSpec(std::max(0.0, milliseconds));
  if (ppoll(watched, 2, std::isinf(milliseconds) ? nullptr : &time, nullptr) < 0) return errno == EINTR ? 0 : errno;
  if (watched[1].revents) thread.ClearWake();
  if (!(watched[0].revents & (POLLERR | POLLHUP | POLLNVAL))) return 0;
  int code = 0;
  socklen_t size = sizeof code;
  return getsockopt(fd(), SOL_SOCKET, SO_ERROR, &code, &size) < 0 ? errno : code;
}

void PacketSource::TakeAll(const std::function<void(const Packet&)>& onPacket) {
  if (ring_) TakeFromRing(onPacket);
  else TakeFromSocket(onPacket);
}

void PacketSource::TakeFromRing(const std::function<void(const Packet&)>& onPacket) {
  // Frames are stamped by the real-time clock when they arrive (tpacket_rcv).
  double realToMonotonic = 0, now = 0;
  for (size_t taken = 0; taken < frames_; ++taken) {
    auto* header = reinterpret_cast<tpacket2_hdr*>(ring_.get() + next_ * frameSize_);
    uint32_t status = __atomic_load_n(&header->tp_status, __ATOMIC_ACQUIRE);
    if (!(status & TP_STATUS_USER)) return;
    if (taken % 64 == 0) {
      now = MonotonicMilliseconds();
      realToMonotonic = now - ReadClock(CLOCK_REALTIME);
    }
    double time =
        static_cast<double>(header->tp_sec) * 1e3 + static_cast<double>(header->tp_nsec) / 1e6 + realToMonotonic;
    // A clock that was set meanwhile must not shift packets.
    if (time > now || time < now - 1e3) time = now;
    if (header->tp_snaplen < header->tp_len && !headers_) ++truncated_;
    else
      onPacket({{reinterpret_cast<uint8_t*>(header) + header->tp_mac, header->tp_snaplen}, time,
          (status & TP_STATUS_CSUMNOTREADY) != 0});
    __atomic_store_n(&header->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
    next_ = (next_ + 1) % frames_;
  }
}

void PacketSource::TakeFromSocket(const std::function<void(const Packet&)>& onPacket) {
  std::array<mmsghdr, kBuffers> messages{};
  std::array<iovec, kBuffers> parts;
  union Control {
    char bytes[CMSG_SPACE(sizeof(tpacket_auxdata))];
    cmsghdr aligned;
  };
  std::array<Control, kBuffers> controls;
  for (size_t at = 0; at < kBuffers; ++at) {
    parts[at] = {buffers_.data() + at * frameSize_, frameSize_};
    messages[at].msg_hdr.msg_iov = &parts[at];
    messages[at].msg_hdr.msg_iovlen = 1;
    messages[at].msg_hdr.msg_control = &controls[at];
    messages[at].msg_hdr.msg_controllen = sizeof controls[at];
  }
  int count = recvmmsg(fd(), messages.data(), kBuffers, MSG_DONTWAIT, nullptr);
  double now = MonotonicMilliseconds();
  for (int at = 0; at < count; ++at) {
    msghdr& message = messages[static_cast<size_t>(at)].msg_hdr;
    if ((message.msg_flags & MSG_TRUNC) && !headers_) ++truncated_;
    else
      onPacket({{static_cast<uint8_t*>(message.msg_iov->iov_base), messages[static_cast<size_t>(at)].msg_len}, now,
          ChecksumMissing(message)});
  }
}

uint32_t PacketSource::Drops() {
  tpacket_stats statistics{};  // reading resets them (packet(7))
  socklen_t size = sizeof statistics;
  uint32_t drops = getsockopt(fd(), SOL_PACKET, PACKET_STATISTICS, &statistics, &size) == 0 ? statistics.tp_drops : 0;
  return drops + truncated_.exchange(0);
}

}  // namespace one_listener
