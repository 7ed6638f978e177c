// A thread that runs epoll_wait and accept4 on a listener, at a rate or as fast as it can.
#include "addon/acceptor.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <limits>
#include <mutex>
#include <vector>

#include "addon/arguments.h"
#include "addon/parts.h"
#include "addon/system_error.h"
#include "addon/thread.h"
#include "addon/worker.h"

namespace one_listener {
namespace {

constexpr size_t kBatch = 256;
constexpr double kBatchMilliseconds = 2;
constexpr double kExhaustedPause = 10;

struct Loop {
  int listener = -1;
  uint32_t limit = 0;
  bool closeAtOnce = false;
  std::atomic<double> rate{0};
  std::atomic<bool> paused{false}, running{false};
  std::atomic<uint32_t> exhausted{0}, wakeups{0};
  std::atomic<int> error{0};
  std::shared_ptr<AcceptedCount> accepted = std::make_shared<AcceptedCount>(0);
  std::function<void()> announce;  // asks JavaScript to fetch a batch; any thread

  std::mutex mutex;  // guards fresh and announced
  std::vector<int> fresh;
  bool announced = false;

  StoppableThread thread;

  void Run() {
    Fd epoll(epoll_create1(EPOLL_CLOEXEC));
    epoll_event listening{};
    listening.events = EPOLLIN;
    listening.data.fd = listener;
    epoll_event waking{};
    waking.events = EPOLLIN;
    waking.data.fd = thread.WakeFd();
    if (!epoll || epoll_ctl(epoll.get(), EPOLL_CTL_ADD, thread.WakeFd(), &waking) < 0 || epoll_ctl(epoll.get(), EPOLL_CTL_ADD, listener, &listening) < 0) {
      error = errno;
    } else {
      while (!Done() && TakeTurn(epoll.get())) continue;
    }
    running = false;
    Flush(true);
    announce();
  }

  bool Done() const { return thread.Stopping() || (limit > 0 && *accepted >= limit); }

  // Waits for its turn, then accepts. False: the loop has ended.
  bool TakeTurn(int epoll) {
    if (paused) return Sleep(-1);
    double perSecond = rate;
    double now = MonotonicMilliseconds();
    if (perSecond > 0) {
      // Evenly spaced: turns that nobody came for are not made up for.
      if (next_ > now) return Sleep(next_ - now);
    }
    epoll_event events[2];
    int ready = epoll_wait(epoll, events, 2, Pending() ? static_cast<int>(kBatchMilliseconds) : -1);
    ++wakeups;
    Flush(ready == 0);
    bool incoming = false;
    for (int at = 0; at < ready; ++at) {
      if (events[at].data.fd == thread.WakeFd()) thread.ClearWake();
      else incoming = true;
    }
    if (!incoming || paused || Done()) return true;
    if (perSecond <= 0) return AcceptMany();
    next_ = std::max(next_ + 1e3 / perSecond, MonotonicMilliseconds() - 1e3 / perSecond);
    return AcceptOne();
  }

  bool AcceptMany() {
    for (int turn = 0; turn < 1024 && !Done(); ++turn) {
      if (paused || rate > 0) return true;
      int before = static_cast<int>(*accepted);
      if (!AcceptOne()) return false;
      if (static_cast<int>(*accepted) == before) return true;
    }
    return true;
  }

  bool AcceptOne() {
    int made = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (made >= 0) {
      ++*accepted;
      if (closeAtOnce) close(made);
      else Keep(made);
      return true;
    }
    switch (errno) {
      case EAGAIN: case EINTR: case ECONNABORTED: return true;
      case EMFILE: case ENFILE: case ENOBUFS: case ENOMEM:
        // accept4 takes the descriptor first and leaves the queue as it is: asking again at once would spin.
        ++exhausted;
        return Sleep(kExhaustedPause);
      default:
        error = errno;
        return false;
    }
  }

  bool Sleep(double milliseconds) {
    Flush(true);
    pollfd waking{thread.WakeFd(), POLLIN, 0};
    timespec wait = MonotonicTime(milliseconds);
    if (ppoll(&waking, 1, milliseconds < 0 ? nullptr : &wait, nullptr) > 0) thread.ClearWake();
    return true;
  }

  bool Pending() {
    std::lock_guard<std::mutex> lock(mutex);
    return !fresh.empty() && !announced;
  }

  void Keep(int fd) {
    bool full;
    {
      std::lock_guard<std::mutex> lock(mutex);
      fresh.push_back(fd);
      full = fresh.size() >= kBatch;
    }
    if (full) Flush(true);
  }

  // Announces what was accepted, at most once until JavaScript has fetched it.
  void Flush(bool now) {
    double time = MonotonicMilliseconds();
    if (!now && time - flushed_ < kBatchMilliseconds) return;
    {
      std::lock_guard<std::mutex> lock(mutex);
      if (fresh.empty() || announced) return;
      announced = true;
    }
    flushed_ = time;
    announce();
  }

  std::vector<int> Fetch() {
    std::lock_guard<std::mutex> lock(mutex);
    announced = false;
    return std::exchange(fresh, {});
  }

 private:
  double next_ = 0, flushed_ = 0;
};

class Acceptor : public Napi::ObjectWrap<Acceptor> {
 public:
  static inline Napi::FunctionReference constructor;

