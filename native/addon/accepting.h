#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "addon/acceptor.h"
#include "addon/thread.h"
#include "addon/watched_listener.h"
#include "base/fd.h"

namespace one_listener {

// A thread that takes connections from a listener with epoll_wait and accept4. Knows nothing of JavaScript.
class Accepting {
 public:
  // @throws OsError
  Accepting(int listenerFd, double rate, uint32_t limit, bool closeAtOnce);
  ~Accepting();

  // `announce` asks, from the thread, for a Fetch(): at most once until it has been fetched, and once when the thread
  // has ended. @throws OsError
  void Start(std::function<void()> announce);
  void Pause() { paused = true; }
  void Resume();
  void SetRate(double perSecond);
  // Descriptors accepted and not yet fetched; the caller owns them.
  std::vector<int> Fetch();

  std::atomic<bool> paused{false}, running{false};
  std::atomic<uint32_t> exhausted{0}, wakeups{0};
  std::atomic<int> error{0};
  const std::shared_ptr<AcceptedCount> accepted = std::make_shared<AcceptedCount>(0);
  StoppableThread thread;

 private:
  enum class Outcome { kTaken, kEmpty, kExhausted, kFailed };

  void Run();
  bool TakeTurn();
  bool WaitForConnection(double perSecond, bool& waited);
  Outcome AcceptOne();
  Outcome AcceptMany();
  bool Done() const;
  void Keep(int fd);
  void Flush(bool now);
  void SleepUntil(double due);

  const WatchedListener listener_;
  const uint32_t limit_;
  const bool closeAtOnce_;
  std::atomic<double> rate_;
  std::function<void()> announce_;
  Fd epoll_;

  std::mutex mutex_;  // guards fresh_ and announced_
  std::vector<int> fresh_;
  bool announced_ = false;

  // the thread's own
  double slot_ = 0;  // the moment in the pace that the last connection was taken for, CLOCK_MONOTONIC ms
  double flushed_ = 0;
};

}  // namespace one_listener
