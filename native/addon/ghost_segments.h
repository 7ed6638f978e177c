#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace one_listener {

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
  uint32_t address;  // the ghost's, host order
  uint16_t port, from;
  uint8_t flags;
  uint32_t sequence, acknowledgment, payload;
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

  void Syn(GhostFrame& frame, uint32_t address, uint16_t port, uint32_t sequence, uint32_t clock) const;
  // `echo`: the timestamp to be returned, if timestamps are in use.
  void Ack(GhostFrame& frame, uint32_t address, uint16_t port, uint32_t sequence, uint32_t acknowledgment,
      uint32_t clock, std::optional<uint32_t> echo) const;
  void Rst(GhostFrame& frame, uint32_t address, uint16_t port, uint32_t sequence) const;

  // Reads the headers of a frame that is IPv4 TCP; nothing if it is cut off before the end of its options.
  static std::optional<Answer> Read(const uint8_t* frame, size_t size);

 private:
  void Headers(GhostFrame& frame, uint32_t address, uint16_t port, uint32_t sequence, uint32_t acknowledgment,
      uint8_t flags, uint16_t window, size_t options) const;

  Hardware from_, to_;
  uint32_t target_;
  uint16_t port_;
  GhostOptions options_;
};

}  // namespace one_listener
