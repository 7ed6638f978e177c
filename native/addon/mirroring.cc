#include "addon/mirroring.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <utility>

namespace one_listener {
namespace {

constexpr size_t kMostSentAtOnce = 64;
constexpr size_t kMostWaitingBytes = 256 << 20;
constexpr double kRetryMilliseconds = 0.2;

}  // namespace

Mirroring::Mirroring(
    int packetFd, int interfaceIndex, uint32_t network, int prefix, double rttNow, double lossNow, size_t logCapacity)
    : rtt(rttNow), loss(lossNow), logCapacity_(logCapacity),
      random_(static_cast<unsigned>(MonotonicMilliseconds() * 1e6)),
      source_(std::make_unique<PacketSource>(
          packetFd, interfaceIndex, PacketFilter{{network, Ipv4Network::Mask(prefix)}, {}})) {}

void Mirroring::Run() {
  auto take = [this](const PacketSource::Packet& packet) { Take(packet); };
  do source_->TakeAll(take);
  while (SendDue() && Wait() && !thread.Stopping());
}

void Mirroring::Take(const PacketSource::Packet& packet) {
  std::optional<PacketRecord> record = ReadSegment(packet.bytes, packet.size);
  if (!record) return;
  ++received;
  record->time = packet.time;
  record->lost = loss > 0 && std::uniform_real_distribution<double>()(random_) < loss;
  Log(*record);
  if (record->lost) {
    ++lost;
  } else if (delayedBytes_ + packet.size > kMostWaitingBytes) {
    ++refused_;
  } else {
    delayed_.push_back({packet.time + rtt / 2, {packet.bytes, packet.bytes + packet.size}});
    TurnSegment(delayed_.back().bytes, packet.checksumMissing);
    delayedBytes_ += packet.size;
  }
}

void Mirroring::Log(const PacketRecord& record) {
  if (logCapacity_ == 0) return;
  std::lock_guard<std::mutex> lock(logMutex_);
  if (log_.size() == logCapacity_) log_.pop_front();
  log_.push_back(record);
}

// False: the link is gone.
bool Mirroring::SendDue() {
  for (double now = MonotonicMilliseconds(); !delayed_.empty() && delayed_.front().due <= now && retryAt_ <= now;
      now = MonotonicMilliseconds()) {
    unsigned sent = SendSome(now);
    if (sent > 0) {
      turned += sent;
      Forget(sent);
      continue;
    }
    switch (errno) {
      case EINTR: break;
      case EAGAIN:
      case ENOBUFS:
      case ENOMEM: retryAt_ = now + kRetryMilliseconds; break;
      // this frame cannot be sent; the others can
      case EINVAL:
      case EMSGSIZE:
      case EPERM:
        ++refused_;
        Forget(1);
        break;
      default: error = errno; return false;
    }
  }
  waiting = delayed_.size();
  return true;
}

// How many were sent; 0: see errno.
unsigned Mirroring::SendSome(double now) {
  std::array<mmsghdr, kMostSentAtOnce> messages{};
  std::array<iovec, kMostSentAtOnce> parts;
  unsigned count = 0;
  for (auto frame = delayed_.begin(); frame != delayed_.end() && frame->due <= now && count < kMostSentAtOnce;
      ++frame, ++count) {
    parts[count] = {frame->bytes.data(), frame->bytes.size()};
    messages[count].msg_hdr.msg_iov = &parts[count];
    messages[count].msg_hdr.msg_iovlen = 1;
  }
  return static_cast<unsigned>(std::max(0, sendmmsg(source_->fd(), messages.data(), count, MSG_DONTWAIT)));
}

void Mirroring::Forget(size_t frames) {
  for (; frames > 0; --frames) {
    delayedBytes_ -= delayed_.front().bytes.size();
    delayed_.pop_front();
  }
}

// Until a frame comes, or the first one is due, or somebody wants attention. False: the link is gone.
bool Mirroring::Wait() {
  pollfd watched[] = {{source_->fd(), POLLIN, 0}, {thread.WakeFd(), POLLIN, 0}};
  timespec time{};
  if (!delayed_.empty())
    time = TimeSpec(std::max(0.0, std::max(delayed_.front().due, retryAt_) - MonotonicMilliseconds()));
  if (ppoll(watched, 2, delayed_.empty() ? nullptr : &time, nullptr) < 0 && errno != EINTR) {
    error = errno;
    return false;
  }
  if (watched[1].revents) thread.ClearWake();
  if (!(watched[0].revents & (POLLERR | POLLHUP | POLLNVAL))) return true;
  int code = 0;
  socklen_t size = sizeof code;
  if (getsockopt(source_->fd(), SOL_SOCKET, SO_ERROR, &code, &size) < 0) code = errno;
  error = code;  // ENETDOWN (packet_notifier)
  return code == 0;
}

std::deque<PacketRecord> Mirroring::FetchLog() {
  std::lock_guard<std::mutex> lock(logMutex_);
  return std::exchange(log_, {});
}

uint64_t Mirroring::Drops() {
  std::lock_guard<std::mutex> lock(sourceMutex_);
  if (source_) kernelDrops_ += source_->Drops();
  return kernelDrops_ + refused_;
}

void Mirroring::End() {
  thread.Stop();
  std::unique_ptr<PacketSource> last;
  {
    std::lock_guard<std::mutex> lock(sourceMutex_);
    if (source_) kernelDrops_ += source_->Drops();
    last = std::move(source_);
  }
  if (!last) return;
  // Frames that were still on their way are lost with the mirror.
  Forget(delayed_.size());
  waiting = 0;
}

}  // namespace one_listener
