#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "addon/client_counts.h"
#include "addon/ghost_segments.h"
#include "addon/packet_source.h"
#include "addon/stoppable_thread.h"

namespace one_listener {

// A thread that speaks for clients without sockets: handshakes, or their first segment only, on the far end of the
// link, from addresses and ports that exist nowhere. Their number is fixed. Knows nothing of JavaScript.
class GhostsThread {
 public:
  enum class Kind { kSyn, kHandshake, kAck };

  // Addresses and ports in host order.
  struct Plan {
    int packetFd;  // AF_PACKET, bound to the far end of the link
    int interfaceIndex;
    GhostSegments::Hardware from, to;
    uint32_t target;
    uint16_t port;
    // Ghost i has address number (first + i) mod addresses of the network; the port changes when the addresses are used
    // up.
    uint32_t network;
    int prefix;
    uint64_t first, addresses;
    uint32_t count;
    Kind kind;
    double rate;  // first segments per second; 0: as fast as one thread can
    GhostOptions options;
    uint32_t seed;  // of the sequence numbers
  };
  struct Stats {
    uint64_t sent;               // first segments
    uint64_t answered, refused;  // ghosts whose first segment the kernel answered with SYN-ACK, with RST
    uint64_t repeated;           // SYN-ACKs that the kernel retransmitted
    uint64_t unsent;             // segments given up: the link was full for 1 s
    uint64_t drops;              // answers that did not fit into the ring
    double startedAt, lastSentAt, lastAnswerAt;  // CLOCK_MONOTONIC ms; 0: not yet
    bool resetDone;
    int error;  // errno that ended the thread, or 0
  };

  // The descriptor is the thread's once the constructor has returned. @throws OsError
  explicit GhostsThread(const Plan& plan);
  ~GhostsThread() { thread_.Stop(); }

  // @throws OsError EAGAIN: no thread
  void Start();
  // Every ghost that is half-open or connected sends RST, and no more ghosts are sent. Carried out by the thread; any
  // thread may ask.
  void Reset();
  // Tells it to end. Any thread.
  void AskToStop() { thread_.AskToStop(); }
  // Joins the thread, then closes the socket and unmaps its ring. Blocks: the kernel waits for an RCU grace period
  // (packet_release). Any thread but JavaScript's, any number of times. States and statistics stay.
  void Stop();

  // These from any thread, also after Stop().
  uint32_t count() const { return plan_.count; }
  // A ClientState.
  uint8_t state(uint32_t index) const { return states_[index].load(std::memory_order_relaxed) & kStateBits; }
  std::shared_ptr<ClientCounts> counts() const { return counts_; }
  Stats stats();
  const StoppableThread& thread() const { return thread_; }

 private:
  static constexpr uint8_t kStateBits = 15, kAnswered = 16;
  static constexpr size_t kBatch = 256;

  void Run();
  void Take(const PacketSource::Packet& packet);
  void TakeRst(uint32_t index, double time);
  void TakeSynAck(uint32_t index, const Answer& answer, double time);
  void TakeDataOrFin(uint32_t index, const Answer& answer, double time);
  uint32_t Allowed(double now) const;
  bool SendSome(uint32_t most, double now);
  bool ResetSome();
  bool Wait(double now);
  GhostFrame& NextFrame();
  bool Flush();
  // done: how many went out
  bool SendFilled(size_t& done);
  GhostAddress AddressOf(uint32_t index) const;
  // count(): no ghost of ours.
  uint32_t IndexOf(GhostAddress address) const;
  uint32_t SequenceOf(uint32_t index) const;
  void Move(uint32_t index, ClientState to);
  uint64_t Drops();

  const Plan plan_;
  const GhostSegments segments_;
  const std::shared_ptr<ClientCounts> counts_;
  const std::unique_ptr<std::atomic<uint8_t>[]> states_;  // a ClientState, and kAnswered
  std::atomic<uint64_t> sent_{0}, answered_{0}, refused_{0}, repeated_{0}, unsent_{0};
  std::atomic<double> startedAt_{0}, lastSentAt_{0}, lastAnswerAt_{0};
  std::atomic<bool> resetting_{false}, resetDone_{false};
  std::atomic<int> error_{0};

  // the thread's own
  uint32_t next_ = 0, resetNext_ = 0;
  std::array<GhostFrame, kBatch> frames_;
  size_t filled_ = 0;
  uint32_t clock_ = 0;
  // published when the segments that go with them have been sent
  uint64_t answeredNow_ = 0, refusedNow_ = 0;

  // Guards kernelDrops_, and source_ against its end. The thread itself needs no lock: it ends first.
  std::mutex sourceMutex_;
  uint64_t kernelDrops_ = 0;
  StoppableThread thread_{"ghosts"};
  std::unique_ptr<PacketSource> source_;  // last: from its construction on the descriptor is the thread's
};

}  // namespace one_listener
