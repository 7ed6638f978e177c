#pragma once
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <mutex>
#include <system_error>
#include <thread>

#include "base/fd.h"

namespace one_listener {

inline double MonotonicMilliseconds() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

inline timespec MonotonicTime(double milliseconds) {
  timespec time;
  time.tv_sec = static_cast<time_t>(milliseconds / 1e3);
  time.tv_nsec = static_cast<long>((milliseconds - static_cast<double>(time.tv_sec) * 1e3) * 1e6);
  return time;
}

// A thread that can be told to stop and be joined from any thread, any number of times. Signals stay with Node's main thread.
class StoppableThread {
 public:
  StoppableThread() : wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  ~StoppableThread() { Stop(); }

  bool Started() const { return started_; }
  bool Stopping() const { return stopping_.load(std::memory_order_relaxed); }
  // Readable once somebody wants the thread's attention.
  int WakeFd() const { return wake_.get(); }

  template <typename Body>
  void Start(Body body) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
      thread_ = std::thread([body] {
        prctl(PR_SET_TIMERSLACK, 1UL);  // ns; the default of 50 us would blur every deadline
        body();
      });
      started_ = true;
    } catch (...) {
      pthread_sigmask(SIG_SETMASK, &before, nullptr);
      throw;
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  void Wake() {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!wake_) return;
    uint64_t one = 1;
    ssize_t ignored = write(wake_.get(), &one, sizeof one);
    (void)ignored;
  }

  void ClearWake() {
    uint64_t count;
    ssize_t ignored = read(wake_.get(), &count, sizeof count);
    (void)ignored;
  }

  void Stop() {
    stopping_.store(true);
    Wake();
    // Whoever comes second waits as well: when Stop() returns, the thread has ended.
    std::lock_guard<std::mutex> joining(joining_);
    if (thread_.joinable()) thread_.join();
    // Not at the end of this object: JavaScript may keep it long after it was stopped.
    std::lock_guard<std::mutex> lock(mutex_);
    wake_.reset();
  }

 private:
  std::mutex joining_;
  std::mutex mutex_;  // a descriptor must not be written to while another thread closes it
  Fd wake_;
  std::thread thread_;
  bool started_ = false;
  std::atomic<bool> stopping_{false};
};

}  // namespace one_listener
