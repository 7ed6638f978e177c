#include "addon/returned_segment.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "addon/internet_checksum.h"

namespace one_listener {
namespace {

constexpr size_t kAddresses = offsetof(iphdr, saddr), kAddressSize = 4, kChecksum = offsetof(tcphdr, check),
                 kFlags = 13;

}  // namespace

std::optional<PacketRecord> ReadSegment(std::span<const uint8_t> frame) {
  if (frame.size() < ETH_HLEN + sizeof(iphdr)) return std::nullopt;
  iphdr ip;
  std::memcpy(&ip, frame.data() + ETH_HLEN, sizeof ip);
  size_t ipSize = ip.ihl * 4u, total = ntohs(ip.tot_len);
  bool fragment = (ntohs(ip.frag_off) & (IP_MF | IP_OFFMASK)) != 0;
  if (ip.version != 4 || ip.protocol != IPPROTO_TCP || fragment || ipSize < sizeof ip ||
      total < ipSize + sizeof(tcphdr) || ETH_HLEN + total > frame.size())
    return std::nullopt;
  tcphdr tcp;
  std::memcpy(&tcp, frame.data() + ETH_HLEN + ipSize, sizeof tcp);
  size_t headers = ipSize + tcp.doff * 4u;
  if (tcp.doff < 5 || headers > total) return std::nullopt;
  uint8_t flags = frame[ETH_HLEN + ipSize + kFlags];
  return PacketRecord{0, ntohl(ip.saddr), ntohl(ip.daddr), ntohs(tcp.source), ntohs(tcp.dest), flags, ntohl(tcp.seq),
      ntohl(tcp.ack_seq), static_cast<uint32_t>(total - headers), 0};
}

void ReturnSegment(std::span<uint8_t> frame, bool checksumMissing) {
  const auto ethernet = frame.first(ETH_HLEN), ip = frame.subspan(ETH_HLEN);
  std::swap_ranges(ethernet.begin(), ethernet.begin() + ETH_ALEN, ethernet.begin() + ETH_ALEN);
  // A sum does not depend on the order: both checksums stay right when the two addresses change places.
  const auto addresses = ip.subspan(kAddresses, 2 * kAddressSize);
  std::swap_ranges(addresses.begin(), addresses.begin() + kAddressSize, addresses.begin() + kAddressSize);
  if (!checksumMissing) return;
  const size_t ipSize = (ip[0] & 15) * 4u, total = Read16(ip.data() + 2);
  const auto tcp = ip.subspan(ipSize, total - ipSize);
  Write16(tcp.data() + kChecksum, 0);
  Write16(tcp.data() + kChecksum, TcpChecksum(addresses, tcp));
}

}  // namespace one_listener
