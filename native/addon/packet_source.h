#pragma once
#include <linux/if_packet.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "addon/stoppable_thread.h"
#include "base/fd.h"

namespace one_listener {

// Addresses in network byte order.
struct Ipv4Network {
  uint32_t address, mask;
  static uint32_t Mask(int prefix);
};

// Which frames a source takes: IPv4 TCP to `to`, but not to one of `except`.
struct PacketFilter {
  Ipv4Network to;
  std::vector<Ipv4Network> except;
  static constexpr size_t kWholeFrames = 0;
  // Of each frame only this many bytes are kept; kWholeFrames: all, up to the link's MTU.
  size_t headers = kWholeFrames;
};

// Frames as they reach the far end of the link: from a ring shared with the kernel (packet_mmap), so that a burst of
// thousands fits whatever net.core.rmem_max says, or by recvmmsg where the kernel has no memory for the ring.
class PacketSource {
 public:
  struct Packet {
    std::span<const uint8_t> bytes;  // what was kept, from the Ethernet header on
    double time;                     // of arrival, CLOCK_MONOTONIC ms
    bool checksumMissing;            // left to a device that is not there
  };

  // The descriptor is the source's once the constructor has returned. @throws OsError
  PacketSource(int packetFd, int interfaceIndex, const PacketFilter& filter, size_t ringBytes = kRingBytes);

  static constexpr size_t kRingBytes = 16 << 20;

  int fd() const { return socket_.get(); }

  // Waits until a frame has come, or `thread` is woken, or for `milliseconds` (infinity: no limit). Returns 0 or the
  // errno with which the link has failed: ENETDOWN, when its interface goes down or away (packet_notifier).
  int Wait(StoppableThread& thread, double milliseconds);

  // Calls onPacket for what has arrived, at most as many frames as the ring holds. Their bytes are valid
  // during the call.
  void TakeAll(const std::function<void(const Packet&)>& onPacket);

  // Frames that the kernel or this source dropped because the ring was full, since the last call. Any thread.
  uint32_t Drops();

 private:
  struct Unmap {
    size_t size;
    void operator()(uint8_t* ring) const;
  };
  void Attach(const PacketFilter& filter);
  bool MakeRing();
  void MakeBuffers();
  void TakeFromRing(const std::function<void(const Packet&)>& onPacket);
  void TakeFromSocket(const std::function<void(const Packet&)>& onPacket);

  const size_t headers_, frameSize_, ringBytes_;
  size_t frames_ = 0, next_ = 0;
  std::unique_ptr<uint8_t, Unmap> ring_{nullptr, Unmap{0}};
  std::vector<uint8_t> buffers_;
  std::atomic<uint32_t> truncated_{0};
  int borrowed_;  // the descriptor, before it is ours
  Fd socket_;
};

}  // namespace one_listener
