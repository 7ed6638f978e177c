#include "addon/ghosting.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cmath>

namespace one_listener {
namespace {

constexpr uint16_t kFirstPort = 1024;
constexpr uint64_t kPorts = 64'000;
// Handshakes under way: as many as a listener's queues are likely to have room for. Unanswered ones are forgotten after
// a while.
constexpr uint64_t kUnderWay = 256;
constexpr double kForgetMilliseconds = 5;
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

Ghosting::Ghosting(const Plan& plan)
    : counts(std::make_shared<ClientCounts>(plan.count)), plan_(plan),
      segments_(plan.from, plan.to, plan.target, plan.port, plan.options),
      states_(std::make_unique<std::atomic<uint8_t>[]>(plan.count)),
      source_(
          std::make_shared<PacketSource>(plan.packetFd, plan.interfaceIndex, HeadersOf(plan.network, plan.prefix))) {}

void Ghosting::Start() {
  startedAt = lastSentAt = lastAnswerAt = MonotonicMilliseconds();
  thread.Start(error, [this] { Run(); });
}

void Ghosting::Reset() {
  resetting_ = true;
  thread.Wake();
}

void Ghosting::Run() {
  auto take = [this](const PacketSource::Packet& packet) { Take(packet); };
  while (!thread.Stopping()) {
    double now = MonotonicMilliseconds();
    clock_ = static_cast<uint32_t>(static_cast<uint64_t>(now));
    source_->TakeAll(take);
    if (!Flush()) return;
    answered = answeredNow_;
    refused = refusedNow_;
    uint32_t most = Allowed(now);
    bool going = resetting_ && !resetDone ? ResetSome() : most > 0 ? SendSome(most, now) : Wait(now);
    if (!going) return;
  }
}

Ghosting::Name Ghosting::NameOf(uint32_t index) const {
  uint64_t number = plan_.first + index;
  return {plan_.network + static_cast<uint32_t>(number % plan_.addresses),
      static_cast<uint16_t>(kFirstPort + number / plan_.addresses % kPorts)};
}

uint32_t Ghosting::IndexOf(uint32_t address, uint16_t port) const {
  uint32_t place = address - plan_.network;
  if (place >= plan_.addresses || port < kFirstPort || port - kFirstPort >= static_cast<int>(kPorts))
    return plan_.count;
  uint64_t all = plan_.addresses * kPorts;
  uint64_t number = static_cast<uint64_t>(port - kFirstPort) * plan_.addresses + place;
  uint64_t index = (number + all - plan_.first % all) % all;
  return index < plan_.count ? static_cast<uint32_t>(index) : plan_.count;
}

uint32_t Ghosting::SequenceOf(uint32_t index) const {
  return static_cast<uint32_t>(Mixed(static_cast<uint64_t>(plan_.seed) << 32 | index));
}

void Ghosting::Move(uint32_t index, ClientState to) {
  uint8_t now = states_[index].load(std::memory_order_relaxed);
  if ((now & kStateBits) == to) return;
  states_[index].store(static_cast<uint8_t>((now & ~kStateBits) | to), std::memory_order_relaxed);
  counts->Move(static_cast<ClientState>(now & kStateBits), to);
}

void Ghosting::Take(const PacketSource::Packet& packet) {
  std::optional<Answer> answer = GhostSegments::Read(packet.bytes, packet.size);
  if (!answer || answer->from != plan_.port) return;
  uint32_t index = IndexOf(answer->address, answer->port);
  if (index >= next_) return;
  uint8_t state = this->state(index);
  if (answer->flags & tcp_flag::kRst) {
    lastAnswerAt = packet.time;
    if (state == kSynSent) ++refusedNow_;
    if (state == kSynSent || state == kEstablished)
      Move(index, state == kEstablished || plan_.kind == Kind::kAck ? kReset : kRefused);
  } else if (answer->flags & tcp_flag::kSyn) {
    TakeSynAck(index, *answer, packet.time);
  } else if (state == kEstablished && (answer->payload > 0 || answer->flags & tcp_flag::kFin)) {
    lastAnswerAt = packet.time;
    Name name = NameOf(index);
    // A ghost has nothing to say to a FIN: RST frees the server's end at once.
    if (answer->flags & tcp_flag::kFin) {
      segments_.Rst(NextFrame(), name.address, name.port, SequenceOf(index) + 1);
      Move(index, kClosedByServer);
    } else {
      segments_.Ack(NextFrame(), name.address, name.port, SequenceOf(index) + 1, answer->sequence + answer->payload,
          clock_, answer->timestamp);
    }
  }
}

void Ghosting::TakeSynAck(uint32_t index, const Answer& answer, double time) {
  if (!(answer.flags & tcp_flag::kAck) || answer.acknowledgment != SequenceOf(index) + 1) return;
  uint8_t state = this->state(index);
  if (state != kSynSent && state != kEstablished) return;
  lastAnswerAt = time;
  uint8_t bits = states_[index].load(std::memory_order_relaxed);
  if (bits & kAnswered) {
    ++repeated;
  } else {
    ++answeredNow_;
    states_[index].store(bits | kAnswered, std::memory_order_relaxed);
  }
  if (plan_.kind != Kind::kHandshake) return;
  // Also when it comes again: the server has dropped our ACK.
  Name name = NameOf(index);
  segments_.Ack(NextFrame(), name.address, name.port, SequenceOf(index) + 1, answer.sequence + 1, clock_,
      plan_.options.timestamps ? answer.timestamp : std::nullopt);
  Move(index, kEstablished);
}

// How many first segments may go now.
uint32_t Ghosting::Allowed(double now) const {
  if (resetting_) return 0;
  uint64_t left = plan_.count - next_;
  if (plan_.rate > 0) {
    double due = std::floor((now - startedAt) * plan_.rate / 1e3) + 1 - next_;
    left = due < 1 ? 0 : std::min(left, static_cast<uint64_t>(due));
  }
  if (plan_.kind == Kind::kHandshake && now - std::max(lastAnswerAt.load(), lastSentAt.load()) < kForgetMilliseconds) {
    uint64_t ended = answeredNow_ + refusedNow_;
    uint64_t underWay = next_ - std::min<uint64_t>(next_, ended);
    left = std::min(left, underWay < kUnderWay ? kUnderWay - underWay : 0);
  }
  return static_cast<uint32_t>(std::min<uint64_t>(left, kBatch));
}

bool Ghosting::SendSome(uint32_t most, double now) {
  for (uint32_t at = 0; at < most; ++at) {
    uint32_t index = next_++;
    Name name = NameOf(index);
    uint32_t sequence = SequenceOf(index);
    GhostFrame& frame = NextFrame();
    if (plan_.kind == Kind::kAck)
      segments_.Ack(
          frame, name.address, name.port, sequence + 1, static_cast<uint32_t>(Mixed(sequence)), clock_, std::nullopt);
    else segments_.Syn(frame, name.address, name.port, sequence, clock_);
    Move(index, kSynSent);
  }
  lastSentAt = now;
  sent += most;
  return Flush();
}

bool Ghosting::ResetSome() {
  for (size_t at = 0; at < kBatch && resetNext_ < next_; ++resetNext_) {
    uint8_t now = state(resetNext_);
    if (now != kSynSent && now != kEstablished) continue;
    Name name = NameOf(resetNext_);
    segments_.Rst(NextFrame(), name.address, name.port, SequenceOf(resetNext_) + 1);
    Move(resetNext_, kClosed);
    ++at;
  }
  if (!Flush()) return false;
  if (resetNext_ >= next_) resetDone = true;
  return true;
}

GhostFrame& Ghosting::NextFrame() {
  if (filled_ == kBatch) Flush();
  return frames_[filled_++];
}

// False: the link is gone.
bool Ghosting::Flush() {
  std::array<mmsghdr, kBatch> messages{};
  std::array<iovec, kBatch> parts;
  for (size_t at = 0; at < filled_; ++at) {
    parts[at] = {frames_[at].bytes.data(), frames_[at].size};
    messages[at].msg_hdr.msg_iov = &parts[at];
    messages[at].msg_hdr.msg_iovlen = 1;
  }
  size_t done = 0;
  for (int retry = 0; done < filled_ && !thread.Stopping();) {
    int count = sendmmsg(source_->fd(), messages.data() + done, static_cast<unsigned>(filled_ - done), MSG_DONTWAIT);
    if (count > 0) {
      done += static_cast<size_t>(count);
      continue;
    }
    if (errno == EINTR) continue;
    bool full = errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM;
    if (!full) {
      error = errno;
      filled_ = 0;
      return false;
    }
    if (++retry > kRetries) break;
    thread.SleepUntil(MonotonicMilliseconds() + kRetryMilliseconds);
  }
  unsent += filled_ - done;
  filled_ = 0;
  return true;
}

// Until an answer comes, or the next segment is due, or somebody wants attention. False: the link is gone.
bool Ghosting::Wait(double now) {
  pollfd watched[] = {{source_->fd(), POLLIN, 0}, {thread.WakeFd(), POLLIN, 0}};
  double wait = -1;
  if (next_ < plan_.count && !resetting_) {
    wait = plan_.rate > 0 ? startedAt + next_ * 1e3 / plan_.rate - now : kForgetMilliseconds;
    if (plan_.kind == Kind::kHandshake) wait = std::min(std::max(wait, 0.01), kForgetMilliseconds);
  }
  timespec time{};
  if (wait >= 0) time = TimeSpec(wait);
  if (ppoll(watched, 2, wait >= 0 ? &time : nullptr, nullptr) < 0 && errno != EINTR) {
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

uint64_t Ghosting::Drops() {
  if (source_) kernelDrops_ += source_->Drops();
  return kernelDrops_;
}

std::shared_ptr<PacketSource> Ghosting::GiveBack() {
  Drops();
  return std::move(source_);
}

}  // namespace one_listener
