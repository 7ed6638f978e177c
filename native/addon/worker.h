#pragma once
#include <napi.h>

#include <functional>
#include <utility>

#include "addon/system_error.h"

namespace one_listener {

// Runs `work` on a libuv worker thread and settles a promise with what `result` makes of it. `work` returns 0 or an
// errno.
template <typename State>
class Worker : public Napi::AsyncWorker {
 public:
  using Work = std::function<int(State&)>;
  using Result = std::function<Napi::Value(Napi::Env, State&)>;

  static Napi::Promise Start(Napi::Env env, const char* syscall, State state, Work work, Result result) {
    auto* worker =
        new Worker(env, syscall, std::move(state), std::move(work), std::move(result));  // deletes itself when done
    Napi::Promise promise = worker->deferred_.Promise();
    worker->Queue();
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

}  // namespace one_listener
