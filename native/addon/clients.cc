// ClientThread: the JavaScript face of a ConnectThread.
#include "addon/clients.h"

#include <algorithm>
#include <functional>
#include <span>

#include "addon/arguments.h"
#include "addon/column.h"
#include "addon/connect_thread.h"
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
    ConnectThread::Plan plan{};
    plan.target.sin_family = AF_INET;
    plan.target.sin_addr.s_addr = Ipv4(options.Get("address"), "address");
    plan.target.sin_port = htons(static_cast<uint16_t>(Integer(options.Get("port"), "port", 0, 65535)));
    plan.sources = Sources(options.Get("sources"));
    plan.rate = Number(options.Get("rate"), "rate", 0, 1e9);
    std::vector<int> fds = Descriptors(options.Get("fds"));
    plan.schedule = Schedule(options.Get("schedule"), fds.size());
    // Last of all: from here on the descriptors are ours.
    info.This().As<Napi::Object>().TypeTag(&kTag);
    clients_ = Guarded(info.Env(), [&] { return std::make_shared<ConnectThread>(fds, std::move(plan)); });
  }

  // Garbage, or the end of the environment.
  ~ClientThread() override {
    if (clients_) leftovers_->TakeAway(std::move(clients_));
  }

  std::shared_ptr<ClientCounts> counts() const { return clients_->counts(); }

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
    sources.reserve(given.Length());
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
  Napi::Value ColumnOf(Napi::Env env, Of of) {
    std::span<Client> clients = clients_->clients();
    return Column<Array>(env, clients, of);
  }

  // Methods are safe from a wrong `this` (V8 checks the receiver), accessors are not.
  static ConnectThread& ThreadOf(const Napi::CallbackInfo& info) {
    return *Unwrapped<ClientThread>(info.This(), "this", "a ClientThread")->clients_;
  }
  Napi::Value Length(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), static_cast<double>(ThreadOf(info).size()));
  }
  Napi::Value StartedAt(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), ThreadOf(info).startedAt());
  }

  void Start(const Napi::CallbackInfo& info) {
    RequireFresh(info.Env(), clients_->thread(), "client thread");
    Guarded(info.Env(), [&] { clients_->Start(); });
  }

  Napi::Value Counts(const Napi::CallbackInfo& info) {
    ClientCounts::Snapshot now = clients_->counts()->Read();
    return Column<Napi::Uint32Array>(info.Env(), now, [](uint32_t count) { return count; });
  }
  Napi::Value States(const Napi::CallbackInfo& info) {
    return ColumnOf<Napi::Uint8Array>(info.Env(), [](Client& c) { return c.state.load(); });
  }
  Napi::Value ConnectAt(const Napi::CallbackInfo& info) {
    return ColumnOf<Napi::Float64Array>(info.Env(), [](Client& c) { return c.connectAt.load(); });
  }
  Napi::Value Latency(const Napi::CallbackInfo& info) {
    return ColumnOf<Napi::Float64Array>(info.Env(), [](Client& c) { return c.latency.load(); });
  }
  Napi::Value ChangedAt(const Napi::CallbackInfo& info) {
    return ColumnOf<Napi::Float64Array>(info.Env(), [](Client& c) { return c.changedAt.load(); });
  }
  Napi::Value Errnos(const Napi::CallbackInfo& info) {
    return ColumnOf<Napi::Int32Array>(info.Env(), [](Client& c) { return c.error.load(); });
  }
  Napi::Value BytesReceived(const Napi::CallbackInfo& info) {
    return ColumnOf<Napi::Float64Array>(info.Env(), [](Client& c) { return c.received.load(); });
  }
  Napi::Value LocalPorts(const Napi::CallbackInfo& info) {
    return ColumnOf<Napi::Uint16Array>(info.Env(), [](Client& c) { return c.port.load(); });
  }
  Napi::Value Fds(const Napi::CallbackInfo& info) {
    return ColumnOf<Napi::Int32Array>(info.Env(), [](Client& c) { return c.fd.load(); });
  }

  // What a worker thread does to some or all clients; keeps the thread alive until it is done.
  struct Task {
    std::shared_ptr<ConnectThread> clients;
    ConnectThread::Selection which;
    std::vector<uint8_t> data;
    size_t done;
  };

  Napi::Value Act(
      const Napi::CallbackInfo& info, std::vector<uint8_t> data, const std::function<size_t(Task&)>& action) {
    Task task{clients_, {info[0].IsNull(), {}}, std::move(data), 0};
    if (!task.which.all) {
      Napi::Int32Array which = Int32s(info[0], "which");
      task.which.indexes.assign(which.Data(), which.Data() + which.ElementLength());
      for (int index : task.which.indexes) {
        if (index < 0 || static_cast<size_t>(index) >= clients_->size())
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
        [](Task& task) { return task.clients->Send(task.which, task.data); });
  }
  Napi::Value Close(const Napi::CallbackInfo& info) {
    return Act(info, {}, [](Task& task) { return task.clients->Close(task.which, false); });
  }
  Napi::Value Reset(const Napi::CallbackInfo& info) {
    return Act(info, {}, [](Task& task) { return task.clients->Close(task.which, true); });
  }
  Napi::Value Shutdown(const Napi::CallbackInfo& info) {
    return Act(info, {}, [](Task& task) { return task.clients->Shutdown(task.which); });
  }

  Napi::Value Release(const Napi::CallbackInfo& info) {
    size_t index = static_cast<size_t>(Integer(info[0], "index", 0, static_cast<int64_t>(clients_->size()) - 1));
    return Napi::Number::New(info.Env(), clients_->Release(index));
  }

  Napi::Value Stop(const Napi::CallbackInfo& info) { return StopLater(info.Env(), clients_); }

  std::shared_ptr<Leftovers> leftovers_;
  std::shared_ptr<ConnectThread> clients_;
};

}  // namespace

std::shared_ptr<ClientCounts> ClientCountsOf(const Napi::Value& value) {
  return Unwrapped<ClientThread>(value, "clients", "a ClientThread")->counts();
}

void InitClients(Napi::Env env, Napi::Object exports) { ClientThread::Init(env, exports); }

}  // namespace one_listener
