// ClientThread: the JavaScript face of a Crowd.
#include "addon/clients.h"

#include <functional>

#include "addon/arguments.h"
#include "addon/crowd.h"
#include "addon/parts.h"
#include "addon/system_error.h"
#include "addon/worker.h"

namespace one_listener {
namespace {

class ClientThread : public Napi::ObjectWrap<ClientThread> {
 public:
  static inline Napi::FunctionReference constructor;

  static void Init(Napi::Env env, Napi::Object exports) {
    Napi::Function made = DefineClass(env, "ClientThread", {
      InstanceAccessor<&ClientThread::Length>("length"), InstanceAccessor<&ClientThread::StartedAt>("startedAt"),
      InstanceMethod<&ClientThread::Start>("start"), InstanceMethod<&ClientThread::Counts>("counts"), InstanceMethod<&ClientThread::States>("states"),
      InstanceMethod<&ClientThread::ConnectAt>("connectAt"), InstanceMethod<&ClientThread::Latency>("latency"), InstanceMethod<&ClientThread::ChangedAt>("changedAt"),
      InstanceMethod<&ClientThread::Errnos>("errnos"), InstanceMethod<&ClientThread::BytesReceived>("bytesReceived"), InstanceMethod<&ClientThread::LocalPorts>("localPorts"),
      InstanceMethod<&ClientThread::Fds>("fds"), InstanceMethod<&ClientThread::Send>("send"), InstanceMethod<&ClientThread::Close>("close"),
      InstanceMethod<&ClientThread::Reset>("reset"), InstanceMethod<&ClientThread::Shutdown>("shutdown"), InstanceMethod<&ClientThread::Release>("release"),
      InstanceMethod<&ClientThread::Stop>("stop"),
    });
    constructor = Napi::Persistent(made);
    constructor.SuppressDestruct();
    exports.Set("ClientThread", made);
  }

  explicit ClientThread(const Napi::CallbackInfo& info) : Napi::ObjectWrap<ClientThread>(info) {
    Napi::Object options = Options(info[0], "options");
    Napi::Int32Array fds = Int32s(options.Get("fds"), "fds");
    sockaddr_in target{};
    target.sin_family = AF_INET;
    target.sin_addr.s_addr = Ipv4(options.Get("address"), "address");
    target.sin_port = htons(static_cast<uint16_t>(Integer(options.Get("port"), "port", 0, 65535)));
    if (!options.Get("sources").IsArray()) throw Napi::TypeError::New(info.Env(), "sources must be an array of addresses");
    Napi::Array given = options.Get("sources").As<Napi::Array>();
    std::vector<in_addr> sources;
    for (uint32_t at = 0; at < given.Length(); ++at) sources.push_back({Ipv4(given.Get(at), "sources[]")});
    double rate = Number(options.Get("rate"), "rate", 0, 1e9);
    crowd_ = std::make_shared<Crowd>(std::vector<int>(fds.Data(), fds.Data() + fds.ElementLength()), target, std::move(sources), rate,
                                     Schedule(options.Get("schedule"), fds.ElementLength()));
  }

  // Garbage or the end of the environment. Closing thousands of sockets here is the price of not having called stop().
  ~ClientThread() override {
    if (crowd_) crowd_->thread().Stop();
  }

  std::shared_ptr<ClientCounts> counts() const { return crowd_->counts(); }

 private:
  static std::vector<double> Schedule(const Napi::Value& value, size_t length) {
    if (value.IsUndefined()) return {};
    if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_float64_array) throw Napi::TypeError::New(value.Env(), "schedule must be a Float64Array");
    auto array = value.As<Napi::Float64Array>();
    std::vector<double> schedule(array.Data(), array.Data() + array.ElementLength());
    if (schedule.size() != length) throw Napi::RangeError::New(value.Env(), "schedule must have one moment for each descriptor");
    for (size_t at = 0; at < schedule.size(); ++at) {
      if (!(schedule[at] >= (at == 0 ? 0 : schedule[at - 1]))) throw Napi::RangeError::New(value.Env(), "schedule must ascend from 0");
    }
    return schedule;
  }

  template <typename Array, typename Of>
  Napi::Value Column(Napi::Env env, Of of) {
    Array column = Array::New(env, crowd_->size());
    for (size_t at = 0; at < crowd_->size(); ++at) column[at] = of(crowd_->at(at));
    return column;
  }

