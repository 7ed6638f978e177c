// Sampler: the JavaScript face of a SamplerThread.
#include <napi.h>

#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "addon/acceptor.h"
#include "addon/arguments.h"
#include "addon/clients.h"
#include "addon/ghosts.h"
#include "addon/leftovers.h"
#include "addon/object_class.h"
#include "addon/parts.h"
#include "addon/sampler_thread.h"
#include "addon/worker.h"

namespace one_listener {
namespace {

int OptionalFd(const Napi::Value& value, const char* name) {
  return static_cast<int>(Integer(value, name, -1, INT32_MAX));
}

// The share of a core that counting the SYN queue may take by default. It is large, because a Lab's table is short and
// each sample counts it.
constexpr double kSynQueueShare = 0.2;

// @throws RangeError
BoundAddress AddressOf(const Napi::Value& value, uint32_t device) {
  std::optional<BoundAddress> address = BoundAddress::Parse(Text(value, "address"), device);
  if (!address) throw Napi::RangeError::New(value.Env(), "address must be an IPv4 or IPv6 address");
  return *address;
}

struct TakenRows {
  Napi::Float64Array time;
  std::vector<Napi::TypedArray> columns;
};

// Takes a track's fresh rows into typed arrays of one kind.
template <typename Array>
TakenRows TakeRows(Napi::Env env, Track& track) {
  Track::Batch batch = track.Take();
  TakenRows taken{Napi::Float64Array::New(env, batch.rows()), {}};
  using Element = std::remove_pointer_t<decltype(std::declval<Array>().Data())>;
  std::vector<Element*> columns;
  for (size_t at = 0; at < track.columns(); ++at) {
    Array column = Array::New(env, batch.rows());
    columns.push_back(column.Data());
    taken.columns.push_back(column);
  }
  double* times = taken.time.Data();
  batch.ForEach([&](size_t row, double time, std::span<const int64_t> values) {
    times[row] = time;
    for (size_t at = 0; at < columns.size(); ++at) columns[at][row] = static_cast<Element>(values[at]);
  });
  return taken;
}

Napi::Object TimeAndColumns(Napi::Env env, const TakenRows& taken) {
  Napi::Array columns = Napi::Array::New(env, taken.columns.size());
  for (uint32_t at = 0; at < taken.columns.size(); ++at) columns.Set(at, taken.columns[at]);
  Napi::Object made = Napi::Object::New(env);
  made.Set("time", taken.time);
  made.Set("columns", columns);
  return made;
}

Napi::Object TimeAndNamed(Napi::Env env, Track& track, std::initializer_list<const char*> names) {
  TakenRows taken = TakeRows<Napi::Uint32Array>(env, track);
  Napi::Object made = Napi::Object::New(env);
  made.Set("time", taken.time);
  size_t at = 0;
  for (const char* name : names) made.Set(name, taken.columns[at++]);
  return made;
}

class Sampler : public Napi::ObjectWrap<Sampler> {
 public:
  static constexpr napi_type_tag kTag = {0x6f6e652d6c697374, 0x73616d706c657200};

  static void Init(Napi::Env env, Napi::Object exports) {
    auto leftovers = std::make_shared<Leftovers>();
    env.AddCleanupHook([leftovers] {});  // keeps it until the environment's end
    exports.Set("Sampler",
        DefineClass(env, "Sampler",
            {
                InstanceAccessor<&Sampler::StartedAt>("startedAt"),
                InstanceMethod<&Sampler::Start>("start"),
                InstanceMethod<&Sampler::AddClients>("addClients"),
                InstanceMethod<&Sampler::AddAcceptor>("addAcceptor"),
                InstanceMethod<&Sampler::Take>("take"),
                InstanceMethod<&Sampler::Stop>("stop"),
            },
            leftovers.get()));
  }

