#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

// The checksum of IPv4 and TCP headers (RFC 1071), and the numbers of 16 and 32 bits that stand in them, most
// significant byte first. Byte by byte: behind an Ethernet header of 14 bytes nothing is aligned.
namespace one_listener {

inline uint16_t Read16(const uint8_t* at) { return static_cast<uint16_t>(at[0] << 8 | at[1]); }
inline uint32_t Read32(const uint8_t* at) { return static_cast<uint32_t>(Read16(at)) << 16 | Read16(at + 2); }

inline void Write16(uint8_t* at, uint16_t value) {
  at[0] = static_cast<uint8_t>(value >> 8);
  at[1] = static_cast<uint8_t>(value);
}
inline void Write32(uint8_t* at, uint32_t value) {
  Write16(at, static_cast<uint16_t>(value >> 16));
  Write16(at + 2, static_cast<uint16_t>(value));
}

// Adds the 16-bit words of `bytes` to `sum`; an odd last byte counts as if a zero followed it. Up to 2^16 words fit.
inline uint32_t AddWords(std::span<const uint8_t> bytes, uint32_t sum) {
  size_t at = 0;
  for (; at + 1 < bytes.size(); at += 2) sum += Read16(bytes.data() + at);
  return at < bytes.size() ? sum + static_cast<uint32_t>(bytes[at] << 8) : sum;
}

// The checksum that belongs to a sum: carries folded in, and inverted.
inline uint16_t Checksum(uint32_t sum) {
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

// Of a TCP segment whose checksum field is 0 (RFC 9293, 3.1). addresses: source and destination, 8 bytes.
inline uint16_t TcpChecksum(std::span<const uint8_t> addresses, std::span<const uint8_t> segment) {
  constexpr uint32_t kTcp = 6;
  return Checksum(AddWords(segment, AddWords(addresses, kTcp + static_cast<uint32_t>(segment.size()))));
}

}  // namespace one_listener
