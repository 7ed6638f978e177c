#include "addon/mirroring.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace one_listener {
namespace {

// A ring of frames shared with the kernel (packet_mmap): a burst of thousands of SYNs fits, whatever net.core.rmem_max says.
constexpr uint32_t kFrameSize = 2048, kBlockSize = 1 << 16, kFrames = 8192;
constexpr size_t kMostSentAtOnce = 64;

uint32_t AddUp(const uint8_t* bytes, size_t size, uint32_t sum) {
  for (; size > 1; bytes += 2, size -= 2) sum += static_cast<uint32_t>(bytes[0] << 8 | bytes[1]);
  return size ? sum + static_cast<uint32_t>(bytes[0] << 8) : sum;
}

// RFC 9293, 3.1: over the pseudo-header and the segment.
void WriteTcpChecksum(iphdr* ip, tcphdr* tcp, size_t segment) {
  tcp->check = 0;
  uint32_t sum = AddUp(reinterpret_cast<uint8_t*>(&ip->saddr), 8, IPPROTO_TCP + static_cast<uint32_t>(segment));
  sum = AddUp(reinterpret_cast<uint8_t*>(tcp), segment, sum);
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  tcp->check = htons(static_cast<uint16_t>(~sum));
}

}  // namespace

Mirroring::Mirroring(int packetFd, int interfaceIndex, uint32_t network, int prefix, double rttNow, double lossNow, size_t logCapacity)
    : rtt(rttNow), loss(lossNow), socket_(packetFd), index_(interfaceIndex), mask_(prefix == 0 ? 0 : htonl(~uint32_t{0} << (32 - prefix))), logCapacity_(logCapacity) {
  network_ = network & mask_;
}

Mirroring::~Mirroring() { Stop(); }

void Mirroring::Stop() {
  thread.Stop();
  KernelDrops();
  if (ring_ != nullptr) munmap(std::exchange(ring_, nullptr), ringSize_);
  socket_.reset();
}

int Mirroring::Prepare() {
  // Filter in the kernel: IPv4, TCP, destination in our network. Frames for other mirrors never reach this ring.
  sock_filter program[] = {
    {BPF_LD | BPF_H | BPF_ABS, 0, 0, 12},
    {BPF_JMP | BPF_JEQ | BPF_K, 0, 6, ETH_P_IP},
    {BPF_LD | BPF_B | BPF_ABS, 0, 0, 23},
    {BPF_JMP | BPF_JEQ | BPF_K, 0, 4, IPPROTO_TCP},
    {BPF_LD | BPF_W | BPF_ABS, 0, 0, 30},
    {BPF_ALU | BPF_AND | BPF_K, 0, 0, ntohl(mask_)},
    {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, ntohl(network_)},
    {BPF_RET | BPF_K, 0, 0, 0xffffffff},
    {BPF_RET | BPF_K, 0, 0, 0},
  };
  sock_fprog filter{sizeof program / sizeof *program, program};
  int one = 1, version = TPACKET_V2;
  tpacket_req ring{kBlockSize, kFrames * kFrameSize / kBlockSize, kFrameSize, kFrames};
  int fd = socket_.get();
  if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) < 0) return errno;
  if (setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one) < 0) return errno;
  if (setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof one) < 0) return errno;
  if (setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version) < 0) return errno;
  if (setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &ring, sizeof ring) < 0) return errno;
  ringSize_ = size_t{kFrames} * kFrameSize;
  void* mapped = mmap(nullptr, ringSize_, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (mapped == MAP_FAILED) return errno;
  ring_ = static_cast<uint8_t*>(mapped);
  return 0;
}

void Mirroring::Run() {
  while (!thread.Stopping()) {
    TakeAll();
    SendDue();
    if (!Wait()) return;
  }
}

bool Mirroring::Wait() {
  waiting = delayed_.size();
  pollfd watched[] = {{socket_.get(), POLLIN, 0}, {thread.WakeFd(), POLLIN, 0}};
  timespec until = delayed_.empty() ? timespec{} : MonotonicTime(std::max(0.0, delayed_.front().due - MonotonicMilliseconds()));
  if (ppoll(watched, 2, delayed_.empty() ? nullptr : &until, nullptr) < 0 && errno != EINTR) {
    error = errno;
    return false;
  }
  if (watched[1].revents) thread.ClearWake();
  return true;
}

