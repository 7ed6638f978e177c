#include "addon/packet_source.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "addon/thread.h"
#include "base/os_error.h"

namespace one_listener {
namespace {

constexpr size_t kRingBytes = 16 << 20, kLeastBlock = 1 << 16;
// Before the network header of a TPACKET_V2 frame: its own header and address, and room for the link's (tpacket_rcv).
constexpr size_t kRoomBefore = 96;
constexpr size_t kBuffers = 256;

void Set(int fd, int name, const void* value, size_t size, const char* call) { Require(setsockopt(fd, SOL_PACKET, name, value, static_cast<socklen_t>(size)), call); }

// Asked through the packet socket itself, because an ioctl looks in the namespace of its socket.
size_t FrameSize(int fd, int interfaceIndex) {
  ifreq request{};
  request.ifr_ifindex = interfaceIndex;
  Require(ioctl(fd, SIOCGIFNAME, &request), "ioctl");
  Require(ioctl(fd, SIOCGIFMTU, &request), "ioctl");
  size_t size = 2048;
  while (size < static_cast<size_t>(request.ifr_mtu) + ETH_HLEN + kRoomBefore) size *= 2;
  return size;
}

double Milliseconds(clockid_t clock) {
  timespec time;
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

}  // namespace

void PacketSource::Unmap::operator()(uint8_t* ring) const { munmap(ring, size); }

PacketSource::PacketSource(int packetFd, int interfaceIndex, uint32_t network, uint32_t mask) : frameSize_(FrameSize(packetFd, interfaceIndex)), borrowed_(packetFd) {
  Filter(network, mask);
  int one = 1;
  Set(packetFd, PACKET_IGNORE_OUTGOING, &one, sizeof one, "setsockopt");
  Set(packetFd, PACKET_QDISC_BYPASS, &one, sizeof one, "setsockopt");
  if (!MakeRing()) MakeBuffers();
  socket_.reset(packetFd);
}

// In the kernel, so that frames for other mirrors never fill this ring.
void PacketSource::Filter(uint32_t network, uint32_t mask) {
  sock_filter program[] = {
    {BPF_LD | BPF_H | BPF_ABS, 0, 0, 12},
    {BPF_JMP | BPF_JEQ | BPF_K, 0, 6, ETH_P_IP},
    {BPF_LD | BPF_B | BPF_ABS, 0, 0, 23},
    {BPF_JMP | BPF_JEQ | BPF_K, 0, 4, IPPROTO_TCP},
    {BPF_LD | BPF_W | BPF_ABS, 0, 0, 30},
    {BPF_ALU | BPF_AND | BPF_K, 0, 0, ntohl(mask)},
    {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, ntohl(network & mask)},
    {BPF_RET | BPF_K, 0, 0, 0xffffffff},
    {BPF_RET | BPF_K, 0, 0, 0},
  };
  sock_fprog filter{sizeof program / sizeof *program, program};
  Require(setsockopt(borrowed_, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter), "setsockopt");
}

bool PacketSource::MakeRing() {
  int version = TPACKET_V2;
  Set(borrowed_, PACKET_VERSION, &version, sizeof version, "setsockopt");
  size_t block = std::max(kLeastBlock, frameSize_);
  tpacket_req request{static_cast<unsigned>(block), static_cast<unsigned>(kRingBytes / block), static_cast<unsigned>(frameSize_), static_cast<unsigned>(kRingBytes / frameSize_)};
  if (setsockopt(borrowed_, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) < 0) return false;
  void* mapped = mmap(nullptr, kRingBytes, PROT_READ | PROT_WRITE, MAP_SHARED, borrowed_, 0);
  if (mapped == MAP_FAILED) {
    request = {};
    Set(borrowed_, PACKET_RX_RING, &request, sizeof request, "setsockopt");
    return false;
  }
  ring_ = {static_cast<uint8_t*>(mapped), Unmap{kRingBytes}};
  frames_ = kRingBytes / frameSize_;
  return true;
}

void PacketSource::MakeBuffers() {
  int one = 1, bytes = 8 << 20;
  Set(borrowed_, PACKET_AUXDATA, &one, sizeof one, "setsockopt");
  setsockopt(borrowed_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);  // as much of it as net.core.rmem_max allows
  buffers_.resize(kBuffers * frameSize_);
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
      realToMonotonic = now - Milliseconds(CLOCK_REALTIME);
    }
    double time = static_cast<double>(header->tp_sec) * 1e3 + static_cast<double>(header->tp_nsec) / 1e6 + realToMonotonic;
    // A clock that was set meanwhile must not shift packets.
    if (time > now || time < now - 1e3) time = now;
    if (header->tp_snaplen < header->tp_len) ++truncated_;
    else onPacket({reinterpret_cast<uint8_t*>(header) + header->tp_mac, header->tp_snaplen, time, (status & TP_STATUS_CSUMNOTREADY) != 0});
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
    bool checksumMissing = false;
    for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
      if (part->cmsg_level != SOL_PACKET || part->cmsg_type != PACKET_AUXDATA) continue;
      tpacket_auxdata about;
      std::memcpy(&about, CMSG_DATA(part), sizeof about);
      checksumMissing = (about.tp_status & TP_STATUS_CSUMNOTREADY) != 0;
    }
    if (message.msg_flags & MSG_TRUNC) ++truncated_;
    else onPacket({static_cast<uint8_t*>(message.msg_iov->iov_base), messages[static_cast<size_t>(at)].msg_len, now, checksumMissing});
  }
}

uint32_t PacketSource::Drops() {
  tpacket_stats statistics{};  // reading resets them (packet(7))
  socklen_t size = sizeof statistics;
  uint32_t drops = getsockopt(fd(), SOL_PACKET, PACKET_STATISTICS, &statistics, &size) == 0 ? statistics.tp_drops : 0;
  return drops + truncated_.exchange(0);
}

}  // namespace one_listener
