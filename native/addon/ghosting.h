#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "addon/client_counts.h"
#include "addon/ghost_segments.h"
#include "addon/packet_source.h"
#include "addon/thread.h"

namespace one_listener {

// Clients without sockets: handshakes, or their first segment only, spoken on the far end of the link from addresses
// and ports that exist nowhere. Bounded by their number. Knows nothing of JavaScript.
class Ghosting {
 public:
  enum class Kind { kSyn, kHandshake, kAck };

  struct Plan {
    int packetFd, interfaceIndex;
    GhostSegments::Hardware from, to;
    uint32_t target;  // host order, as all addresses here
    uint16_t port;
    // Ghost i has address number (first + i) mod addresses of the network; the port changes when the addresses are used
    // up.
    uint32_t network;
    int prefix;
    uint64_t first, addresses;
    uint32_t count;
    Kind kind;
    double rate;  // a second; 0: as fast as one thread can
    GhostOptions options;
    uint32_t seed;
  };

  // The descriptor is ours once the constructor has returned. @throws OsError
  explicit Ghosting(const Plan& plan);
  ~Ghosting() { thread.Stop(); }

  // @throws OsError
  void Start();
  // Every ghost that is half-open or connected sends RST; carried out by the thread. Ends the sending of more.
  void Reset();

  uint32_t count() const { return plan_.count; }
  uint8_t state(uint32_t index) const { return states_[index].load(std::memory_order_relaxed) & kStateBits; }
  // Frames that the kernel had no room for. One thread at a time.
  uint64_t Drops();
  // The socket and its ring, once the thread has been stopped.
  std::shared_ptr<PacketSource> GiveBack();

  const std::shared_ptr<ClientCounts> counts;
  // sent: first segments; answered, refused: ghosts that got a SYN-ACK, a RST, for it; repeated: SYN-ACKs that came
  // again; unsent: given up, the link was full
  std::atomic<uint64_t> sent{0}, answered{0}, refused{0}, repeated{0}, unsent{0};
  // CLOCK_MONOTONIC ms
  std::atomic<double> startedAt{0}, lastSentAt{0}, lastAnswerAt{0};
  std::atomic<bool> resetDone{false};
  std::atomic<int> error{0};
  StoppableThread thread;

 private:
  static constexpr uint8_t kStateBits = 15, kAnswered = 16;
  static constexpr size_t kBatch = 256;
  struct Name {
    uint32_t address;
    uint16_t port;
  };
  void Run();
  void Take(const PacketSource::Packet& packet);
  void TakeSynAck(uint32_t index, const Answer& answer, double time);
  uint32_t Allowed(double now) const;
  bool SendSome(uint32_t most, double now);
  bool ResetSome();
  bool Wait(double now);
  GhostFrame& NextFrame();
  bool Flush();
  Name NameOf(uint32_t index) const;
  // count(): no ghost of ours.
  uint32_t IndexOf(uint32_t address, uint16_t port) const;
  uint32_t SequenceOf(uint32_t index) const;
  void Move(uint32_t index, ClientState to);

  const Plan plan_;
  const GhostSegments segments_;
  std::unique_ptr<std::atomic<uint8_t>[]> states_;
  uint32_t next_ = 0, resetNext_ = 0;
  std::atomic<bool> resetting_{false};
  std::array<GhostFrame, kBatch> frames_;
  size_t filled_ = 0;
  uint32_t clock_ = 0;
  // published when the segments that go with them have been sent
  uint64_t answeredNow_ = 0, refusedNow_ = 0;
  uint64_t kernelDrops_ = 0;
  std::shared_ptr<PacketSource> source_;  // last: from its construction on the descriptor is ours
};

}  // namespace one_listener
