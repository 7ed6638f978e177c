#include "addon/turned_segment.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace one_listener {
namespace {

uint32_t AddUp(const uint8_t* bytes, size_t size, uint32_t sum) {
  for (; size > 1; bytes += 2, size -= 2) sum += static_cast<uint32_t>(bytes[0] << 8 | bytes[1]);
  return size ? sum + static_cast<uint32_t>(bytes[0] << 8) : sum;
}

// Bytes, not structures: behind an Ethernet header of 14 bytes nothing is aligned.
constexpr size_t kAddresses = offsetof(iphdr, saddr), kAddressSize = 4, kChecksum = offsetof(tcphdr, check),
                 kFlags = 13;

// RFC 9293, 3.1: over the pseudo-header and the segment.
void WriteTcpChecksum(uint8_t* ip, uint8_t* tcp, size_t segment) {
  tcp[kChecksum] = tcp[kChecksum + 1] = 0;
  uint32_t sum = AddUp(ip + kAddresses, 2 * kAddressSize, IPPROTO_TCP + static_cast<uint32_t>(segment));
  sum = AddUp(tcp, segment, sum);
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  tcp[kChecksum] = static_cast<uint8_t>(~sum >> 8);
  tcp[kChecksum + 1] = static_cast<uint8_t>(~sum);
}

}  // namespace

std::optional<PacketRecord> ReadSegment(const uint8_t* frame, size_t size) {
  if (size < ETH_HLEN + sizeof(iphdr)) return std::nullopt;
  iphdr ip;
  std::memcpy(&ip, frame + ETH_HLEN, sizeof ip);
  size_t ipSize = ip.ihl * 4u, total = ntohs(ip.tot_len);
  bool fragment = (ntohs(ip.frag_off) & (IP_MF | IP_OFFMASK)) != 0;
  if (ip.version != 4 || ip.protocol != IPPROTO_TCP || fragment || ipSize < sizeof ip ||
      total < ipSize + sizeof(tcphdr) || ETH_HLEN + total > size)
    return std::nullopt;
  tcphdr tcp;
  std::memcpy(&tcp, frame + ETH_HLEN + ipSize, sizeof tcp);
  size_t headers = ipSize + tcp.doff * 4u;
  if (tcp.doff < 5 || headers > total) return std::nullopt;
  uint8_t flags = frame[ETH_HLEN + ipSize + kFlags];
  return PacketRecord{0, ntohl(ip.saddr), ntohl(ip.daddr), ntohs(tcp.source), ntohs(tcp.dest), flags, ntohl(tcp.seq),
      ntohl(tcp.ack_seq), static_cast<uint32_t>(total - headers), 0};
}

void TurnSegment(std::vector<uint8_t>& frame, bool checksumMissing) {
  uint8_t* ethernet = frame.data();
  uint8_t* ip = ethernet + ETH_HLEN;
  size_t ipSize = (ip[0] & 15) * 4u, total = static_cast<size_t>(ip[2] << 8 | ip[3]);
  std::swap_ranges(ethernet, ethernet + ETH_ALEN, ethernet + ETH_ALEN);
  // Sums do not care for order: both checksums stay right when the two addresses change places.
  std::swap_ranges(ip + kAddresses, ip + kAddresses + kAddressSize, ip + kAddresses + kAddressSize);
  if (checksumMissing) WriteTcpChecksum(ip, ip + ipSize, total - ipSize);
}

}  // namespace one_listener
