// WirePort: whole IPv4 packets in and out at the far end of the link, without a thread: what has arrived waits, stamped
// by the kernel, in a ring until JavaScript takes it.
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <sys/socket.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "addon/arguments.h"
#include "addon/hardware_address.h"
#include "addon/leftovers.h"
#include "addon/object_class.h"
#include "addon/packet_source.h"
#include "addon/parts.h"

namespace one_listener {
namespace {

constexpr size_t kRingBytes = 4 << 20;
constexpr size_t kMostBytes = 65'535;

class WirePort : public Napi::ObjectWrap<WirePort> {
 public:
  static constexpr napi_type_tag kTag = {0x6f6e652d6c697374, 0x77697265706f7274};

  static void Init(Napi::Env env, Napi::Object exports) {
    auto leftovers = std::make_shared<Leftovers>();
    env.AddCleanupHook([leftovers] {});  // keeps it until the environment's end
    exports.Set("WirePort",
        DefineClass(env, "WirePort",
            {
                InstanceAccessor<&WirePort::FileDescriptorOf>("fd"),
                InstanceMethod<&WirePort::Send>("send"),
                InstanceMethod<&WirePort::Take>("take"),
                InstanceMethod<&WirePort::Drops>("drops"),
                InstanceMethod<&WirePort::Close>("close"),
            },
            leftovers.get()));
  }

  explicit WirePort(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<WirePort>(info), leftovers_(static_cast<Leftovers*>(info.Data())->shared_from_this()) {
    Napi::Object options = Options(info[0], "options");
    int index = static_cast<int>(Integer(options.Get("ifindex"), "ifindex", 1, INT32_MAX));
    PacketFilter filter{Network(options, "network", "prefix"), {}, PacketFilter::kWholeFrames};
    if (!options.Get("except").IsArray()) throw Napi::TypeError::New(info.Env(), "except must be an array of networks");
    Napi::Array except = options.Get("except").As<Napi::Array>();
    if (except.Length() > 50) throw Napi::RangeError::New(info.Env(), "except must hold at most 50 networks");
    for (uint32_t at = 0; at < except.Length(); ++at)
      filter.except.push_back(Network(Options(except.Get(at), "except[]"), "network", "prefix"));
    auto from = HardwareAddress(options.Get("fromHardware"), "fromHardware"),
         to = HardwareAddress(options.Get("toHardware"), "toHardware");
    frame_.assign(ETH_HLEN, 0);
    std::copy(to.begin(), to.end(), frame_.begin());
    std::copy(from.begin(), from.end(), frame_.begin() + ETH_ALEN);
    frame_[12] = ETH_P_IP >> 8;
    frame_[13] = ETH_P_IP & 255;
    int fd = FileDescriptor(options.Get("packetFd"), "packetFd");
    source_ = Guarded(info.Env(), [&] { return std::make_shared<PacketSource>(fd, index, filter, kRingBytes); });
    info.This().As<Napi::Object>().TypeTag(&kTag);
  }

  ~WirePort() override { End(); }

 private:
  static Ipv4Network Network(Napi::Object of, const char* address, const char* prefix) {
    uint32_t mask = Ipv4Network::Mask(static_cast<int>(Integer(of.Get(prefix), prefix, 0, 32)));
    return {Ipv4(of.Get(address), address) & mask, mask};
  }

  PacketSource& Source(Napi::Env env) {
    if (!source_) throw SystemError(env, EBADF, "recvmsg");
    return *source_;
  }

  // An accessor, which V8 does not save from a wrong `this`.
  Napi::Value FileDescriptorOf(const Napi::CallbackInfo& info) {
    auto* port = Unwrapped<WirePort>(info.This(), "this", "a WirePort");
    return Napi::Number::New(info.Env(), port->source_ ? port->source_->fd() : -1);
  }

  void Send(const Napi::CallbackInfo& info) {
    Napi::Uint8Array packet = Bytes(info[0], "packet");
    PacketSource& source = Source(info.Env());
    if (packet.ElementLength() > kMostBytes) throw SystemError(info.Env(), EMSGSIZE, "send");
    frame_.resize(ETH_HLEN);
    frame_.insert(frame_.end(), packet.Data(), packet.Data() + packet.ElementLength());
    ssize_t sent;
    do sent = send(source.fd(), frame_.data(), frame_.size(), MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    if (sent < 0) throw SystemError(info.Env(), errno, "send");
  }

  // { time: Float64Array, packets: Uint8Array[] }
  Napi::Value Take(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    Napi::Array packets = Napi::Array::New(env);
    std::vector<double> times;
    Source(env).TakeAll([&](const PacketSource::Packet& packet) {
      if (packet.bytes.size() < ETH_HLEN) return;
      Napi::Uint8Array bytes = Napi::Uint8Array::New(env, packet.bytes.size() - ETH_HLEN);
      std::copy(packet.bytes.begin() + ETH_HLEN, packet.bytes.end(), bytes.Data());
      packets.Set(static_cast<uint32_t>(times.size()), bytes);
      times.push_back(packet.time);
    });
    Napi::Float64Array time = Napi::Float64Array::New(env, times.size());
    std::copy(times.begin(), times.end(), time.Data());
    Napi::Object made = Napi::Object::New(env);
    made.Set("time", time);
    made.Set("packets", packets);
    return made;
  }

  Napi::Value Drops(const Napi::CallbackInfo& info) {
    if (source_) drops_ += source_->Drops();
    return Napi::Number::New(info.Env(), static_cast<double>(drops_));
  }

  void Close(const Napi::CallbackInfo&) { End(); }

  void End() {
    if (!source_) return;
    drops_ += source_->Drops();
    leftovers_->TakeAway(std::move(source_));
    source_.reset();
  }

  std::shared_ptr<Leftovers> leftovers_;
  std::shared_ptr<PacketSource> source_;
  std::vector<uint8_t> frame_;
  uint64_t drops_ = 0;
};

}  // namespace

void InitWirePort(Napi::Env env, Napi::Object exports) { WirePort::Init(env, exports); }

}  // namespace one_listener