  static void Init(Napi::Env env, Napi::Object exports) {
    Napi::Function made = DefineClass(env, "Acceptor", {
      InstanceMethod<&Acceptor::Start>("start"), InstanceMethod<&Acceptor::Pause>("pause"), InstanceMethod<&Acceptor::Resume>("resume"),
      InstanceMethod<&Acceptor::SetRate>("setRate"), InstanceMethod<&Acceptor::Stats>("stats"), InstanceMethod<&Acceptor::Stop>("stop"),
    });
    constructor = Napi::Persistent(made);
    constructor.SuppressDestruct();
    exports.Set("Acceptor", made);
  }

  explicit Acceptor(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Acceptor>(info), loop_(std::make_shared<Loop>()) {
    Napi::Object options = Options(info[0], "options");
    loop_->listener = FileDescriptor(options.Get("listenerFd"), "listenerFd");
    loop_->rate = Number(options.Get("rate"), "rate", 0, 1e9);
    loop_->limit = static_cast<uint32_t>(Integer(options.Get("limit"), "limit", 0, std::numeric_limits<int>::max()));
    std::string mode = Text(options.Get("mode"), "mode");
    if (mode != "keep" && mode != "close") throw Napi::TypeError::New(info.Env(), "mode must be \"keep\" or \"close\"");
    loop_->closeAtOnce = mode == "close";
    onBatch_ = Napi::Persistent(Callback(options.Get("onBatch"), "onBatch"));
  }

  // Garbage, or the end of the environment: nobody is left to take what was accepted.
  ~Acceptor() override {
    *self_ = nullptr;
    loop_->thread.Stop();
    for (int fd : loop_->Fetch()) close(fd);
    if (open_) call_.Release();
  }

  std::shared_ptr<AcceptedCount> accepted() const { return loop_->accepted; }

 private:
  void Start(const Napi::CallbackInfo& info) {
    if (loop_->thread.Started()) throw Napi::Error::New(info.Env(), "this acceptor has been started already");
    if (loop_->thread.Stopping()) throw Napi::Error::New(info.Env(), "this acceptor has been stopped");
    call_ = Napi::ThreadSafeFunction::New(info.Env(), onBatch_.Value(), "one-listener.acceptor", 0, 1);
    open_ = true;
    Ref();  // a running loop is not garbage
    // A call may still be queued when this object goes.
    loop_->announce = [this, self = self_] { call_.NonBlockingCall([self](Napi::Env env, Napi::Function) {
      if (*self != nullptr) (*self)->Deliver(env);
    }); };
    loop_->running = true;
    loop_->thread.Start([loop = loop_] { loop->Run(); });
  }

  // On the JavaScript thread: hands over what there is, and once the loop has ended the empty batch.
  void Deliver(Napi::Env env) {
    Napi::HandleScope scope(env);
    if (!open_) return;
    bool over = !loop_->running;
    std::vector<int> fds = loop_->Fetch();
    if (!fds.empty()) Hand(env, fds);
    if (over && !ended_) {
      ended_ = true;
      Hand(env, {});
    }
  }

  void Hand(Napi::Env env, const std::vector<int>& fds) {
    Napi::Int32Array batch = Napi::Int32Array::New(env, fds.size());
    if (!fds.empty()) std::memcpy(batch.Data(), fds.data(), fds.size() * sizeof(int));
    onBatch_.Call({batch});
  }

  void Pause(const Napi::CallbackInfo&) { loop_->paused = true; }
  void Resume(const Napi::CallbackInfo&) {
    loop_->paused = false;
    loop_->thread.Wake();
  }
  void SetRate(const Napi::CallbackInfo& info) {
    loop_->rate = Number(info[0], "rate", 0, 1e9);
    loop_->thread.Wake();
  }

  Napi::Value Stats(const Napi::CallbackInfo& info) {
    Napi::Object made = Napi::Object::New(info.Env());
    made.Set("accepted", loop_->accepted->load());
    made.Set("exhausted", loop_->exhausted.load());
    made.Set("wakeups", loop_->wakeups.load());
    made.Set("running", loop_->running.load());
    made.Set("paused", loop_->paused.load());
    made.Set("error", loop_->error.load());
    return made;
  }

  Napi::Value Stop(const Napi::CallbackInfo& info) {
    auto join = [](std::shared_ptr<Loop>& loop) {
      loop->thread.Stop();
      return 0;
    };
    // The reference keeps this object until the worker has come back.
    auto self = std::make_shared<Napi::ObjectReference>(Napi::Persistent(info.This().As<Napi::Object>()));
    return Worker<std::shared_ptr<Loop>>::Start(info.Env(), "join", loop_, join, [this, self](Napi::Env env, auto&) -> Napi::Value {
      Deliver(env);
      Release();
      self->Reset();
      return env.Undefined();
    });
  }

  void Release() {
    if (!open_) return;
    open_ = false;
    call_.Release();
    Unref();
  }

  std::shared_ptr<Loop> loop_;
  std::shared_ptr<Acceptor*> self_ = std::make_shared<Acceptor*>(this);
  Napi::FunctionReference onBatch_;
  Napi::ThreadSafeFunction call_;
  bool open_ = false, ended_ = false;
};

}  // namespace

std::shared_ptr<AcceptedCount> AcceptedCountOf(const Napi::Value& value) {
  if (!value.IsObject() || !value.As<Napi::Object>().InstanceOf(Acceptor::constructor.Value())) {
    throw Napi::TypeError::New(value.Env(), "acceptor must be an Acceptor");
  }
  return Acceptor::Unwrap(value.As<Napi::Object>())->accepted();
}

void InitAcceptor(Napi::Env env, Napi::Object exports) { Acceptor::Init(env, exports); }

}  // namespace one_listener
