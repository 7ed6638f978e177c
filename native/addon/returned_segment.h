#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace one_listener {

// What the log keeps of a packet.
struct PacketRecord {
  double time;                   // of arrival, CLOCK_MONOTONIC ms
  uint32_t source, destination;  // host order
  uint16_t sourcePort, destinationPort;
  uint8_t flags;
  uint32_t sequence, acknowledgment, payload;  // payload: bytes
  uint8_t lost;                                // 1: on purpose
};

// What an Ethernet frame says, if it holds a whole IPv4 TCP segment. `time` and `lost` are left to the caller.
std::optional<PacketRecord> ReadSegment(std::span<const uint8_t> frame);

// Swaps the frame's hardware addresses and its IPv4 addresses, so that it comes back from where it was sent to. Ports
// stay. Writes the TCP checksum where a sender had left it to its device. For frames that ReadSegment() could read.
void ReturnSegment(std::span<uint8_t> frame, bool checksumMissing);

}  // namespace one_listener
