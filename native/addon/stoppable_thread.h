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

// A thread that is made while this lives handles no signals: they stay with Node's main thread.
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

// Names the calling thread for `ps -L` and /proc/self/task/*/comm. At most 15 bytes: pthread_setname_np refuses more,
// and the thread keeps the name of the process.
inline void NameThisThread(const char* name) { pthread_setname_np(pthread_self(), name); }

// A thread that can be told to stop and be joined from any thread, any number of times. It is started at most once.
class StoppableThread {
 public:
  // name: see NameThisThread(). @throws OsError eventfd: EMFILE, ENFILE, ENOMEM
  explicit StoppableThread(const char* name)
      : name_(name), wake_(Require(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")) {}
  ~StoppableThread() { Stop(); }
  StoppableThread(const StoppableThread&) = delete;
  StoppableThread& operator=(const StoppableThread&) = delete;

  // Of the thread that calls Start(); no other may ask.
  bool Started() const { return started_; }
  bool Stopping() const { return stopping_.load(std::memory_order_relaxed); }
  // Readable once another thread wants attention. For the thread itself.
  int WakeFd() const { return wake_.get(); }

  // Runs `body` on the thread. What it throws (std::bad_alloc) is noted in `error` as ENOMEM: it must not end Node's
  // process. `error` and what `body` refers to must outlive the thread. @throws OsError pthread_create: EAGAIN
  template <typename Body>
  void Start(std::atomic<int>& error, Body body) {
    SignalsBlocked blocked;
    try {
      thread_ = std::thread([&error, body, name = name_] {
        NameThisThread(name);
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

  // Ends the thread's present or next wait. Any thread.
  void Wake() {
    std::lock_guard<std::mutex> lock(waking_);
    uint64_t one = 1;
    if (wake_ && write(wake_.get(), &one, sizeof one) < 0) return;  // EAGAIN, the counter is full: it is awake already
  }

  // Makes WakeFd() unreadable again. For the thread itself.
  void ClearWake() {
    uint64_t count;
    if (read(wake_.get(), &count, sizeof count) < 0) return;  // EAGAIN: no other thread had called
  }

  // Waits until `due` (CLOCK_MONOTONIC ms) or until Wake(); true: the time has come. For the thread itself.
  bool SleepUntil(double due) {
    double left = due - MonotonicMilliseconds();
    if (left <= 0) return true;
    pollfd waking{WakeFd(), POLLIN, 0};
    timespec time = TimeSpec(left);
    if (ppoll(&waking, 1, &time, nullptr) <= 0) return MonotonicMilliseconds() >= due;
    ClearWake();
    return false;
  }

  // Tells the thread to end, and returns at once; it cannot be started any more. Any thread.
  void AskToStop() {
    stopping_ = true;
    Wake();
  }

  // Returns when the thread has ended. Blocks as long as that is inside a system call: not for JavaScript's thread, and
  // not for this one itself. Any number of times.
  void Stop() {
    AskToStop();
    std::lock_guard<std::mutex> lock(joining_);
    if (thread_.joinable()) thread_.join();
    std::lock_guard<std::mutex> quiet(waking_);
    wake_.reset();
  }

 private:
  const char* const name_;
  std::mutex waking_;   // guards wake_ against its end
  std::mutex joining_;  // guards thread_
  Fd wake_;
  std::thread thread_;
  bool started_ = false;
  std::atomic<bool> stopping_{false};
};

}  // namespace one_listener
