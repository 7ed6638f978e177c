// Mirror: the JavaScript face of a MirrorThread.
#include <napi.h>

#include <deque>
#include <memory>

#include "addon/arguments.h"
#include "addon/column.h"
#include "addon/leftovers.h"
#include "addon/mirror_thread.h"
#include "addon/object_class.h"
#include "addon/parts.h"
#include "addon/worker.h"

namespace one_listener {
namespace {

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
    MirrorThread::Plan plan{};
    plan.interfaceIndex = static_cast<int>(Integer(options.Get("ifindex"), "ifindex", 1, INT32_MAX));
    plan.network.address = Ipv4(options.Get("network"), "network");
    plan.network.mask = Ipv4Network::Mask(static_cast<int>(Integer(options.Get("prefix"), "prefix", 0, 32)));
    plan.rtt = Number(options.Get("rtt"), "rtt", 0, 1e6);
    plan.loss = Number(options.Get("loss"), "loss", 0, 1);
    plan.logCapacity = static_cast<size_t>(Integer(options.Get("logCapacity"), "logCapacity", 0, 10'000'000));
    plan.packetFd = FileDescriptor(options.Get("packetFd"), "packetFd");
    mirror_ = Guarded(info.Env(), [&] { return std::make_shared<MirrorThread>(plan); });
  }

  // Garbage, or the end of the environment.
  ~Mirror() override {
    if (mirror_) leftovers_->TakeAway(std::move(mirror_));
  }

 private:
  void Start(const Napi::CallbackInfo& info) {
    RequireFresh(info.Env(), mirror_->thread(), "mirror");
    Guarded(info.Env(), [&] { mirror_->Start(); });
  }

  void SetRtt(const Napi::CallbackInfo& info) { mirror_->SetRtt(Number(info[0], "rtt", 0, 1e6)); }
  void SetLoss(const Napi::CallbackInfo& info) { mirror_->SetLoss(Number(info[0], "loss", 0, 1)); }

  Napi::Value Stats(const Napi::CallbackInfo& info) {
    MirrorThread::Stats stats = mirror_->stats();
    Napi::Object made = Napi::Object::New(info.Env());
    made.Set("received", static_cast<double>(stats.received));
    made.Set("returned", static_cast<double>(stats.returned));
    made.Set("lost", static_cast<double>(stats.lost));
    made.Set("waiting", static_cast<double>(stats.waiting));
    made.Set("kernelDrops", static_cast<double>(stats.drops));
    made.Set("error", stats.error);
    return made;
  }

  Napi::Value Log(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    std::deque<PacketRecord> packets = mirror_->FetchLog();
    Napi::Object log = Napi::Object::New(env);
    log.Set("length", static_cast<double>(packets.size()));
    SetColumn<Napi::Float64Array>(log, "time", packets, [](auto& p) { return p.time; });
    SetColumn<Napi::Uint32Array>(log, "source", packets, [](auto& p) { return p.source; });
    SetColumn<Napi::Uint32Array>(log, "destination", packets, [](auto& p) { return p.destination; });
    SetColumn<Napi::Uint16Array>(log, "sourcePort", packets, [](auto& p) { return p.sourcePort; });
    SetColumn<Napi::Uint16Array>(log, "destinationPort", packets, [](auto& p) { return p.destinationPort; });
    SetColumn<Napi::Uint8Array>(log, "flags", packets, [](auto& p) { return p.flags; });
    SetColumn<Napi::Uint32Array>(log, "sequence", packets, [](auto& p) { return p.sequence; });
    SetColumn<Napi::Uint32Array>(log, "acknowledgment", packets, [](auto& p) { return p.acknowledgment; });
    SetColumn<Napi::Uint32Array>(log, "payload", packets, [](auto& p) { return p.payload; });
    SetColumn<Napi::Uint8Array>(log, "lost", packets, [](auto& p) { return p.lost; });
    return log;
  }

  Napi::Value Stop(const Napi::CallbackInfo& info) { return StopLater(info.Env(), mirror_); }

  std::shared_ptr<Leftovers> leftovers_;
  std::shared_ptr<MirrorThread> mirror_;
};

}  // namespace

void InitMirror(Napi::Env env, Napi::Object exports) { Mirror::Init(env, exports); }

}  // namespace one_listener
