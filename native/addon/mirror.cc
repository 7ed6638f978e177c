// Mirror: the JavaScript face of a Mirroring.
#include <napi.h>

#include <deque>
#include <memory>

#include "addon/arguments.h"
#include "addon/leftovers.h"
#include "addon/mirroring.h"
#include "addon/object_class.h"
#include "addon/parts.h"
#include "addon/worker.h"

namespace one_listener {
namespace {

template <typename Array, typename Of>
void SetColumn(Napi::Env env, Napi::Object log, const char* name, const std::deque<PacketRecord>& packets, Of of) {
  Array column = Array::New(env, packets.size());
  auto* data = column.Data();
  for (const PacketRecord& packet : packets) *data++ = of(packet);
  log.Set(name, column);
}

class Mirror : public Napi::ObjectWrap<Mirror> {
 public:
  static void Init(Napi::Env env, Napi::Object exports) {
    auto leftovers = std::make_shared<Leftovers>();
    env.AddCleanupHook([leftovers] {});  // keeps it until the environment's end
    exports.Set("Mirror",
        DefineClass(env, "Mirror",
            {
                InstanceMethod<&Mirror::Start>("start"),
                InstanceMethod<&Mirror::SetRtt>("setRtt"),
                InstanceMethod<&Mirror::SetLoss>("setLoss"),
                InstanceMethod<&Mirror::Stats>("stats"),
                InstanceMethod<&Mirror::Log>("log"),
                InstanceMethod<&Mirror::Stop>("stop"),
            },
            leftovers.get()));
  }

  explicit Mirror(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<Mirror>(info), leftovers_(static_cast<Leftovers*>(info.Data())->shared_from_this()) {
    Napi::Object options = Options(info[0], "options");
    int index = static_cast<int>(Integer(options.Get("ifindex"), "ifindex", 1, INT32_MAX));
    uint32_t network = Ipv4(options.Get("network"), "network");
    int prefix = static_cast<int>(Integer(options.Get("prefix"), "prefix", 0, 32));
    double rtt = Number(options.Get("rtt"), "rtt", 0, 1e6), loss = Number(options.Get("loss"), "loss", 0, 1);
    size_t capacity = static_cast<size_t>(Integer(options.Get("logCapacity"), "logCapacity", 0, 10'000'000));
    int fd = FileDescriptor(options.Get("packetFd"), "packetFd");
    mirroring_ = Guarded(
        info.Env(), [&] { return std::make_shared<Mirroring>(fd, index, network, prefix, rtt, loss, capacity); });
  }

  // Garbage, or the end of the environment.
  ~Mirror() override {
    if (mirroring_) leftovers_->TakeAway(std::move(mirroring_));
  }

 private:
  void Start(const Napi::CallbackInfo& info) {
    if (mirroring_->thread.Stopping()) throw Napi::Error::New(info.Env(), "this mirror has been stopped");
    RequireFresh(info.Env(), mirroring_->thread, "mirror");
    Guarded(info.Env(), [&] { mirroring_->Start(); });
  }

  void SetRtt(const Napi::CallbackInfo& info) { mirroring_->rtt = Number(info[0], "rtt", 0, 1e6); }
  void SetLoss(const Napi::CallbackInfo& info) { mirroring_->loss = Number(info[0], "loss", 0, 1); }

  Napi::Value Stats(const Napi::CallbackInfo& info) {
    Napi::Object made = Napi::Object::New(info.Env());
    made.Set("received", static_cast<double>(mirroring_->received));
    made.Set("turned", static_cast<double>(mirroring_->turned));
    made.Set("lost", static_cast<double>(mirroring_->lost));
    made.Set("waiting", static_cast<double>(mirroring_->waiting));
    made.Set("kernelDrops", static_cast<double>(mirroring_->Drops()));
    made.Set("error", mirroring_->error.load());
    return made;
  }

  Napi::Value Log(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    std::deque<PacketRecord> packets = mirroring_->FetchLog();
    Napi::Object log = Napi::Object::New(env);
    log.Set("length", static_cast<double>(packets.size()));
    SetColumn<Napi::Float64Array>(env, log, "time", packets, [](auto& p) { return p.time; });
    SetColumn<Napi::Uint32Array>(env, log, "source", packets, [](auto& p) { return p.source; });
    SetColumn<Napi::Uint32Array>(env, log, "destination", packets, [](auto& p) { return p.destination; });
    SetColumn<Napi::Uint16Array>(env, log, "sourcePort", packets, [](auto& p) { return p.sourcePort; });
    SetColumn<Napi::Uint16Array>(env, log, "destinationPort", packets, [](auto& p) { return p.destinationPort; });
    SetColumn<Napi::Uint8Array>(env, log, "flags", packets, [](auto& p) { return p.flags; });
    SetColumn<Napi::Uint32Array>(env, log, "sequence", packets, [](auto& p) { return p.sequence; });
    SetColumn<Napi::Uint32Array>(env, log, "acknowledgment", packets, [](auto& p) { return p.acknowledgment; });
    SetColumn<Napi::Uint32Array>(env, log, "payload", packets, [](auto& p) { return p.payload; });
    SetColumn<Napi::Uint8Array>(env, log, "lost", packets, [](auto& p) { return p.lost; });
    return log;
  }

  // On a worker thread: joining takes as long as the mirror is inside a system call, and closing the socket an RCU
  // grace period. The counts and the log stay.
  Napi::Value Stop(const Napi::CallbackInfo& info) {
    auto end = [](std::shared_ptr<Mirroring>& mirroring) {
      mirroring->End();
      return 0;
    };
    mirroring_->thread.AskToStop();
    return Worker<std::shared_ptr<Mirroring>>::Start(
        info.Env(), "join", mirroring_, end, [](Napi::Env env, auto&) { return env.Undefined(); });
  }

  std::shared_ptr<Leftovers> leftovers_;
  std::shared_ptr<Mirroring> mirroring_;
};

}  // namespace

void InitMirror(Napi::Env env, Napi::Object exports) { Mirror::Init(env, exports); }

}  // namespace one_listener
