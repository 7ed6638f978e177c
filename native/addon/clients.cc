// ClientThread: the JavaScript face of a Crowd.
#include "addon/clients.h"

#include <algorithm>
#include <functional>

#include "addon/arguments.h"
#include "addon/crowd.h"
#include "addon/leftovers.h"
#include "addon/object_class.h"
#include "addon/parts.h"
#include "addon/worker.h"

namespace one_listener {
namespace {

class ClientThread : public Napi::ObjectWrap<ClientThread> {
 public:
  static constexpr napi_type_tag kTag = {0x6f6e652d6c697374, 0x636c69656e747300};

  static void Init(Napi::Env env, Napi::Object exports) {
    auto leftovers = std::make_shared<Leftovers>();
    env.AddCleanupHook([leftovers] {});  // keeps it until the environment's end
    Napi::Function made = DefineClass(env, "ClientThread",
        {
            InstanceAccessor<&ClientThread::Length>("length"),
            InstanceAccessor<&ClientThread::StartedAt>("startedAt"),
            InstanceMethod<&ClientThread::Start>("start"),
            InstanceMethod<&ClientThread::Counts>("counts"),
            InstanceMethod<&ClientThread::States>("states"),
            InstanceMethod<&ClientThread::ConnectAt>("connectAt"),
            InstanceMethod<&ClientThread::Latency>("latency"),
            InstanceMethod<&ClientThread::ChangedAt>("changedAt"),
            InstanceMethod<&ClientThread::Errnos>("errnos"),
            InstanceMethod<&ClientThread::BytesReceived>("bytesReceived"),
            InstanceMethod<&ClientThread::LocalPorts>("localPorts"),
            InstanceMethod<&ClientThread::Fds>("fds"),
            InstanceMethod<&ClientThread::Send>("send"),
            InstanceMethod<&ClientThread::Close>("close"),
            InstanceMethod<&ClientThread::Reset>("reset"),
            InstanceMethod<&ClientThread::Shutdown>("shutdown"),
            InstanceMethod<&ClientThread::Release>("release"),
            InstanceMethod<&ClientThread::Stop>("stop"),
        },
        leftovers.get());
    exports.Set("ClientThread", made);
  }

  explicit ClientThread(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<ClientThread>(info), leftovers_(static_cast<Leftovers*>(info.Data())->shared_from_this()) {
    Napi::Object options = Options(info[0], "options");
    sockaddr_in target{};
    target.sin_family = AF_INET;
    target.sin_addr.s_addr = Ipv4(options.Get("address"), "address");
    target.sin_port = htons(static_cast<uint16_t>(Integer(options.Get("port"), "port", 0, 65535)));
    std::vector<in_addr> sources = Sources(options.Get("sources"));
    double rate = Number(options.Get("rate"), "rate", 0, 1e9);
    std::vector<int> fds = Descriptors(options.Get("fds"));
    std::vector<double> schedule = Schedule(options.Get("schedule"), fds.size());
    // Last of all: from here on the descriptors are ours.
    info.This().As<Napi::Object>().TypeTag(&kTag);
    crowd_ = Guarded(info.Env(),
        [&] { return std::make_shared<Crowd>(fds, target, std::move(sources), rate, std::move(schedule)); });
  }

  // Garbage, or the end of the environment.
  ~ClientThread() override {
    if (crowd_) leftovers_->TakeAway(std::move(crowd_));
  }

  std::shared_ptr<ClientCounts> counts() const { return crowd_->counts(); }

 private:
  static std::vector<int> Descriptors(const Napi::Value& value) {
    Napi::Int32Array given = Int32s(value, "fds");
    std::vector<int> fds(given.Data(), given.Data() + given.ElementLength());
    std::vector<int> sorted = fds;
    std::sort(sorted.begin(), sorted.end());
    bool twice = std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end();
    if (twice || (!sorted.empty() && sorted.front() < 0))
      throw Napi::RangeError::New(value.Env(), "fds must hold different descriptors");
    return fds;
  }

  static std::vector<in_addr> Sources(const Napi::Value& value) {
    if (!value.IsArray()) throw Napi::TypeError::New(value.Env(), "sources must be an array of addresses");
    Napi::Array given = value.As<Napi::Array>();
    std::vector<in_addr> sources;
    for (uint32_t at = 0; at < given.Length(); ++at) sources.push_back({Ipv4(given.Get(at), "sources[]")});
    return sources;
  }

  static std::vector<double> Schedule(const Napi::Value& value, size_t length) {
    if (value.IsUndefined()) return {};
    if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_float64_array)
      throw Napi::TypeError::New(value.Env(), "schedule must be a Float64Array");
    auto array = value.As<Napi::Float64Array>();
    std::vector<double> schedule(array.Data(), array.Data() + array.ElementLength());
    if (schedule.size() != length)
      throw Napi::RangeError::New(value.Env(), "schedule must have one moment for each descriptor");
    for (size_t at = 0; at < schedule.size(); ++at) {
      if (!(schedule[at] >= (at == 0 ? 0 : schedule[at - 1])))
        throw Napi::RangeError::New(value.Env(), "schedule must ascend from 0");
    }
    return schedule;
  }

  template <typename Array, typename Of>
  Napi::Value Column(Napi::Env env, Of of) {
    Array column = Array::New(env, crowd_->size());
    auto* data = column.Data();
    for (size_t at = 0; at < crowd_->size(); ++at) data[at] = of(crowd_->at(at));
    return column;
  }

