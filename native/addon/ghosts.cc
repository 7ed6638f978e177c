// Ghosts: the JavaScript face of a GhostsThread.
#include "addon/ghosts.h"

#include <arpa/inet.h>

#include <limits>

#include "addon/arguments.h"
#include "addon/column.h"
#include "addon/ghosts_thread.h"
#include "addon/hardware_address.h"
#include "addon/leftovers.h"
#include "addon/object_class.h"
#include "addon/parts.h"
#include "addon/worker.h"

namespace one_listener {
namespace {

GhostsThread::Kind KindOf(const Napi::Value& value) {
  std::string kind = Text(value, "kind");
  if (kind == "syn") return GhostsThread::Kind::kSyn;
  if (kind == "handshake") return GhostsThread::Kind::kHandshake;
  if (kind == "ack") return GhostsThread::Kind::kAck;
  throw Napi::TypeError::New(value.Env(), "kind must be \"syn\", \"handshake\" or \"ack\"");
}

GhostOptions OptionsOf(const Napi::Value& value) {
  Napi::Object given = Options(value, "options");
  GhostOptions options;
  options.mss = static_cast<uint16_t>(Integer(given.Get("mss"), "options.mss", 0, 65535));
  options.windowScale = static_cast<int>(Integer(given.Get("windowScale"), "options.windowScale", -1, 14));
  options.sack = given.Get("sack").ToBoolean();
  options.timestamps = given.Get("timestamps").ToBoolean();
  return options;
}

class Ghosts : public Napi::ObjectWrap<Ghosts> {
 public:
  static constexpr napi_type_tag kTag = {0x6f6e652d6c697374, 0x67686f7374730000};

  static void Init(Napi::Env env, Napi::Object exports) {
    auto leftovers = std::make_shared<Leftovers>();
    env.AddCleanupHook([leftovers] {});  // keeps it until the environment's end
    exports.Set("Ghosts",
        DefineClass(env, "Ghosts",
            {
                InstanceMethod<&Ghosts::Start>("start"),
                InstanceMethod<&Ghosts::Stats>("stats"),
                InstanceMethod<&Ghosts::States>("states"),
                InstanceMethod<&Ghosts::Counts>("counts"),
                InstanceMethod<&Ghosts::Reset>("reset"),
                InstanceMethod<&Ghosts::Stop>("stop"),
            },
            leftovers.get()));
  }

  explicit Ghosts(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<Ghosts>(info), leftovers_(static_cast<Leftovers*>(info.Data())->shared_from_this()) {
    Napi::Object given = Options(info[0], "options");
    GhostsThread::Plan plan{};
    plan.interfaceIndex = static_cast<int>(Integer(given.Get("ifindex"), "ifindex", 1, INT32_MAX));
    plan.from = HardwareAddress(given.Get("fromHardware"), "fromHardware");
    plan.to = HardwareAddress(given.Get("toHardware"), "toHardware");
    plan.target = ntohl(Ipv4(given.Get("address"), "address"));
    plan.port = static_cast<uint16_t>(Integer(given.Get("port"), "port", 1, 65535));
    plan.prefix = static_cast<int>(Integer(given.Get("prefix"), "prefix", 1, 32));
    plan.network = ntohl(Ipv4(given.Get("network"), "network") & Ipv4Network::Mask(plan.prefix));
    plan.addresses = uint64_t{1} << (32 - plan.prefix);
    plan.first = static_cast<uint64_t>(Integer(given.Get("first"), "first", 0, int64_t{1} << 52));
    plan.count = static_cast<uint32_t>(Integer(given.Get("count"), "count", 1, 100'000'000));
    plan.kind = KindOf(given.Get("kind"));
    plan.rate = Number(given.Get("rate"), "rate", 0, 1e9);
    plan.options = OptionsOf(given.Get("offer"));
    plan.seed = static_cast<uint32_t>(Integer(given.Get("seed"), "seed", 0, std::numeric_limits<uint32_t>::max()));
    plan.packetFd = FileDescriptor(given.Get("packetFd"), "packetFd");
    ghosts_ = Guarded(info.Env(), [&] { return std::make_shared<GhostsThread>(plan); });
    info.This().As<Napi::Object>().TypeTag(&kTag);
  }

  // Garbage, or the end of the environment.
  ~Ghosts() override {
    if (ghosts_) leftovers_->TakeAway(std::move(ghosts_));
  }

  std::shared_ptr<ClientCounts> counts() const { return ghosts_->counts(); }

 private:
  void Start(const Napi::CallbackInfo& info) {
    RequireFresh(info.Env(), ghosts_->thread(), "group of ghosts");
    Guarded(info.Env(), [&] { ghosts_->Start(); });
  }

  Napi::Value Stats(const Napi::CallbackInfo& info) {
    GhostsThread::Stats stats = ghosts_->stats();
    Napi::Object made = Napi::Object::New(info.Env());
    made.Set("sent", static_cast<double>(stats.sent));
    made.Set("answered", static_cast<double>(stats.answered));
    made.Set("refused", static_cast<double>(stats.refused));
    made.Set("repeated", static_cast<double>(stats.repeated));
    made.Set("unsent", static_cast<double>(stats.unsent));
    made.Set("kernelDrops", static_cast<double>(stats.drops));
    made.Set("startedAt", stats.startedAt);
    made.Set("lastSentAt", stats.lastSentAt);
    made.Set("lastAnswerAt", stats.lastAnswerAt);
    made.Set("resetDone", stats.resetDone);
    made.Set("error", stats.error);
    return made;
  }

  Napi::Value Counts(const Napi::CallbackInfo& info) {
    ClientCounts::Snapshot now = ghosts_->counts()->Read();
    return Column<Napi::Uint32Array>(info.Env(), now, [](uint32_t count) { return count; });
  }

  Napi::Value States(const Napi::CallbackInfo& info) {
    Napi::Uint8Array states = Napi::Uint8Array::New(info.Env(), ghosts_->count());
    for (uint32_t at = 0; at < ghosts_->count(); ++at) states.Data()[at] = ghosts_->state(at);
    return states;
  }

  void Reset(const Napi::CallbackInfo&) { ghosts_->Reset(); }

  Napi::Value Stop(const Napi::CallbackInfo& info) { return StopLater(info.Env(), ghosts_); }

  std::shared_ptr<Leftovers> leftovers_;
  std::shared_ptr<GhostsThread> ghosts_;
};

}  // namespace

std::shared_ptr<ClientCounts> GhostCountsOf(const Napi::Value& value) {
  return Unwrapped<Ghosts>(value, "ghosts", "a Ghosts")->counts();
}

bool IsGhosts(const Napi::Value& value) {
  return value.IsObject() && value.As<Napi::Object>().CheckTypeTag(&Ghosts::kTag);
}

void InitGhosts(Napi::Env env, Napi::Object exports) { Ghosts::Init(env, exports); }

}  // namespace one_listener