void Mirroring::TakeAll() {
  for (uint32_t taken = 0; taken < kFrames; ++taken) {
    auto* header = reinterpret_cast<tpacket2_hdr*>(ring_ + nextFrame_ * kFrameSize);
    uint32_t status = __atomic_load_n(&header->tp_status, __ATOMIC_ACQUIRE);
    if (!(status & TP_STATUS_USER)) return;
    Take(reinterpret_cast<uint8_t*>(header) + header->tp_mac, header->tp_snaplen, status & TP_STATUS_CSUMNOTREADY);
    __atomic_store_n(&header->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
    nextFrame_ = (nextFrame_ + 1) % kFrames;
  }
}

void Mirroring::Take(const uint8_t* bytes, size_t size, bool checksumMissing) {
  if (size < ETH_HLEN + sizeof(iphdr) + sizeof(tcphdr)) return;
  ++received;
  double now = MonotonicMilliseconds();
  Frame frame{now + rtt / 2, std::vector<uint8_t>(bytes, bytes + size)};
  auto* ethernet = reinterpret_cast<ethhdr*>(frame.bytes.data());
  auto* ip = reinterpret_cast<iphdr*>(frame.bytes.data() + ETH_HLEN);
  size_t ipSize = ip->ihl * 4u, total = ntohs(ip->tot_len);
  if (ipSize < sizeof(iphdr) || total < ipSize + sizeof(tcphdr) || ETH_HLEN + total > size) return;
  auto* tcp = reinterpret_cast<tcphdr*>(reinterpret_cast<uint8_t*>(ip) + ipSize);
  bool drop = loss > 0 && std::uniform_real_distribution<double>()(random_) < loss;
  {
    std::lock_guard<std::mutex> lock(logMutex_);
    if (logCapacity_ > 0) {
      if (log_.size() == logCapacity_) log_.pop_front();
      log_.push_back({now, ntohl(ip->saddr), ntohl(ip->daddr), ntohs(tcp->source), ntohs(tcp->dest), reinterpret_cast<uint8_t*>(tcp)[13], ntohl(tcp->seq), ntohl(tcp->ack_seq),
                      static_cast<uint32_t>(total - ipSize - tcp->doff * 4u), static_cast<uint8_t>(drop)});
    }
  }
  if (drop) {
    ++lost;
    return;
  }
  std::swap(ethernet->h_source, ethernet->h_dest);
  // Sums do not care for order: both checksums stay right when the two addresses change places.
  std::swap(ip->saddr, ip->daddr);
  if (checksumMissing) WriteTcpChecksum(ip, tcp, total - ipSize);
  delayed_.push_back(std::move(frame));
}

void Mirroring::SendDue() {
  sockaddr_ll place{};
  place.sll_family = AF_PACKET;
  place.sll_ifindex = index_;
  place.sll_halen = ETH_ALEN;
  while (!delayed_.empty() && delayed_.front().due <= MonotonicMilliseconds()) {
    std::array<mmsghdr, kMostSentAtOnce> messages{};
    std::array<iovec, kMostSentAtOnce> parts{};
    double now = MonotonicMilliseconds();
    unsigned count = 0;
    for (auto frame = delayed_.begin(); frame != delayed_.end() && frame->due <= now && count < kMostSentAtOnce; ++frame, ++count) {
      parts[count] = {frame->bytes.data(), frame->bytes.size()};
      messages[count].msg_hdr.msg_name = &place;
      messages[count].msg_hdr.msg_namelen = sizeof place;
      messages[count].msg_hdr.msg_iov = &parts[count];
      messages[count].msg_hdr.msg_iovlen = 1;
    }
    int sent = sendmmsg(socket_.get(), messages.data(), count, 0);
    if (sent <= 0) {
      if (errno == EINTR || errno == EAGAIN || errno == ENOBUFS) return;  // at the next turn
      error = errno;
      delayed_.pop_front();  // this frame cannot be sent; the others still can
      ++lost;
      continue;
    }
    turned += static_cast<uint64_t>(sent);
    delayed_.erase(delayed_.begin(), delayed_.begin() + sent);
  }
}

std::vector<PacketRecord> Mirroring::FetchLog() {
  std::lock_guard<std::mutex> lock(logMutex_);
  std::vector<PacketRecord> fetched(log_.begin(), log_.end());
  log_.clear();
  return fetched;
}

uint32_t Mirroring::KernelDrops() {
  // Reading the statistics resets them (packet(7)).
  tpacket_stats statistics{};
  socklen_t size = sizeof statistics;
  if (socket_ && getsockopt(socket_.get(), SOL_PACKET, PACKET_STATISTICS, &statistics, &size) == 0) kernelDrops_ += statistics.tp_drops;
  return kernelDrops_;
}

}  // namespace one_listener
