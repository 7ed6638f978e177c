#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace one_listener {

// Where a ghost speaks from; both in host order.
struct GhostAddress {
  uint32_t address;
  uint16_t port;
};

// What a ghost's SYN offers.
struct GhostOptions {
  uint16_t mss = 1460;   // 0: not offered
  int windowScale = -1;  // -1: not offered
  bool sack = false, timestamps = false;
};

// One Ethernet frame, written in place.
struct GhostFrame {
  static constexpr size_t kRoom = 14 + 20 + 60;
  std::array<uint8_t, kRoom> bytes;
  size_t size;
};

// What a ghost must know of a segment that was sent to it.
struct Answer {
  GhostAddress to;
  uint16_t from;  // the listener's port
  uint8_t flags;
  uint32_t sequence, acknowledgment, payload;  // payload: bytes
  std::optional<uint32_t> timestamp;
};

namespace tcp_flag {
constexpr uint8_t kFin = 1, kSyn = 2, kRst = 4, kAck = 16;
}

// Writes the segments that ghosts send: Ethernet, IPv4 and TCP headers, no data.
class GhostSegments {
 public:
  using Hardware = std::array<uint8_t, 6>;

  // target: host order.
  GhostSegments(const Hardware& from, const Hardware& to, uint32_t target, uint16_t port, const GhostOptions& options);

  // clock: of the timestamps option, ms.
  void Syn(GhostFrame& frame, GhostAddress from, uint32_t sequence, uint32_t clock) const;
  // `echo`: the timestamp to be returned, if timestamps are in use.
  void Ack(GhostFrame& frame, GhostAddress from, uint32_t sequence, uint32_t acknowledgment, uint32_t clock,
      std::optional<uint32_t> echo) const;
  void Rst(GhostFrame& frame, GhostAddress from, uint32_t sequence) const;

  // Reads the headers of a frame that is IPv4 TCP; nothing if it is cut off before the end of its options.
  static std::optional<Answer> Read(std::span<const uint8_t> frame);

 private:
  void Headers(GhostFrame& frame, GhostAddress from, uint32_t sequence, uint32_t acknowledgment, uint8_t flags,
      uint16_t window, size_t options) const;

  Hardware from_, to_;
  uint32_t target_;
  uint16_t port_;
  GhostOptions options_;
};

}  // namespace one_listener
