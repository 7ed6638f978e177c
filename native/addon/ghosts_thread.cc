#include "addon/ghosts_thread.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <limits>
#include <utility>

namespace one_listener {
namespace {

constexpr uint16_t kFirstPort = 1024;
constexpr uint64_t kPorts = 64'000;
// At most this many handshakes wait for a SYN-ACK, so that they fit into the queues of most listeners. One without an
// answer is not counted after kAnswerWaitMilliseconds.
constexpr uint64_t kUnderWay = 256;
constexpr double kAnswerWaitMilliseconds = 5;
// A full link is tried again, for a second in all.
constexpr double kRetryMilliseconds = 0.2;
constexpr int kRetries = 5000;

uint64_t Mixed(uint64_t value) {  // splitmix64's finish: neighbours get unlike numbers
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
  value = (value ^ value >> 27) * 0x94d049bb133111eb;
  return value ^ value >> 31;
}

PacketFilter HeadersOf(uint32_t network, int prefix) {
  return {{htonl(network), Ipv4Network::Mask(prefix)}, {}, GhostFrame::kRoom};
}

}  // namespace

GhostsThread::GhostsThread(const Plan& plan)
    : plan_(plan), segments_(plan.from, plan.to, plan.target, plan.port, plan.options),
      counts_(std::make_shared<ClientCounts>(plan.count)),
      states_(std::make_unique<std::atomic<uint8_t>[]>(plan.count)),
      source_(
          std::make_unique<PacketSource>(plan.packetFd, plan.interfaceIndex, HeadersOf(plan.network, plan.prefix))) {}

void GhostsThread::Start() {
  startedAt_ = lastSentAt_ = lastAnswerAt_ = MonotonicMilliseconds();
  thread_.Start(error_, [this] { Run(); });
}

void GhostsThread::Reset() {
  resetting_ = true;
  thread_.Wake();
}

void GhostsThread::Run() {
  auto take = [this](const PacketSource::Packet& packet) { Take(packet); };
  while (!thread_.Stopping()) {
    double now = MonotonicMilliseconds();
    clock_ = static_cast<uint32_t>(static_cast<uint64_t>(now));
    source_->TakeAll(take);
    if (!Flush()) return;
    answered_ = answeredNow_;
    refused_ = refusedNow_;
    uint32_t most = Allowed(now);
    bool going;
    if (resetting_ && !resetDone_) going = ResetSome();
    else if (most > 0) going = SendSome(most, now);
    else going = Wait(now);
    if (!going) return;
  }
}

GhostAddress GhostsThread::AddressOf(uint32_t index) const {
  uint64_t number = plan_.first + index;
  return {plan_.network + static_cast<uint32_t>(number % plan_.addresses),
      static_cast<uint16_t>(kFirstPort + number / plan_.addresses % kPorts)};
}

uint32_t GhostsThread::IndexOf(GhostAddress address) const {
  const uint32_t place = address.address - plan_.network, port = address.port;
  if (place >= plan_.addresses || port < kFirstPort || port - kFirstPort >= kPorts) return plan_.count;
  uint64_t all = plan_.addresses * kPorts;
  uint64_t number = uint64_t{port - kFirstPort} * plan_.addresses + place;
  uint64_t index = (number + all - plan_.first % all) % all;
  return index < plan_.count ? static_cast<uint32_t>(index) : plan_.count;
}

uint32_t GhostsThread::SequenceOf(uint32_t index) const {
  return static_cast<uint32_t>(Mixed(static_cast<uint64_t>(plan_.seed) << 32 | index));
}

void GhostsThread::Move(uint32_t index, ClientState to) {
  uint8_t now = states_[index].load(std::memory_order_relaxed);
  if ((now & kStateBits) == to) return;
  states_[index].store(static_cast<uint8_t>((now & ~kStateBits) | to), std::memory_order_relaxed);
  counts_->Move(static_cast<ClientState>(now & kStateBits), to);
}

void GhostsThread::Take(const PacketSource::Packet& packet) {
  std::optional<Answer> answer = GhostSegments::Read(packet.bytes);
  if (!answer || answer->from != plan_.port) return;
  uint32_t index = IndexOf(answer->to);
  if (index >= next_) return;
  if (answer->flags & tcp_flag::kRst) TakeRst(index, packet.time);
  else if (answer->flags & tcp_flag::kSyn) TakeSynAck(index, *answer, packet.time);
  else TakeDataOrFin(index, *answer, packet.time);
}

void GhostsThread::TakeRst(uint32_t index, double time) {
  uint8_t now = state(index);
  lastAnswerAt_ = time;
  if (now == kSynSent) ++refusedNow_;
  if (now == kSynSent || now == kEstablished)
    Move(index, now == kEstablished || plan_.kind == Kind::kAck ? kReset : kRefused);
}

void GhostsThread::TakeDataOrFin(uint32_t index, const Answer& answer, double time) {
  const bool fin = answer.flags & tcp_flag::kFin;
  if (state(index) != kEstablished || (answer.payload == 0 && !fin)) return;
  lastAnswerAt_ = time;
  const uint32_t sequence = SequenceOf(index) + 1;
  if (fin) {
    // A ghost has no data to send before its own FIN, and RST frees the server's end at once.
    segments_.Rst(NextFrame(), AddressOf(index), sequence);
    Move(index, kClosedByServer);
  } else {
    segments_.Ack(NextFrame(), AddressOf(index), sequence, answer.sequence + answer.payload, clock_, answer.timestamp);
  }
}

void GhostsThread::TakeSynAck(uint32_t index, const Answer& answer, double time) {
  if (!(answer.flags & tcp_flag::kAck) || answer.acknowledgment != SequenceOf(index) + 1) return;
  uint8_t bits = states_[index].load(std::memory_order_relaxed), now = bits & kStateBits;
  if (now != kSynSent && now != kEstablished) return;
  lastAnswerAt_ = time;
  if (bits & kAnswered) {
    ++repeated_;
  } else {
    ++answeredNow_;
    states_[index].store(bits | kAnswered, std::memory_order_relaxed);
  }
  if (plan_.kind != Kind::kHandshake) return;
  // Also when it comes again: the server has dropped our ACK.
  segments_.Ack(NextFrame(), AddressOf(index), SequenceOf(index) + 1, answer.sequence + 1, clock_,
      plan_.options.timestamps ? answer.timestamp : std::nullopt);
  Move(index, kEstablished);
}

// How many first segments may go now.
uint32_t GhostsThread::Allowed(double now) const {
  if (resetting_) return 0;
  uint64_t left = plan_.count - next_;
  if (plan_.rate > 0) {
    double due = std::floor((now - startedAt_) * plan_.rate / 1e3) + 1 - next_;
    left = due < 1 ? 0 : std::min(left, static_cast<uint64_t>(due));
  }
  if (plan_.kind == Kind::kHandshake &&
      now - std::max(lastAnswerAt_.load(), lastSentAt_.load()) < kAnswerWaitMilliseconds) {
    uint64_t ended = answeredNow_ + refusedNow_;
    uint64_t underWay = next_ - std::min<uint64_t>(next_, ended);
    left = std::min(left, underWay < kUnderWay ? kUnderWay - underWay : 0);
  }
  return static_cast<uint32_t>(std::min<uint64_t>(left, kBatch));
}

bool GhostsThread::SendSome(uint32_t most, double now) {
  for (uint32_t at = 0; at < most; ++at) {
    uint32_t index = next_++;
    uint32_t sequence = SequenceOf(index);
    GhostFrame& frame = NextFrame();
    if (plan_.kind == Kind::kAck)
      segments_.Ack(
          frame, AddressOf(index), sequence + 1, static_cast<uint32_t>(Mixed(sequence)), clock_, std::nullopt);
    else segments_.Syn(frame, AddressOf(index), sequence, clock_);
    Move(index, kSynSent);
  }
  lastSentAt_ = now;
  sent_ += most;
  return Flush();
}

bool GhostsThread::ResetSome() {
  for (size_t at = 0; at < kBatch && resetNext_ < next_; ++resetNext_) {
    uint8_t now = state(resetNext_);
    if (now != kSynSent && now != kEstablished) continue;
    segments_.Rst(NextFrame(), AddressOf(resetNext_), SequenceOf(resetNext_) + 1);
    Move(resetNext_, kClosed);
    ++at;
  }
  if (!Flush()) return false;
  if (resetNext_ >= next_) resetDone_ = true;
  return true;
}

GhostFrame& GhostsThread::NextFrame() {
  if (filled_ == kBatch) Flush();
  return frames_[filled_++];
}

// Sends the frames that are filled. False: the link is gone.
bool GhostsThread::Flush() {
  size_t done = 0;
  bool going = SendFilled(done);
  if (going) unsent_ += filled_ - done;
  filled_ = 0;
  return going;
}

bool GhostsThread::SendFilled(size_t& done) {
  std::array<mmsghdr, kBatch> messages{};
  std::array<iovec, kBatch> parts;
  for (size_t at = 0; at < filled_; ++at) {
    parts[at] = {frames_[at].bytes.data(), frames_[at].size};
    messages[at].msg_hdr.msg_iov = &parts[at];
    messages[at].msg_hdr.msg_iovlen = 1;
  }
  for (int retry = 0; done < filled_ && retry <= kRetries && !thread_.Stopping();) {
    int count = sendmmsg(source_->fd(), messages.data() + done, static_cast<unsigned>(filled_ - done), MSG_DONTWAIT);
    if (count > 0) {
      done += static_cast<size_t>(count);
    } else if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM) {
      ++retry;
      thread_.SleepUntil(MonotonicMilliseconds() + kRetryMilliseconds);
    } else if (errno != EINTR) {
      error_ = errno;
      return false;
    }
  }
  return true;
}

