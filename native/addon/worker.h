#pragma once
#include <napi.h>

#include <functional>
#include <memory>
#include <utility>

#include "addon/system_error.h"

namespace one_listener {

// Runs `work` on a libuv worker thread and settles a promise with what `result` makes of it on the JavaScript thread.
// `work` returns 0 or an errno, with which the promise is rejected; what it throws rejects it too. The state lives
// until the promise is settled.
template <typename State>
class Worker : public Napi::AsyncWorker {
 public:
  using Work = std::function<int(State&)>;
  using Result = std::function<Napi::Value(Napi::Env, State&)>;

  static Napi::Promise Start(Napi::Env env, const char* syscall, State state, Work work, Result result) {
    std::unique_ptr<Worker> worker(new Worker(env, syscall, std::move(state), std::move(work), std::move(result)));
    Napi::Promise promise = worker->deferred_.Promise();
    worker->Queue();
    // From here on it is libuv's, and deletes itself once OnOK() or OnError() has run (Napi::AsyncWorker).
    worker.release();  // NOLINT(bugprone-unused-return-value)
    return promise;
  }

 protected:
  void Execute() override { error_ = work_(state_); }

  void OnOK() override {
    Napi::HandleScope scope(Env());
    if (error_ != 0) return deferred_.Reject(SystemError(Env(), error_, syscall_).Value());
    try {
      deferred_.Resolve(result_(Env(), state_));
    } catch (const Napi::Error& error) {
      deferred_.Reject(error.Value());
    }
  }

  // What `work` has thrown, std::bad_alloc for one.
  void OnError(const Napi::Error& error) override {
    Napi::HandleScope scope(Env());
    deferred_.Reject(error.Value());
  }

 private:
  Worker(Napi::Env env, const char* syscall, State state, Work work, Result result)
      : Napi::AsyncWorker(env), deferred_(Napi::Promise::Deferred::New(env)), syscall_(syscall),
        state_(std::move(state)), work_(std::move(work)), result_(std::move(result)) {}

  Napi::Promise::Deferred deferred_;
  const char* syscall_;
  State state_;
  Work work_;
  Result result_;
  int error_ = 0;
};

inline Napi::Value Undefined(Napi::Env env) { return env.Undefined(); }

// Tells one of our threads to end, now, and resolves when it has ended: joining takes as long as it is inside a system
// call, such as a sock_diag dump of a million requests, so it is done on a libuv worker. `then` runs on the JavaScript
// thread before the promise is resolved.
template <typename Thread>
Napi::Promise StopLater(
    Napi::Env env, std::shared_ptr<Thread> thread, std::function<Napi::Value(Napi::Env)> then = Undefined) {
  thread->AskToStop();
  auto stop = [](std::shared_ptr<Thread>& stopping) {
    stopping->Stop();
    return 0;
  };
  auto result = [then = std::move(then)](Napi::Env settling, auto&) { return then(settling); };
  return Worker<std::shared_ptr<Thread>>::Start(env, "join", std::move(thread), stop, result);
}

}  // namespace one_listener
