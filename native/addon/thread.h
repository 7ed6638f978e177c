#pragma once
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <system_error>
#include <thread>

#include "base/clock.h"
#include "base/fd.h"
#include "base/os_error.h"

namespace one_listener {

// A thread made meanwhile handles no signals: they stay with Node's main thread.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

// A thread that can be told to stop and be joined from any thread, any number of times.
class StoppableThread {
 public:
  StoppableThread() : wake_(Require(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")) {}
  ~StoppableThread() { Stop(); }

  bool Started() const { return started_; }
  bool Stopping() const { return stopping_.load(std::memory_order_relaxed); }
  // Readable once somebody wants the thread's attention. For the thread itself.
  int WakeFd() const { return wake_.get(); }

  // Runs `body` on the thread. What it throws (std::bad_alloc) is noted in `error` as ENOMEM: it must not end Node's
  // process.
  template <typename Body>
  void Start(std::atomic<int>& error, Body body) {
    SignalsBlocked blocked;
    try {
      thread_ = std::thread([&error, body] {
        prctl(PR_SET_TIMERSLACK, 1UL);  // ns; the default of 50 us would blur every deadline
        try {
          body();
        } catch (...) {
          error = ENOMEM;
        }
      });
    } catch (const std::system_error& failure) {
      throw OsError{failure.code().value(), "pthread_create"};
    }
    started_ = true;
  }

  void Wake() {
    std::lock_guard<std::mutex> lock(waking_);
    uint64_t one = 1;
    if (wake_ && write(wake_.get(), &one, sizeof one) < 0) return;  // full: it is awake already
  }

  void ClearWake() {
    uint64_t count;
    if (read(wake_.get(), &count, sizeof count) < 0) return;  // EAGAIN: nobody had called
  }

  // Waits until `due` (CLOCK_MONOTONIC ms) or until somebody wants attention; true: the time has come.
  bool SleepUntil(double due) {
    double left = due - MonotonicMilliseconds();
    if (left <= 0) return true;
    pollfd waking{WakeFd(), POLLIN, 0};
    timespec time = TimeSpec(left);
    if (ppoll(&waking, 1, &time, nullptr) <= 0) return MonotonicMilliseconds() >= due;
    ClearWake();
    return false;
  }

  // The thread is to end. Does not wait for that; nothing can be started any more.
  void AskToStop() {
    stopping_ = true;
    Wake();
  }

  // Returns when the thread has ended. Any thread may call it, but not this one itself, and any number of times.
  void Stop() {
    AskToStop();
    std::lock_guard<std::mutex> lock(joining_);
    if (thread_.joinable()) thread_.join();
    std::lock_guard<std::mutex> quiet(waking_);
    wake_.reset();
  }

 private:
  std::mutex waking_;   // guards wake_ against its end
  std::mutex joining_;  // guards thread_
  Fd wake_;
  std::thread thread_;
  bool started_ = false;
  std::atomic<bool> stopping_{false};
};

}  // namespace one_listener
