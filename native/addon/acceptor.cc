// Acceptor: the JavaScript face of an AcceptorThread.
#include "addon/acceptor.h"

#include <algorithm>
#include <limits>
#include <span>

#include "addon/acceptor_thread.h"
#include "addon/arguments.h"
#include "addon/object_class.h"
#include "addon/parts.h"
#include "addon/worker.h"

namespace one_listener {
namespace {

class Acceptor : public Napi::ObjectWrap<Acceptor> {
 public:
  static constexpr napi_type_tag kTag = {0x6f6e652d6c697374, 0x6163636570746f72};

  static void Init(Napi::Env env, Napi::Object exports) {
    exports.Set("Acceptor",
        DefineClass(env, "Acceptor",
            {
                InstanceMethod<&Acceptor::Start>("start"),
                InstanceMethod<&Acceptor::Pause>("pause"),
                InstanceMethod<&Acceptor::Resume>("resume"),
                InstanceMethod<&Acceptor::SetRate>("setRate"),
                InstanceMethod<&Acceptor::Stats>("stats"),
                InstanceMethod<&Acceptor::Stop>("stop"),
            }));
  }

  explicit Acceptor(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Acceptor>(info) {
    Napi::Object options = Options(info[0], "options");
    int listener = FileDescriptor(options.Get("listenerFd"), "listenerFd");
    double rate = Number(options.Get("rate"), "rate", 0, 1e9);
    auto limit = static_cast<uint32_t>(Integer(options.Get("limit"), "limit", 0, std::numeric_limits<int>::max()));
    std::string mode = Text(options.Get("mode"), "mode");
    if (mode != "keep" && mode != "close") throw Napi::TypeError::New(info.Env(), "mode must be \"keep\" or \"close\"");
    onBatch_ = Napi::Persistent(Callback(options.Get("onBatch"), "onBatch"));
    acceptor_ =
        Guarded(info.Env(), [&] { return std::make_shared<AcceptorThread>(listener, rate, limit, mode == "close"); });
    info.This().As<Napi::Object>().TypeTag(&kTag);
  }

  ~Acceptor() override { *self_ = nullptr; }

  std::shared_ptr<AcceptedCount> accepted() const { return acceptor_->accepted(); }

 private:
  void Start(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    RequireFresh(env, acceptor_->thread(), "acceptor");
    // Keeps Node alive while the loop runs, as a listening net.Server does.
    call_ = Napi::ThreadSafeFunction::New(env, onBatch_.Value(), "one-listener.acceptor", 0, 1);
    // Added after the function's own hook, so it runs before that: no call is made through a function that is gone.
    hook_ = env.AddCleanupHook(AtEnvironmentEnd, this);
    Ref();  // a running loop is not garbage
    open_ = true;
    auto deliver = [self = self_](Napi::Env called, Napi::Function) {
      if (*self != nullptr) (*self)->Deliver(called);
    };
    try {
      Guarded(env, [&] { acceptor_->Start([this, deliver] { call_.NonBlockingCall(deliver); }); });
    } catch (...) {
      Release(env);
      throw;
    }
  }

  // Passes on what has been accepted; when the loop has ended, also the empty batch, once.
  void Deliver(Napi::Env env) {
    bool over = !acceptor_->running();
    std::vector<int> fds = acceptor_->Fetch();
    if (!fds.empty()) CallBack(env, fds);
    if (!over || !open_) return;
    acceptor_->Stop();  // it may still be inside its last announcement
    Release(env);
    CallBack(env, {});
    onBatch_.Reset();  // it refers to this object: neither would ever be garbage
  }

  void CallBack(Napi::Env env, std::span<const int> fds) {
    Napi::HandleScope scope(env);
    try {
      Napi::Int32Array batch = Napi::Int32Array::New(env, fds.size());
      std::copy(fds.begin(), fds.end(), batch.Data());
      onBatch_.Call({batch});
    } catch (const Napi::Error& error) {
      // As if it had been thrown in a callback of Node's own: "uncaughtException".
      napi_fatal_exception(env, error.Value());
    }
  }

  void Pause(const Napi::CallbackInfo&) { acceptor_->Pause(); }
  void Resume(const Napi::CallbackInfo&) { acceptor_->Resume(); }
  void SetRate(const Napi::CallbackInfo& info) { acceptor_->SetRate(Number(info[0], "rate", 0, 1e9)); }

  Napi::Value Stats(const Napi::CallbackInfo& info) {
    Napi::Object made = Napi::Object::New(info.Env());
    AcceptorThread::Stats stats = acceptor_->stats();
    made.Set("accepted", stats.accepted);
    made.Set("exhausted", stats.exhausted);
    made.Set("wakeups", stats.wakeups);
    made.Set("running", stats.running);
    made.Set("paused", stats.paused);
    made.Set("error", stats.error);
    return made;
  }

  Napi::Value Stop(const Napi::CallbackInfo& info) {
    // The reference keeps this object until the worker has come back.
    auto self = std::make_shared<Napi::ObjectReference>(Napi::Persistent(info.This().As<Napi::Object>()));
    // NOLINTNEXTLINE(clang-analyzer-cplusplus.NewDeleteLeaks): the worker is libuv's, see Worker::Start()
    return StopLater(info.Env(), acceptor_, [this, self](Napi::Env env) {
      Deliver(env);
      return env.Undefined();
    });
  }

  void Release(Napi::Env env) {
    open_ = false;
    hook_.Remove(env);
    call_.Release();
    Unref();
  }

  static void AtEnvironmentEnd(Acceptor* acceptor) {
    acceptor->acceptor_->Stop();
    acceptor->open_ = false;
    acceptor->call_.Release();
  }

  std::shared_ptr<AcceptorThread> acceptor_;
  Napi::FunctionReference onBatch_;
  Napi::ThreadSafeFunction call_;
  Napi::Env::CleanupHook<void (*)(Acceptor*), Acceptor> hook_;
  bool open_ = false;
  std::shared_ptr<Acceptor*> self_ = std::make_shared<Acceptor*>(this);
};

}  // namespace

std::shared_ptr<AcceptedCount> AcceptedCountOf(const Napi::Value& value) {
  return Unwrapped<Acceptor>(value, "acceptor", "an Acceptor")->accepted();
}

void InitAcceptor(Napi::Env env, Napi::Object exports) { Acceptor::Init(env, exports); }

}  // namespace one_listener
