#include "addon/ghost_segments.h"

#include <linux/if_ether.h>
#include <netinet/in.h>

#include <algorithm>

#include "addon/internet_checksum.h"

namespace one_listener {
namespace {

constexpr size_t kIp = ETH_HLEN, kIpSize = 20, kTcp = kIp + kIpSize, kTcpSize = 20, kTcpOptions = kTcp + kTcpSize;
constexpr uint16_t kWindow = 65535;
enum : uint8_t { kEnd = 0, kNop = 1, kMss = 2, kWindowScale = 3, kSackPermitted = 4, kTimestamps = 8 };

// NOP NOP timestamps: 12 bytes, the layout that Linux reads fastest (tcp_parse_aligned_timestamp).
size_t WriteTimestamps(uint8_t* at, uint32_t value, uint32_t echo) {
  at[0] = at[1] = kNop;
  at[2] = kTimestamps;
  at[3] = 10;
  Write32(at + 4, value);
  Write32(at + 8, echo);
  return 12;
}

// The sender's timestamp among a segment's options (RFC 7323, 3.2), if they can be read up to it.
std::optional<uint32_t> TimestampOf(std::span<const uint8_t> options) {
  while (!options.empty() && options[0] != kEnd) {
    if (options[0] == kNop) {
      options = options.subspan(1);
      continue;
    }
    if (options.size() < 2 || options[1] < 2 || options[1] > options.size()) return std::nullopt;
    if (options[0] == kTimestamps && options[1] == 10) return Read32(options.data() + 2);
    options = options.subspan(options[1]);
  }
  return std::nullopt;
}

}  // namespace

GhostSegments::GhostSegments(
    const Hardware& from, const Hardware& to, uint32_t target, uint16_t port, const GhostOptions& options)
    : from_(from), to_(to), target_(target), port_(port), options_(options) {}

// Everything but the options, which stand behind the headers already.
void GhostSegments::Headers(GhostFrame& frame, GhostAddress from, uint32_t sequence, uint32_t acknowledgment,
    uint8_t flags, uint16_t window, size_t options) const {
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
  Write32(ip + 12, from.address);
  Write32(ip + 16, target_);
  Write16(ip + 10, Checksum(AddWords({ip, kIpSize}, 0)));

  uint8_t* tcp = bytes + kTcp;
  Write16(tcp, from.port);
  Write16(tcp + 2, port_);
  Write32(tcp + 4, sequence);
  Write32(tcp + 8, acknowledgment);
  tcp[12] = static_cast<uint8_t>(segment / 4 << 4);
  tcp[13] = flags;
  Write16(tcp + 14, window);
  Write32(tcp + 16, 0);
  Write16(tcp + 16, TcpChecksum({ip + 12, 8}, {tcp, segment}));
  frame.size = kTcp + segment;
}

void GhostSegments::Syn(GhostFrame& frame, GhostAddress from, uint32_t sequence, uint32_t clock) const {
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
  Headers(frame, from, sequence, 0, tcp_flag::kSyn, kWindow, size);
}

void GhostSegments::Ack(GhostFrame& frame, GhostAddress from, uint32_t sequence, uint32_t acknowledgment,
    uint32_t clock, std::optional<uint32_t> echo) const {
  size_t size = echo ? WriteTimestamps(frame.bytes.data() + kTcpOptions, clock, *echo) : 0;
  Headers(frame, from, sequence, acknowledgment, tcp_flag::kAck, kWindow, size);
}

void GhostSegments::Rst(GhostFrame& frame, GhostAddress from, uint32_t sequence) const {
  Headers(frame, from, sequence, 0, tcp_flag::kRst, 0, 0);
}

std::optional<Answer> GhostSegments::Read(std::span<const uint8_t> frame) {
  if (frame.size() < kTcpOptions) return std::nullopt;
  const auto ip = frame.subspan(kIp);
  const size_t ipSize = (ip[0] & 15) * 4u, total = Read16(ip.data() + 2);
  if (ipSize < kIpSize || ipSize + kTcpSize > ip.size()) return std::nullopt;
  const auto tcp = ip.subspan(ipSize);
  const size_t headers = (tcp[12] >> 4) * 4u;
  if (headers < kTcpSize || headers > tcp.size() || ipSize + headers > total) return std::nullopt;
  return Answer{{Read32(ip.data() + 16), Read16(tcp.data() + 2)}, Read16(tcp.data()), tcp[13], Read32(tcp.data() + 4),
      Read32(tcp.data() + 8), static_cast<uint32_t>(total - ipSize - headers),
      TimestampOf(tcp.subspan(kTcpSize, headers - kTcpSize))};
}

}  // namespace one_listener
