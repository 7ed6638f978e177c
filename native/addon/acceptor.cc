// Acceptor: the JavaScript face of an Accepting.
#include "addon/acceptor.h"

#include <algorithm>
#include <limits>

#include "addon/accepting.h"
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
    accepting_ =
        Guarded(info.Env(), [&] { return std::make_shared<Accepting>(listener, rate, limit, mode == "close"); });
    info.This().As<Napi::Object>().TypeTag(&kTag);
  }

  ~Acceptor() override { *self_ = nullptr; }

  std::shared_ptr<AcceptedCount> accepted() const { return accepting_->accepted; }

 private:
  void Start(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    RequireFresh(env, accepting_->thread, "acceptor");
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
      Guarded(env, [&] { accepting_->Start([this, deliver] { call_.NonBlockingCall(deliver); }); });
    } catch (...) {
      Release(env);
      throw;
    }
  }

  // Hands over what has been accepted; when the loop has ended, also the empty batch, once.
  void Deliver(Napi::Env env) {
    bool over = !accepting_->running;
    std::vector<int> fds = accepting_->Fetch();
    if (!fds.empty()) Hand(env, fds);
    if (!over || !open_) return;
    accepting_->thread.Stop();  // it may still be inside its last announcement
    Release(env);
    Hand(env, {});
    onBatch_.Reset();  // it knows this object, which would keep both for ever
  }

  void Hand(Napi::Env env, const std::vector<int>& fds) {
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

  void Pause(const Napi::CallbackInfo&) { accepting_->Pause(); }
  void Resume(const Napi::CallbackInfo&) { accepting_->Resume(); }
  void SetRate(const Napi::CallbackInfo& info) { accepting_->SetRate(Number(info[0], "rate", 0, 1e9)); }

  Napi::Value Stats(const Napi::CallbackInfo& info) {
    Napi::Object made = Napi::Object::New(info.Env());
    made.Set("accepted", accepting_->accepted->load());
    made.Set("exhausted", accepting_->exhausted.load());
    made.Set("wakeups", accepting_->wakeups.load());
    made.Set("running", accepting_->running.load());
    made.Set("paused", accepting_->paused.load());
    made.Set("error", accepting_->error.load());
    return made;
  }

  Napi::Value Stop(const Napi::CallbackInfo& info) {
    auto join = [](std::shared_ptr<Accepting>& accepting) {
      accepting->thread.Stop();
      return 0;
    };
    // The reference keeps this object until the worker has come back.
    auto self = std::make_shared<Napi::ObjectReference>(Napi::Persistent(info.This().As<Napi::Object>()));
    return Worker<std::shared_ptr<Accepting>>::Start(
        info.Env(), "join", accepting_, join, [this, self](Napi::Env env, auto&) -> Napi::Value {
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
    acceptor->accepting_->thread.Stop();
    acceptor->open_ = false;
    acceptor->call_.Release();
  }

  std::shared_ptr<Accepting> accepting_;
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
