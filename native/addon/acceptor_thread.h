#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "addon/accepted_count.h"
#include "addon/stoppable_thread.h"
#include "addon/watched_listener.h"
#include "base/fd.h"

namespace one_listener {

// A thread that takes connections from a listener with epoll_wait and accept4. Knows nothing of JavaScript. Its
// functions are for one thread, its maker's, except where they say otherwise.
class AcceptorThread {
 public:
  // rate: connections per second, evenly spaced; 0: as fast as it can. limit: ends by itself after that many; 0: no
  // limit. closeAtOnce: closes each connection instead of keeping it. The listener stays its owner's. @throws OsError
  AcceptorThread(int listenerFd, double rate, uint32_t limit, bool closeAtOnce);
  ~AcceptorThread();

  // `announce` asks, from the thread, for a Fetch(): at most once until it has been fetched, and once when the thread
  // has ended. @throws OsError EINVAL: no listener, or one whose accept4 would block; EBADF; EAGAIN: no thread
  void Start(std::function<void()> announce);
  void Pause() { paused_ = true; }
  void Resume();
  void SetRate(double perSecond);
  // Tells it to end. Any thread.
  void AskToStop() { thread_.AskToStop(); }
  // Joins; any thread but itself.
  void Stop() { thread_.Stop(); }

  // Descriptors accepted and not yet fetched; the caller owns them. Any thread.
  std::vector<int> Fetch();
  // False before Start(), and once the thread accepts no more, though it may still be inside its last announcement.
  bool running() const { return running_; }
  struct Stats {
    uint32_t accepted;
    uint32_t exhausted;  // times that accept4 found no descriptor or no memory
    uint32_t wakeups;    // times that epoll_wait brought the listener
    bool running, paused;
    int error;  // errno that ended the thread, or 0
  };
  Stats stats() const;
  std::shared_ptr<AcceptedCount> accepted() const { return accepted_; }
  const StoppableThread& thread() const { return thread_; }

 private:
  enum class Outcome { kTaken, kEmpty, kExhausted, kFailed };

  void Run();
  bool TakeTurn();
  bool Accept(double perSecond);
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
  std::atomic<bool> paused_{false}, running_{false};
  std::atomic<uint32_t> exhausted_{0}, wakeups_{0};
  std::atomic<int> error_{0};
  const std::shared_ptr<AcceptedCount> accepted_ = std::make_shared<AcceptedCount>(0);
  std::function<void()> announce_;
  Fd epoll_;

  std::mutex mutex_;  // guards fresh_ and announced_
  std::vector<int> fresh_;
  bool announced_ = false;

  // the thread's own
  double slot_ = 0;  // the moment in the pace that the last connection was taken for, CLOCK_MONOTONIC ms
  double flushed_ = 0;

  StoppableThread thread_{"acceptor"};  // last: it ends before what it uses
};

}  // namespace one_listener
