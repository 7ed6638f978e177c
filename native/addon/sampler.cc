// Sampler: the JavaScript face of a Sampling.
#include <napi.h>

#include <memory>

#include "addon/acceptor.h"
#include "addon/arguments.h"
#include "addon/clients.h"
#include "addon/parts.h"
#include "addon/sampling.h"
#include "addon/system_error.h"

namespace one_listener {
namespace {

int OptionalFd(const Napi::Value& value, const char* name) { return static_cast<int>(Integer(value, name, -1, INT32_MAX)); }

template <typename Array, typename Row, typename Of>
Array Column(Napi::Env env, const std::vector<Row>& rows, Of of) {
  Array column = Array::New(env, rows.size());
  auto* data = column.Data();
  for (size_t at = 0; at < rows.size(); ++at) data[at] = of(rows[at]);
  return column;
}

class Sampler : public Napi::ObjectWrap<Sampler> {
 public:
  static void Init(Napi::Env env, Napi::Object exports) {
    exports.Set("Sampler", DefineClass(env, "Sampler", {
      InstanceAccessor<&Sampler::StartedAt>("startedAt"), InstanceMethod<&Sampler::Start>("start"), InstanceMethod<&Sampler::AddClients>("addClients"),
      InstanceMethod<&Sampler::AddAcceptor>("addAcceptor"), InstanceMethod<&Sampler::Drain>("drain"), InstanceMethod<&Sampler::Stop>("stop"),
    }));
  }

  explicit Sampler(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Sampler>(info) {
    Napi::Object options = Options(info[0], "options");
    Sampling::Plan plan{};
    plan.listenerFd = OptionalFd(options.Get("listenerFd"), "listenerFd");
    plan.diagFd = OptionalFd(options.Get("diagFd"), "diagFd");
    plan.port = static_cast<uint16_t>(Integer(options.Get("port"), "port", 1, 65535));
    plan.hz = Number(options.Get("hz"), "hz", 0.01, 10'000);
    plan.countersHz = 1;
    if (!options.Get("counters").IsUndefined()) {
      Napi::Object counters = Options(options.Get("counters"), "counters");
      plan.countersHz = Number(counters.Get("hz"), "counters.hz", 0.01, 10'000);
      plan.files = {CounterFile(OptionalFd(counters.Get("netstatFd"), "netstatFd"), true), CounterFile(OptionalFd(counters.Get("snmpFd"), "snmpFd"), true),
                    CounterFile(OptionalFd(counters.Get("sockstatFd"), "sockstatFd"), false)};
      if (!counters.Get("names").IsArray()) throw Napi::TypeError::New(info.Env(), "counters.names must be an array of strings");
      Napi::Array names = counters.Get("names").As<Napi::Array>();
      for (uint32_t at = 0; at < names.Length(); ++at) plan.names.push_back(Text(names.Get(at), "counters.names[]"));
    }
    names_ = plan.names.size();
    sampling_ = std::make_unique<Sampling>(std::move(plan));
  }

 private:
  Napi::Value StartedAt(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), sampling_->startedAt); }

  void Start(const Napi::CallbackInfo& info) {
    if (sampling_->thread.Started()) throw Napi::Error::New(info.Env(), "this sampler has been started already");
    if (sampling_->thread.Stopping()) throw Napi::Error::New(info.Env(), "this sampler has been stopped");
    std::string unknown = sampling_->FindCounters();
    if (!unknown.empty()) throw Napi::RangeError::New(info.Env(), "no counter is called \"" + unknown + "\"");
    sampling_->Start();
  }

  void AddClients(const Napi::CallbackInfo& info) { sampling_->Add(ClientCountsOf(info[0])); }
  void AddAcceptor(const Napi::CallbackInfo& info) { sampling_->Add(AcceptedCountOf(info[0])); }

  Napi::Value Drain(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    Napi::Object made = Napi::Object::New(env);
    made.Set("queues", Queues(env));
    made.Set("counters", Counters(env));
    made.Set("clients", Clients(env));
    made.Set("samples", static_cast<double>(sampling_->samples));
    made.Set("missed", static_cast<double>(sampling_->missed));
    made.Set("cpu", sampling_->cpu.load());
    made.Set("error", sampling_->error.load());
    made.Set("errorSyscall", sampling_->errorSyscall.load());
    return made;
  }

  Napi::Object Queues(Napi::Env env) {
    std::vector<QueueRow> rows = sampling_->queues.Fetch();
    Napi::Object made = Napi::Object::New(env);
    made.Set("time", Column<Napi::Float64Array>(env, rows, [](auto& row) { return row.time; }));
    made.Set("acceptQueue", Column<Napi::Uint32Array>(env, rows, [](auto& row) { return row.acceptQueue; }));
    made.Set("acceptMax", Column<Napi::Uint32Array>(env, rows, [](auto& row) { return row.acceptMax; }));
    made.Set("synQueue", Column<Napi::Uint32Array>(env, rows, [](auto& row) { return row.synQueue; }));
    made.Set("accepted", Column<Napi::Uint32Array>(env, rows, [](auto& row) { return row.accepted; }));
    return made;
  }

  Napi::Object Counters(Napi::Env env) {
    std::vector<CounterRow> rows = sampling_->counters.Fetch();
    Napi::Object made = Napi::Object::New(env);
    Napi::Array columns = Napi::Array::New(env, names_);
    for (uint32_t at = 0; at < names_; ++at) columns.Set(at, Column<Napi::Float64Array>(env, rows, [at](auto& row) { return row.values[at]; }));
    made.Set("time", Column<Napi::Float64Array>(env, rows, [](auto& row) { return row.time; }));
    made.Set("columns", columns);
    return made;
  }

  Napi::Object Clients(Napi::Env env) {
    std::vector<ClientRow> rows = sampling_->clients.Fetch();
    Napi::Object made = Napi::Object::New(env);
    Napi::Array columns = Napi::Array::New(env, kClientStates);
    for (uint32_t at = 0; at < kClientStates; ++at) columns.Set(at, Column<Napi::Uint32Array>(env, rows, [at](auto& row) { return row.counts[at]; }));
    made.Set("time", Column<Napi::Float64Array>(env, rows, [](auto& row) { return row.time; }));
    made.Set("columns", columns);
    return made;
  }

  void Stop(const Napi::CallbackInfo&) { sampling_->Stop(); }

  std::unique_ptr<Sampling> sampling_;
  size_t names_ = 0;
};

}  // namespace

void InitSampler(Napi::Env env, Napi::Object exports) { Sampler::Init(env, exports); }

}  // namespace one_listener
