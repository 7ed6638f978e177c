// Ghosts: the JavaScript face of a Ghosting.
#include "addon/ghosts.h"

#include <arpa/inet.h>

#include <limits>

#include "addon/arguments.h"
#include "addon/ghosting.h"
#include "addon/hardware_address.h"
#include "addon/leftovers.h"
#include "addon/object_class.h"
#include "addon/parts.h"

namespace one_listener {
namespace {

Ghosting::Kind KindOf(const Napi::Value& value) {
  std::string kind = Text(value, "kind");
  if (kind == "syn") return Ghosting::Kind::kSyn;
  if (kind == "handshake") return Ghosting::Kind::kHandshake;
  if (kind == "ack") return Ghosting::Kind::kAck;
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
    Ghosting::Plan plan{};
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
    ghosting_ = Guarded(info.Env(), [&] { return std::make_shared<Ghosting>(plan); });
    info.This().As<Napi::Object>().TypeTag(&kTag);
  }

  ~Ghosts() override { End(); }

  std::shared_ptr<ClientCounts> counts() const { return ghosting_->counts; }

 private:
  void Start(const Napi::CallbackInfo& info) {
    RequireFresh(info.Env(), ghosting_->thread, "group of ghosts");
    Guarded(info.Env(), [&] { ghosting_->Start(); });
  }

  Napi::Value Stats(const Napi::CallbackInfo& info) {
    Napi::Object made = Napi::Object::New(info.Env());
    auto set = [&made](const char* name, uint64_t value) { made.Set(name, static_cast<double>(value)); };
    set("sent", ghosting_->sent);
    set("answered", ghosting_->answered);
    set("refused", ghosting_->refused);
    set("repeated", ghosting_->repeated);
    set("unsent", ghosting_->unsent);
    set("kernelDrops", ghosting_->Drops());
    made.Set("startedAt", ghosting_->startedAt.load());
    made.Set("lastSentAt", ghosting_->lastSentAt.load());
    made.Set("lastAnswerAt", ghosting_->lastAnswerAt.load());
    made.Set("resetDone", ghosting_->resetDone.load());
    made.Set("error", ghosting_->error.load());
    return made;
  }

  Napi::Value Counts(const Napi::CallbackInfo& info) {
    Napi::Uint32Array counts = Napi::Uint32Array::New(info.Env(), kClientStates);
    ClientCounts::Snapshot now = ghosting_->counts->Read();
    std::copy(now.begin(), now.end(), counts.Data());
    return counts;
  }

  Napi::Value States(const Napi::CallbackInfo& info) {
    Napi::Uint8Array states = Napi::Uint8Array::New(info.Env(), ghosting_->count());
    for (uint32_t at = 0; at < ghosting_->count(); ++at) states.Data()[at] = ghosting_->state(at);
    return states;
  }

  void Reset(const Napi::CallbackInfo&) { ghosting_->Reset(); }

  void Stop(const Napi::CallbackInfo&) { End(); }

  // Ends the thread here and now; it looks up after each batch. The counts stay; the socket and its ring are given back
  // on another thread, because the kernel waits for an RCU grace period (packet_release).
  void End() {
    if (!ghosting_ || ended_) return;
    ended_ = true;
    ghosting_->thread.Stop();
    leftovers_->TakeAway(ghosting_->GiveBack());
  }

  std::shared_ptr<Leftovers> leftovers_;
  std::shared_ptr<Ghosting> ghosting_;
  bool ended_ = false;
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
