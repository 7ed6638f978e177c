#include "addon/ghost_segments.h"

#include <linux/if_ether.h>
#include <netinet/in.h>

#include <algorithm>

namespace one_listener {
namespace {

constexpr size_t kIp = ETH_HLEN, kIpSize = 20, kTcp = kIp + kIpSize, kTcpSize = 20, kTcpOptions = kTcp + kTcpSize;
constexpr uint16_t kWindow = 65535;
enum : uint8_t { kEnd = 0, kNop = 1, kMss = 2, kWindowScale = 3, kSackPermitted = 4, kTimestamps = 8 };

void Write16(uint8_t* at, uint16_t value) {
  at[0] = static_cast<uint8_t>(value >> 8);
  at[1] = static_cast<uint8_t>(value);
}

void Write32(uint8_t* at, uint32_t value) {
  Write16(at, static_cast<uint16_t>(value >> 16));
  Write16(at + 2, static_cast<uint16_t>(value));
}

uint16_t Read16(const uint8_t* at) { return static_cast<uint16_t>(at[0] << 8 | at[1]); }
uint32_t Read32(const uint8_t* at) { return static_cast<uint32_t>(Read16(at)) << 16 | Read16(at + 2); }

// RFC 1071: a sum of 16-bit words, carries folded in.
uint32_t AddUp(const uint8_t* bytes, size_t size, uint32_t sum) {
  for (size_t at = 0; at < size; at += 2) sum += Read16(bytes + at);
  return sum;
}

uint16_t Folded(uint32_t sum) {
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

// NOP NOP timestamps: 12 bytes, the layout that Linux reads fastest (tcp_parse_aligned_timestamp).
size_t WriteTimestamps(uint8_t* at, uint32_t value, uint32_t echo) {
  at[0] = at[1] = kNop;
  at[2] = kTimestamps;
  at[3] = 10;
  Write32(at + 4, value);
  Write32(at + 8, echo);
  return 12;
}

std::optional<uint32_t> TimestampOf(const uint8_t* options, size_t size) {
  for (size_t at = 0; at < size && options[at] != kEnd;) {
    if (options[at] == kNop) {
      ++at;
      continue;
    }
    if (at + 1 >= size || options[at + 1] < 2 || at + options[at + 1] > size) return std::nullopt;
    if (options[at] == kTimestamps && options[at + 1] == 10) return Read32(options + at + 2);
    at += options[at + 1];
  }
  return std::nullopt;
}

}  // namespace

GhostSegments::GhostSegments(
    const Hardware& from, const Hardware& to, uint32_t target, uint16_t port, const GhostOptions& options)
    : from_(from), to_(to), target_(target), port_(port), options_(options) {}

// Everything but the options, which stand behind the headers already.
void GhostSegments::Headers(GhostFrame& frame, uint32_t address, uint16_t port, uint32_t sequence,
    uint32_t acknowledgment, uint8_t flags, uint16_t window, size_t options) const {
  uint8_t* bytes = frame.bytes.data();
  std::copy(to_.begin(), to_.end(), bytes);
  std::copy(from_.begin(), from_.end(), bytes + ETH_ALEN);
  Write16(bytes + 12, ETH_P_IP);

  uint8_t* ip = bytes + kIp;
  size_t segment = kTcpSize + options;
  ip[0] = 0x45;
  ip[1] = 0;
  Write16(ip + 2, static_cast<uint16_t>(kIpSize + segment));
  Write16(ip + 4, 0);
  Write16(ip + 6, 0x4000);  // don't fragment
  ip[8] = 64;
  ip[9] = IPPROTO_TCP;
  Write16(ip + 10, 0);
  Write32(ip + 12, address);
  Write32(ip + 16, target_);
  Write16(ip + 10, Folded(AddUp(ip, kIpSize, 0)));

  uint8_t* tcp = bytes + kTcp;
  Write16(tcp, port);
  Write16(tcp + 2, port_);
  Write32(tcp + 4, sequence);
  Write32(tcp + 8, acknowledgment);
  tcp[12] = static_cast<uint8_t>(segment / 4 << 4);
  tcp[13] = flags;
  Write16(tcp + 14, window);
  Write32(tcp + 16, 0);
  Write16(tcp + 16, Folded(AddUp(tcp, segment, AddUp(ip + 12, 8, IPPROTO_TCP + static_cast<uint32_t>(segment)))));
  frame.size = kTcp + segment;
}

void GhostSegments::Syn(GhostFrame& frame, uint32_t address, uint16_t port, uint32_t sequence, uint32_t clock) const {
  uint8_t* options = frame.bytes.data() + kTcpOptions;
  size_t size = 0;
  if (options_.mss) {
    options[size] = kMss;
    options[size + 1] = 4;
    Write16(options + size + 2, options_.mss);
    size += 4;
  }
  if (options_.timestamps) size += WriteTimestamps(options + size, clock, 0);
  if (options_.sack) {
    options[size] = options[size + 1] = kNop;
    options[size + 2] = kSackPermitted;
    options[size + 3] = 2;
    size += 4;
  }
  if (options_.windowScale >= 0) {
    options[size] = kNop;
    options[size + 1] = kWindowScale;
    options[size + 2] = 3;
    options[size + 3] = static_cast<uint8_t>(options_.windowScale);
    size += 4;
  }
  Headers(frame, address, port, sequence, 0, tcp_flag::kSyn, kWindow, size);
}

void GhostSegments::Ack(GhostFrame& frame, uint32_t address, uint16_t port, uint32_t sequence, uint32_t acknowledgment,
    uint32_t clock, std::optional<uint32_t> echo) const {
  size_t size = echo ? WriteTimestamps(frame.bytes.data() + kTcpOptions, clock, *echo) : 0;
  Headers(frame, address, port, sequence, acknowledgment, tcp_flag::kAck, kWindow, size);
}

void GhostSegments::Rst(GhostFrame& frame, uint32_t address, uint16_t port, uint32_t sequence) const {
  Headers(frame, address, port, sequence, 0, tcp_flag::kRst, 0, 0);
}

std::optional<Answer> GhostSegments::Read(const uint8_t* frame, size_t size) {
  if (size < kTcpOptions) return std::nullopt;
  const uint8_t* ip = frame + kIp;
  size_t ipSize = (ip[0] & 15) * 4u, total = Read16(ip + 2);
  if (ipSize < kIpSize || kIp + ipSize + kTcpSize > size) return std::nullopt;
  const uint8_t* tcp = ip + ipSize;
  size_t headers = (tcp[12] >> 4) * 4u;
  if (headers < kTcpSize || kIp + ipSize + headers > size || ipSize + headers > total) return std::nullopt;
  return Answer{Read32(ip + 16), Read16(tcp + 2), Read16(tcp), tcp[13], Read32(tcp + 4), Read32(tcp + 8),
      static_cast<uint32_t>(total - ipSize - headers), TimestampOf(tcp + kTcpSize, headers - kTcpSize)};
}

}  // namespace one_listener
