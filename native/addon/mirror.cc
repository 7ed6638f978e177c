// Mirror: the JavaScript face of a Mirroring.
#include <napi.h>

#include <memory>

#include "addon/arguments.h"
#include "addon/mirroring.h"
#include "addon/parts.h"
#include "addon/system_error.h"

namespace one_listener {
namespace {

template <typename Array, typename Of>
void SetColumn(Napi::Env env, Napi::Object log, const char* name, const std::vector<PacketRecord>& packets, Of of) {
  Array column = Array::New(env, packets.size());
  for (size_t at = 0; at < packets.size(); ++at) column[at] = of(packets[at]);
  log.Set(name, column);
}

class Mirror : public Napi::ObjectWrap<Mirror> {
 public:
  static void Init(Napi::Env env, Napi::Object exports) {
    exports.Set("Mirror", DefineClass(env, "Mirror", {
      InstanceMethod<&Mirror::Start>("start"), InstanceMethod<&Mirror::SetRtt>("setRtt"), InstanceMethod<&Mirror::SetLoss>("setLoss"),
      InstanceMethod<&Mirror::Stats>("stats"), InstanceMethod<&Mirror::Log>("log"), InstanceMethod<&Mirror::Stop>("stop"),
    }));
  }

  explicit Mirror(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Mirror>(info) {
    Napi::Object options = Options(info[0], "options");
    int index = static_cast<int>(Integer(options.Get("ifindex"), "ifindex", 1, INT32_MAX));
    uint32_t network = Ipv4(options.Get("network"), "network");
    int prefix = static_cast<int>(Integer(options.Get("prefix"), "prefix", 0, 32));
    double rtt = Number(options.Get("rtt"), "rtt", 0, 1e6), loss = Number(options.Get("loss"), "loss", 0, 1);
    size_t capacity = static_cast<size_t>(Integer(options.Get("logCapacity"), "logCapacity", 0, 10'000'000));
    int fd = FileDescriptor(options.Get("packetFd"), "packetFd");
    mirroring_ = std::make_unique<Mirroring>(fd, index, network, prefix, rtt, loss, capacity);
  }

 private:
  void Start(const Napi::CallbackInfo& info) {
    if (mirroring_->thread.Started()) throw Napi::Error::New(info.Env(), "this mirror has been started already");
    if (mirroring_->thread.Stopping()) throw Napi::Error::New(info.Env(), "this mirror has been stopped");
    int error = mirroring_->Prepare();
    if (error != 0) throw SystemError(info.Env(), error, "setsockopt", "AF_PACKET");
    mirroring_->Start();
  }

  void SetRtt(const Napi::CallbackInfo& info) { mirroring_->rtt = Number(info[0], "rtt", 0, 1e6); }
  void SetLoss(const Napi::CallbackInfo& info) { mirroring_->loss = Number(info[0], "loss", 0, 1); }

  Napi::Value Stats(const Napi::CallbackInfo& info) {
    Napi::Object made = Napi::Object::New(info.Env());
    made.Set("received", static_cast<double>(mirroring_->received));
    made.Set("turned", static_cast<double>(mirroring_->turned));
    made.Set("lost", static_cast<double>(mirroring_->lost));
    made.Set("waiting", static_cast<double>(mirroring_->waiting));
    made.Set("kernelDrops", mirroring_->KernelDrops());
    made.Set("error", mirroring_->error.load());
    return made;
  }

  Napi::Value Log(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    std::vector<PacketRecord> packets = mirroring_->FetchLog();
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

  void Stop(const Napi::CallbackInfo&) { mirroring_->Stop(); }

  std::unique_ptr<Mirroring> mirroring_;
};

}  // namespace

void InitMirror(Napi::Env env, Napi::Object exports) { Mirror::Init(env, exports); }

}  // namespace one_listener