  // Methods are safe from a strange `this` (V8 checks the receiver), accessors are not.
  static Crowd& CrowdOf(const Napi::CallbackInfo& info) {
    return *Unwrapped<ClientThread>(info.This(), "this", "a ClientThread")->crowd_;
  }
  Napi::Value Length(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), static_cast<double>(CrowdOf(info).size()));
  }
  Napi::Value StartedAt(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), CrowdOf(info).startedAt());
  }

  void Start(const Napi::CallbackInfo& info) {
    RequireFresh(info.Env(), crowd_->thread(), "client thread");
    Guarded(info.Env(), [&] { crowd_->Start(); });
  }

  Napi::Value Counts(const Napi::CallbackInfo& info) {
    Napi::Uint32Array counts = Napi::Uint32Array::New(info.Env(), kClientStates);
    ClientCounts::Snapshot now = crowd_->counts()->Read();
    std::copy(now.begin(), now.end(), counts.Data());
    return counts;
  }
  Napi::Value States(const Napi::CallbackInfo& info) {
    return Column<Napi::Uint8Array>(info.Env(), [](Client& c) { return c.state.load(); });
  }
  Napi::Value ConnectAt(const Napi::CallbackInfo& info) {
    return Column<Napi::Float64Array>(info.Env(), [](Client& c) { return c.connectAt.load(); });
  }
  Napi::Value Latency(const Napi::CallbackInfo& info) {
    return Column<Napi::Float64Array>(info.Env(), [](Client& c) { return c.latency.load(); });
  }
  Napi::Value ChangedAt(const Napi::CallbackInfo& info) {
    return Column<Napi::Float64Array>(info.Env(), [](Client& c) { return c.changedAt.load(); });
  }
  Napi::Value Errnos(const Napi::CallbackInfo& info) {
    return Column<Napi::Int32Array>(info.Env(), [](Client& c) { return c.error.load(); });
  }
  Napi::Value BytesReceived(const Napi::CallbackInfo& info) {
    return Column<Napi::Float64Array>(info.Env(), [](Client& c) { return c.received.load(); });
  }
  Napi::Value LocalPorts(const Napi::CallbackInfo& info) {
    return Column<Napi::Uint16Array>(info.Env(), [](Client& c) { return c.port.load(); });
  }
  Napi::Value Fds(const Napi::CallbackInfo& info) {
    return Column<Napi::Int32Array>(info.Env(), [](Client& c) { return c.fd.load(); });
  }

  // What a worker thread does to some or all clients; keeps the crowd alive until it is done.
  struct Task {
    std::shared_ptr<Crowd> crowd;
    Crowd::Selection which;
    std::vector<uint8_t> data;
    size_t done;
  };

  Napi::Value Act(const Napi::CallbackInfo& info, std::vector<uint8_t> data, std::function<size_t(Task&)> action) {
    Task task{crowd_, {info[0].IsNull(), {}}, std::move(data), 0};
    if (!task.which.all) {
      Napi::Int32Array which = Int32s(info[0], "which");
      task.which.indexes.assign(which.Data(), which.Data() + which.ElementLength());
      for (int index : task.which.indexes) {
        if (index < 0 || static_cast<size_t>(index) >= crowd_->size())
          throw Napi::RangeError::New(info.Env(), "which must hold indexes of clients");
      }
    }
    auto work = [action](Task& doing) {
      doing.done = action(doing);
      return 0;
    };
    return Worker<Task>::Start(
        info.Env(), "clients", std::move(task), work, [](Napi::Env env, Task& done) -> Napi::Value {
          return Napi::Number::New(env, static_cast<double>(done.done));
        });
  }

  Napi::Value Send(const Napi::CallbackInfo& info) {
    Napi::Uint8Array data = Bytes(info[1], "data");
    return Act(info, std::vector<uint8_t>(data.Data(), data.Data() + data.ElementLength()),
        [](Task& task) { return task.crowd->Send(task.which, task.data); });
  }
  Napi::Value Close(const Napi::CallbackInfo& info) {
    return Act(info, {}, [](Task& task) { return task.crowd->Close(task.which, false); });
  }
  Napi::Value Reset(const Napi::CallbackInfo& info) {
    return Act(info, {}, [](Task& task) { return task.crowd->Close(task.which, true); });
  }
  Napi::Value Shutdown(const Napi::CallbackInfo& info) {
    return Act(info, {}, [](Task& task) { return task.crowd->Shutdown(task.which); });
  }

  Napi::Value Release(const Napi::CallbackInfo& info) {
    size_t index = static_cast<size_t>(Integer(info[0], "index", 0, static_cast<int64_t>(crowd_->size()) - 1));
    return Napi::Number::New(info.Env(), crowd_->Release(index));
  }

  Napi::Value Stop(const Napi::CallbackInfo& info) {
    auto stop = [](std::shared_ptr<Crowd>& crowd) {
      crowd->Stop();
      return 0;
    };
    return Worker<std::shared_ptr<Crowd>>::Start(
        info.Env(), "join", crowd_, stop, [](Napi::Env env, auto&) { return env.Undefined(); });
  }

  std::shared_ptr<Leftovers> leftovers_;
  std::shared_ptr<Crowd> crowd_;
};

}  // namespace

std::shared_ptr<ClientCounts> ClientCountsOf(const Napi::Value& value) {
  return Unwrapped<ClientThread>(value, "clients", "a ClientThread")->counts();
}

void InitClients(Napi::Env env, Napi::Object exports) { ClientThread::Init(env, exports); }

}  // namespace one_listener
