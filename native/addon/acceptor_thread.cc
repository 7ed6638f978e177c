#include "addon/acceptor_thread.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace one_listener {
namespace {

constexpr size_t kBatch = 256;
constexpr double kBatchMilliseconds = 2;
constexpr double kExhaustedPause = 10;  // ms
// The kernel takes a closed listener out of the epoll set and reports no event (eventpoll_release). So an idle loop
// checks the listener this often.
constexpr int kLookMilliseconds = 100;
// By how much a paced loop may lag behind its pace and still catch up, ms.
constexpr double kMostCatchUp = 20;

void Add(const Fd& epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  Require(epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

}  // namespace

AcceptorThread::AcceptorThread(int listenerFd, double rate, uint32_t limit, bool closeAtOnce)
    : listener_(listenerFd), limit_(limit), closeAtOnce_(closeAtOnce), rate_(rate),
      epoll_(Require(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {
  fresh_.reserve(kBatch);
}

AcceptorThread::~AcceptorThread() {
  thread_.Stop();
  for (int fd : Fetch()) close(fd);
}

void AcceptorThread::Start(std::function<void()> announce) {
  int failure = listener_.Check();
  // A blocking accept4 could never be stopped.
  if (failure == 0 && !(Require(fcntl(listener_.fd(), F_GETFL), "fcntl") & O_NONBLOCK)) failure = EINVAL;
  if (failure != 0) throw OsError{failure, "accept4"};
  Add(epoll_, listener_.fd());
  Add(epoll_, thread_.WakeFd());
  announce_ = std::move(announce);
  running_ = true;
  try {
    thread_.Start(error_, [this] { Run(); });
  } catch (...) {
    running_ = false;
    throw;
  }
}

void AcceptorThread::Resume() {
  paused_ = false;
  thread_.Wake();
}

void AcceptorThread::SetRate(double perSecond) {
  rate_ = perSecond;
  thread_.Wake();
}

AcceptorThread::Stats AcceptorThread::stats() const {
  return {accepted_->load(), exhausted_, wakeups_, running_, paused_, error_};
}

std::vector<int> AcceptorThread::Fetch() {
  std::lock_guard<std::mutex> lock(mutex_);
  announced_ = false;
  return std::exchange(fresh_, {});
}

void AcceptorThread::Run() {
  try {
    while (!Done() && TakeTurn()) continue;
  } catch (...) {
    error_ = ENOMEM;
  }
  epoll_.reset();
  running_ = false;
  announce_();
}

bool AcceptorThread::Done() const {
  return thread_.Stopping() || (limit_ > 0 && accepted_->load(std::memory_order_relaxed) >= limit_);
}

// Waits for its turn and for a connection, then accepts. False: the loop has ended.
bool AcceptorThread::TakeTurn() {
  if (paused_) {
    SleepUntil(std::numeric_limits<double>::infinity());
    return true;
  }
  double perSecond = rate_;
  double due = perSecond > 0 ? slot_ + 1e3 / perSecond : 0;
  if (due > MonotonicMilliseconds()) {
    SleepUntil(due);
    return true;
  }
  bool waited = false;
  bool ready = WaitForConnection(perSecond, waited);
  int failure = listener_.Check();
  if (failure != 0) {
    error_ = failure;
    return false;
  }
  if (!ready || paused_ || Done()) return true;
  double now = MonotonicMilliseconds();
  // Evenly spaced: turns in which no connection came are not made up for, a late thread's are.
  slot_ = waited ? now : std::max(due, now - kMostCatchUp);
  return Accept(perSecond);
}

// False: the loop has ended.
bool AcceptorThread::Accept(double perSecond) {
  switch (perSecond > 0 ? AcceptOne() : AcceptMany()) {
    case Outcome::kTaken:
    case Outcome::kEmpty: return true;
    case Outcome::kExhausted:
      // accept4 takes the descriptor first and leaves the queue as it is: asking again at once would spin.
      ++exhausted_;
      Flush(true);
      thread_.SleepUntil(MonotonicMilliseconds() + kExhaustedPause);
      return true;
    case Outcome::kFailed: break;
  }
  return false;
}

// True: the accept queue holds something. Comes back without, too: when there is something to flush or to look after.
bool AcceptorThread::WaitForConnection(double perSecond, bool& waited) {
  epoll_event events[2];
  int count = perSecond > 0 ? epoll_wait(epoll_.get(), events, 2, 0) : 0;
  if (count == 0) {
    waited = true;
    Flush(false);
    bool pending;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      pending = !fresh_.empty() && !announced_;
    }
    count = epoll_wait(epoll_.get(), events, 2, pending ? static_cast<int>(kBatchMilliseconds) : kLookMilliseconds);
  }
  bool ready = false;
  for (int at = 0; at < count; ++at) {
    if (events[at].data.fd == thread_.WakeFd()) thread_.ClearWake();
    else ready = true;
  }
  if (ready) ++wakeups_;
  return ready;
}

AcceptorThread::Outcome AcceptorThread::AcceptMany() {
  for (size_t turn = 0; turn < kBatch && !Done() && !paused_.load(std::memory_order_relaxed); ++turn) {
    Outcome outcome = AcceptOne();
    if (outcome != Outcome::kTaken) return outcome;
  }
  return Outcome::kTaken;
}

AcceptorThread::Outcome AcceptorThread::AcceptOne() {
  int made = accept4(listener_.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (made >= 0) {
    accepted_->store(accepted_->load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    if (closeAtOnce_) close(made);
    else Keep(made);
    return Outcome::kTaken;
  }
  switch (errno) {
    // The last two are a connection's own errors (accept(2)).
    case EAGAIN:
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case EPERM: return Outcome::kEmpty;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM: return Outcome::kExhausted;
    default: error_ = errno; return Outcome::kFailed;
  }
}

void AcceptorThread::Keep(int fd) {
  size_t count;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    fresh_.push_back(fd);
    count = fresh_.size();
  }
  if (count >= kBatch) Flush(true);
}

// Announces what was accepted: at most one announcement waits to be answered, and no two within 2 ms unless a batch is
// full.
void AcceptorThread::Flush(bool now) {
  double time = MonotonicMilliseconds();
  if (!now && time - flushed_ < kBatchMilliseconds) return;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (fresh_.empty() || announced_) return;
    announced_ = true;
  }
  flushed_ = time;
  announce_();
}

// In parts, where something must be flushed or the listener looked after meanwhile.
void AcceptorThread::SleepUntil(double due) {
  Flush(false);
  thread_.SleepUntil(std::min(due, MonotonicMilliseconds() + kBatchMilliseconds));
  Flush(false);
  if (MonotonicMilliseconds() < due && !thread_.Stopping())
    thread_.SleepUntil(std::min(due, MonotonicMilliseconds() + kLookMilliseconds));
}

}  // namespace one_listener