// Until an answer comes, or the next segment is due, or Wake(). False: the link is gone.
bool GhostsThread::Wait(double now) {
  double wait = std::numeric_limits<double>::infinity();
  if (next_ < plan_.count && !resetting_) {
    wait = plan_.rate > 0 ? startedAt_ + next_ * 1e3 / plan_.rate - now : kAnswerWaitMilliseconds;
    if (plan_.kind == Kind::kHandshake) wait = std::clamp(wait, 0.01, kAnswerWaitMilliseconds);
  }
  int code = source_->Wait(thread_, wait);
  if (code != 0) error_ = code;
  return code == 0;
}

GhostsThread::Stats GhostsThread::stats() {
  return {sent_, answered_, refused_, repeated_, unsent_, Drops(), startedAt_, lastSentAt_, lastAnswerAt_, resetDone_,
      error_};
}

uint64_t GhostsThread::Drops() {
  std::lock_guard<std::mutex> lock(sourceMutex_);
  if (source_) kernelDrops_ += source_->Drops();
  return kernelDrops_;
}

void GhostsThread::Stop() {
  thread_.Stop();
  // Declared before the lock, so that it is closed after that is free: stats() must not wait for it.
  std::unique_ptr<PacketSource> last;
  std::lock_guard<std::mutex> lock(sourceMutex_);
  if (source_) kernelDrops_ += source_->Drops();
  last = std::move(source_);
}

}  // namespace one_listener
