#include "addon/mirror_thread.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <utility>

namespace one_listener {
namespace {

constexpr size_t kMostSentAtOnce = 64;
constexpr size_t kMostWaitingBytes = 256 << 20;
// A full link is tried again after this.
constexpr double kRetryMilliseconds = 0.2;

}  // namespace

MirrorThread::MirrorThread(const Plan& plan)
    : logCapacity_(plan.logCapacity), rtt_(plan.rtt), loss_(plan.loss),
      random_(static_cast<unsigned>(MonotonicMilliseconds() * 1e6)),
      source_(std::make_unique<PacketSource>(
          plan.packetFd, plan.interfaceIndex, PacketFilter{plan.network, {}, PacketFilter::kWholeFrames})) {}

void MirrorThread::Run() {
  auto take = [this](const PacketSource::Packet& packet) { Take(packet); };
  do source_->TakeAll(take);
  while (SendDue() && Wait() && !thread_.Stopping());
}

void MirrorThread::Take(const PacketSource::Packet& packet) {
  std::optional<PacketRecord> record = ReadSegment(packet.bytes);
  if (!record) return;
  ++received_;
  record->time = packet.time;
  record->lost = loss_ > 0 && std::uniform_real_distribution<double>()(random_) < loss_;
  Log(*record);
  if (record->lost) {
    ++lost_;
  } else if (delayedBytes_ + packet.bytes.size() > kMostWaitingBytes) {
    ++refused_;
  } else {
    delayed_.push_back({packet.time + rtt_ / 2, {packet.bytes.begin(), packet.bytes.end()}});
    ReturnSegment(delayed_.back().bytes, packet.checksumMissing);
    delayedBytes_ += packet.bytes.size();
  }
}

void MirrorThread::Log(const PacketRecord& record) {
  if (logCapacity_ == 0) return;
  std::lock_guard<std::mutex> lock(logMutex_);
  if (log_.size() == logCapacity_) log_.pop_front();
  log_.push_back(record);
}

// False: the link is gone.
bool MirrorThread::SendDue() {
  double now = MonotonicMilliseconds();
  while (!delayed_.empty() && delayed_.front().due <= now && retryAt_ <= now) {
    unsigned sent = SendSome(now);
    if (sent > 0) {
      returned_ += sent;
      Discard(sent);
    } else if (SendingFailed(errno, now)) {
      return false;
    }
    now = MonotonicMilliseconds();
  }
  waiting_ = delayed_.size();
  return true;
}

// True: the link is gone.
bool MirrorThread::SendingFailed(int code, double now) {
  switch (code) {
    case EINTR: return false;
    case EAGAIN:
    case ENOBUFS:
    case ENOMEM: retryAt_ = now + kRetryMilliseconds; return false;
    // this frame cannot be sent; the others can
    case EINVAL:
    case EMSGSIZE:
    case EPERM:
      ++refused_;
      Discard(1);
      return false;
    default: error_ = code; return true;
  }
}

// How many were sent; 0: see errno.
unsigned MirrorThread::SendSome(double now) {
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

void MirrorThread::Discard(size_t frames) {
  for (; frames > 0; --frames) {
    delayedBytes_ -= delayed_.front().bytes.size();
    delayed_.pop_front();
  }
}

// Until a frame comes, or the first one is due, or Wake(). False: the link is gone.
bool MirrorThread::Wait() {
  const double due =
      delayed_.empty() ? std::numeric_limits<double>::infinity() : std::max(delayed_.front().due, retryAt_);
  int code = source_->Wait(thread_, due - MonotonicMilliseconds());
  if (code != 0) error_ = code;
  return code == 0;
}

std::deque<PacketRecord> MirrorThread::FetchLog() {
  std::lock_guard<std::mutex> lock(logMutex_);
  return std::exchange(log_, {});
}

MirrorThread::Stats MirrorThread::stats() { return {received_, returned_, lost_, waiting_, Drops(), error_}; }

uint64_t MirrorThread::Drops() {
  std::lock_guard<std::mutex> lock(sourceMutex_);
  if (source_) kernelDrops_ += source_->Drops();
  return kernelDrops_ + refused_;
}

void MirrorThread::Stop() {
  thread_.Stop();
  std::unique_ptr<PacketSource> last;
  {
    std::lock_guard<std::mutex> lock(sourceMutex_);
    if (source_) kernelDrops_ += source_->Drops();
    last = std::move(source_);
  }
  if (!last) return;
  // Frames that were still on their way are lost with the mirror.
  Discard(delayed_.size());
  waiting_ = 0;
}

}  // namespace one_listener