  explicit Sampler(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<Sampler>(info), leftovers_(static_cast<Leftovers*>(info.Data())->shared_from_this()) {
    Napi::Object options = Options(info[0], "options");
    SamplerThread::Plan plan{};
    plan.listenerFd = OptionalFd(options.Get("listenerFd"), "listenerFd");
    plan.diagFd = OptionalFd(options.Get("diagFd"), "diagFd");
    plan.ipv6 = options.Get("ipv6").ToBoolean();
    plan.port = static_cast<uint16_t>(Integer(options.Get("port"), "port", 1, 65535));
    if (!options.Get("mark").IsUndefined())
      plan.mark = static_cast<uint32_t>(Integer(options.Get("mark"), "mark", 0, UINT32_MAX));
    plan.anyDevice = options.Get("device").IsUndefined();
    const auto device =
        plan.anyDevice ? 0u : static_cast<uint32_t>(Integer(options.Get("device"), "device", 0, INT32_MAX));
    if (!options.Get("address").IsUndefined()) plan.address = AddressOf(options.Get("address"), device);
    plan.stay = options.Get("stay").ToBoolean();
    plan.hz = Number(options.Get("hz"), "hz", 0.01, 10'000);
    plan.synShare = options.Get("synQueueShare").IsUndefined()
        ? kSynQueueShare
        : Number(options.Get("synQueueShare"), "synQueueShare", 0.0001, 1);
    plan.countersHz = 1;
    if (!options.Get("counters").IsUndefined()) ReadCounters(Options(options.Get("counters"), "counters"), plan);
    if (plan.listenerFd < 0 && plan.diagFd < 0)
      throw Napi::RangeError::New(info.Env(), "a sampler needs a listenerFd or a diagFd");
    sampler_ = Guarded(info.Env(), [&] { return std::make_shared<SamplerThread>(std::move(plan)); });
    info.This().As<Napi::Object>().TypeTag(&kTag);
  }

  // Garbage, or the end of the environment.
  ~Sampler() override {
    if (sampler_) leftovers_->TakeAway(std::move(sampler_));
  }

 private:
  static void ReadCounters(Napi::Object counters, SamplerThread::Plan& plan) {
    plan.countersHz = Number(counters.Get("hz"), "counters.hz", 0.01, 10'000);
    plan.files = {CounterFile(OptionalFd(counters.Get("netstatFd"), "netstatFd"), CounterFile::kPairs),
        CounterFile(OptionalFd(counters.Get("snmpFd"), "snmpFd"), CounterFile::kPairs),
        CounterFile(OptionalFd(counters.Get("sockstatFd"), "sockstatFd"), CounterFile::kSockstat),
        CounterFile(counters.Has("meminfoFd") ? OptionalFd(counters.Get("meminfoFd"), "meminfoFd") : -1,
            CounterFile::kMeminfo)};
    if (!counters.Get("names").IsArray())
      throw Napi::TypeError::New(counters.Env(), "counters.names must be an array of strings");
    Napi::Array names = counters.Get("names").As<Napi::Array>();
    for (uint32_t at = 0; at < names.Length(); ++at) plan.names.push_back(Text(names.Get(at), "counters.names[]"));
  }

  // Methods are safe from a wrong `this` (V8 checks the receiver), accessors are not.
  Napi::Value StartedAt(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), Unwrapped<Sampler>(info.This(), "this", "a Sampler")->sampler_->startedAt());
  }

  void Start(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    RequireFresh(env, sampler_->thread(), "sampler");
    std::optional<std::string> unknown = Guarded(env, [&] { return sampler_->FindCounters(); });
    if (unknown) throw Napi::RangeError::New(env, "no counter is called \"" + *unknown + "\"");
    Guarded(env, [&] { sampler_->Start(); });
  }

  void AddClients(const Napi::CallbackInfo& info) {
    sampler_->Add(IsGhosts(info[0]) ? GhostCountsOf(info[0]) : ClientCountsOf(info[0]));
  }
  void AddAcceptor(const Napi::CallbackInfo& info) { sampler_->Add(AcceptedCountOf(info[0])); }

  Napi::Value Take(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    SamplerThread::Tracks& tracks = sampler_->tracks();
    SamplerThread::Stats stats = sampler_->stats();
    Napi::Object made = Napi::Object::New(env);
    made.Set("queues", TimeAndNamed(env, tracks.queues, {"acceptQueue", "acceptMax", "synQueue", "accepted"}));
    made.Set("listeners", TimeAndNamed(env, tracks.listeners, {"listeners", "fullest", "fullestMax"}));
    made.Set("counters", TimeAndColumns(env, TakeRows<Napi::Float64Array>(env, tracks.counters)));
    made.Set("clients", TimeAndColumns(env, TakeRows<Napi::Uint32Array>(env, tracks.clients)));
    made.Set("samples", static_cast<double>(stats.samples));
    made.Set("missed", static_cast<double>(stats.missed));
    made.Set("cpu", stats.cpu);
    made.Set("error", stats.error);
    made.Set("errorSyscall", stats.errorSyscall);
    return made;
  }

  Napi::Value Stop(const Napi::CallbackInfo& info) { return StopLater(info.Env(), sampler_); }

  std::shared_ptr<Leftovers> leftovers_;
  std::shared_ptr<SamplerThread> sampler_;
};

}  // namespace

void InitSampler(Napi::Env env, Napi::Object exports) { Sampler::Init(env, exports); }

}  // namespace one_listener