  Napi::Value Length(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), static_cast<double>(crowd_->size())); }
  Napi::Value StartedAt(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), crowd_->startedAt()); }

  void Start(const Napi::CallbackInfo& info) {
    if (crowd_->thread().Started()) throw Napi::Error::New(info.Env(), "this client thread has been started already");
    if (crowd_->thread().Stopping()) throw Napi::Error::New(info.Env(), "this client thread has been stopped");
    crowd_->Start();
  }

  Napi::Value Counts(const Napi::CallbackInfo& info) {
    Napi::Uint32Array counts = Napi::Uint32Array::New(info.Env(), kClientStates);
    for (size_t at = 0; at < kClientStates; ++at) counts[at] = (*crowd_->counts())[at].load();
    return counts;
  }
  Napi::Value States(const Napi::CallbackInfo& info) { return Column<Napi::Uint8Array>(info.Env(), [](Client& c) { return c.state.load(); }); }
  Napi::Value ConnectAt(const Napi::CallbackInfo& info) { return Column<Napi::Float64Array>(info.Env(), [](Client& c) { return c.connectAt.load(); }); }
  Napi::Value Latency(const Napi::CallbackInfo& info) { return Column<Napi::Float64Array>(info.Env(), [](Client& c) { return c.latency.load(); }); }
  Napi::Value ChangedAt(const Napi::CallbackInfo& info) { return Column<Napi::Float64Array>(info.Env(), [](Client& c) { return c.changedAt.load(); }); }
  Napi::Value Errnos(const Napi::CallbackInfo& info) { return Column<Napi::Int32Array>(info.Env(), [](Client& c) { return c.error.load(); }); }
  Napi::Value BytesReceived(const Napi::CallbackInfo& info) { return Column<Napi::Float64Array>(info.Env(), [](Client& c) { return c.received.load(); }); }
  Napi::Value LocalPorts(const Napi::CallbackInfo& info) { return Column<Napi::Uint16Array>(info.Env(), [](Client& c) { return c.port.load(); }); }
  Napi::Value Fds(const Napi::CallbackInfo& info) { return Column<Napi::Int32Array>(info.Env(), [](Client& c) { return c.fd.load(); }); }

  // What a worker thread does to some or all clients; keeps the crowd alive until it is done.
  struct Task {
    std::shared_ptr<Crowd> crowd;
    std::vector<int> which;
    bool all;
    std::vector<uint8_t> data;
    size_t done;
  };

  Napi::Value Act(const Napi::CallbackInfo& info, std::vector<uint8_t> data, std::function<size_t(Task&)> action) {
    Task task{crowd_, {}, info[0].IsNull() || info[0].IsUndefined(), std::move(data), 0};
    if (!task.all) {
      Napi::Int32Array which = Int32s(info[0], "which");
      task.which.assign(which.Data(), which.Data() + which.ElementLength());
      for (int index : task.which) {
        if (index < 0 || static_cast<size_t>(index) >= crowd_->size()) throw Napi::RangeError::New(info.Env(), "which must hold indexes of clients");
      }
    }
    auto work = [action](Task& doing) {
      doing.done = action(doing);
      return 0;
    };
    return Worker<Task>::Start(info.Env(), "clients", std::move(task), work, [](Napi::Env env, Task& done) -> Napi::Value { return Napi::Number::New(env, static_cast<double>(done.done)); });
  }

  Napi::Value Send(const Napi::CallbackInfo& info) {
    Napi::Uint8Array data = Bytes(info[1], "data");
    return Act(info, std::vector<uint8_t>(data.Data(), data.Data() + data.ElementLength()), [](Task& task) { return task.crowd->Send(task.which, task.all, task.data); });
  }
  Napi::Value Close(const Napi::CallbackInfo& info) { return Act(info, {}, [](Task& task) { return task.crowd->Close(task.which, task.all, false); }); }
  Napi::Value Reset(const Napi::CallbackInfo& info) { return Act(info, {}, [](Task& task) { return task.crowd->Close(task.which, task.all, true); }); }
  Napi::Value Shutdown(const Napi::CallbackInfo& info) { return Act(info, {}, [](Task& task) { return task.crowd->Shutdown(task.which, task.all); }); }

  Napi::Value Release(const Napi::CallbackInfo& info) {
    size_t index = static_cast<size_t>(Integer(info[0], "index", 0, static_cast<int64_t>(crowd_->size()) - 1));
    return Napi::Number::New(info.Env(), crowd_->Release(index));
  }

  Napi::Value Stop(const Napi::CallbackInfo& info) {
    auto stop = [](std::shared_ptr<Crowd>& crowd) {
      crowd->Stop();
      return 0;
    };
    return Worker<std::shared_ptr<Crowd>>::Start(info.Env(), "join", crowd_, stop, [](Napi::Env env, auto&) { return env.Undefined(); });
  }

  std::shared_ptr<Crowd> crowd_;
};

}  // namespace

std::shared_ptr<ClientCounts> ClientCountsOf(const Napi::Value& value) {
  if (!value.IsObject() || !value.As<Napi::Object>().InstanceOf(ClientThread::constructor.Value())) {
    throw Napi::TypeError::New(value.Env(), "clients must be a ClientThread");
  }
  return ClientThread::Unwrap(value.As<Napi::Object>())->counts();
}

void InitClients(Napi::Env env, Napi::Object exports) { ClientThread::Init(env, exports); }

}  // namespace one_listener
