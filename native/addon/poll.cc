// Waiting for a descriptor without a thread: uv_poll and a uv_timer on Node's own loop.
#include <napi.h>
#include <poll.h>
#include <uv.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "addon/arguments.h"
#include "addon/exported.h"
#include "addon/parts.h"
#include "base/os_error.h"

namespace one_listener {
namespace {

// ms, 31,000 years. A longer time might not fit into the integer of a uv_timer.
constexpr double kLongestTimer = 1e15;

// Deletes itself when both handles are closed. Holds a reference to no JavaScript object but the promise's deferred.
class Waiter {
 public:
  Waiter(Napi::Env env, uv_loop_t* loop)
      : env_(env), loop_(loop), deferred_(Napi::Promise::Deferred::New(env)), context_(env, "one-listener.poll") {}

  // 0 or a uv error; on an error the handles were never made.
  int Start(int fd, int events, double timeout) {
    int error = uv_poll_init(loop_, &poll_, fd);
    if (error != 0) return error;
    poll_.data = this;
    // A worker thread that is terminated ends its loop with this: handles that are still open would abort the process.
    napi_add_async_cleanup_hook(
        env_, [](napi_async_cleanup_hook_handle, void* waiter) { static_cast<Waiter*>(waiter)->Close(); }, this,
        &cleanup_);
    uv_timer_init(loop_, &timer_);
    timer_.data = this;
    // An error (the descriptor was closed under us) counts as ready: the call that follows names it.
    uv_poll_start(
        &poll_, events, [](uv_poll_t* handle, int, int) { static_cast<Waiter*>(handle->data)->Settle(true); });
    if (!std::isinf(timeout))
      uv_timer_start(
          &timer_, [](uv_timer_t* handle) { static_cast<Waiter*>(handle->data)->Settle(false); },
          static_cast<uint64_t>(std::ceil(std::min(timeout, kLongestTimer))), 0);
    return 0;
  }

  Napi::Promise Promise() { return deferred_.Promise(); }

  void Settle(bool ready) {
    if (!closing_) {
      Napi::HandleScope scope(env_);
      Napi::CallbackScope callbacks(env_, context_);
      Close();
      deferred_.Resolve(Napi::Boolean::New(env_, ready));
    }
  }

  void Cancel() {
    if (closing_) return;
    Close();
    deferred_.Resolve(Napi::Boolean::New(env_, false));
  }

  // Ends both handles and leaves the promise pending.
  void Close() {
    if (closing_) return;
    closing_ = true;
    *gone_ = true;
    uv_poll_stop(&poll_);
    auto closed = [](uv_handle_t* handle) {
      auto* waiter = static_cast<Waiter*>(handle->data);
      if (--waiter->open_ > 0) return;
      if (waiter->cleanup_) napi_remove_async_cleanup_hook(waiter->cleanup_);
      std::unique_ptr<Waiter> last(waiter);
    };
    uv_close(reinterpret_cast<uv_handle_t*>(&poll_), closed);
    uv_close(reinterpret_cast<uv_handle_t*>(&timer_), closed);
  }

  std::shared_ptr<bool> gone() { return gone_; }

 private:
  Napi::Env env_;
  uv_loop_t* loop_;
  uv_poll_t poll_{};
  uv_timer_t timer_{};
  napi_async_cleanup_hook_handle cleanup_ = nullptr;
  int open_ = 2;
  bool closing_ = false;
  std::shared_ptr<bool> gone_ = std::make_shared<bool>(false);
  Napi::Promise::Deferred deferred_;
  Napi::AsyncContext context_;
};

// Whether the descriptor is ready now.
Napi::Value ReadyNow(Napi::Env env, int fd, int asked) {
  pollfd watched{fd, static_cast<short>((asked & 1 ? POLLIN : 0) | (asked & 2 ? POLLOUT : 0)), 0};
  int ready = ::poll(&watched, 1, 0);
  Require(ready, "poll");
  if (watched.revents & POLLNVAL) throw OsError{EBADF, "poll"};
  auto deferred = Napi::Promise::Deferred::New(env);
  deferred.Resolve(Napi::Boolean::New(env, ready > 0));
  Napi::Object made = Napi::Object::New(env);
  made.Set("promise", deferred.Promise());
  made.Set("cancel", Napi::Function::New(env, [](const Napi::CallbackInfo&) {}, "cancel"));
  return made;
}

// poll(fd, events, timeoutMs): { promise, cancel() }; Infinity: no time limit
Napi::Value Poll(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  int fd = FileDescriptor(info[0]);
  int asked = static_cast<int>(Integer(info[1], "events", 1, 3));
  double timeout = Number(info[2], "timeoutMs", 0, std::numeric_limits<double>::infinity());
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok || loop == nullptr)
    throw Napi::Error::New(env, "this thread has no event loop");
  // A timer of 0 ms would fire before the loop looks at the descriptor.
  if (timeout == 0) return ReadyNow(env, fd, asked);
  int events = (asked & 1 ? UV_READABLE : 0) | (asked & 2 ? UV_WRITABLE : 0);
  auto waiter = std::make_unique<Waiter>(env, loop);
  int error = waiter->Start(fd, events, timeout);
  if (error != 0) {
    // uv_poll_init refuses what epoll cannot watch; nothing is registered then.
    throw OsError{-error, "epoll_ctl"};
  }
  Waiter* running = waiter.release();
  std::shared_ptr<bool> gone = running->gone();
  Napi::Object made = Napi::Object::New(env);
  made.Set("promise", running->Promise());
  made.Set("cancel",
      Napi::Function::New(
          env,
          [running, gone](const Napi::CallbackInfo&) {
            if (!*gone) running->Cancel();
          },
          "cancel"));
  return made;
}

}  // namespace

void InitPoll(Napi::Env env, Napi::Object exports) { Export<Poll>(env, exports, "poll"); }

}  // namespace one_listener
