#pragma once
#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <random>
#include <vector>

#include "addon/packet_source.h"
#include "addon/returned_segment.h"
#include "addon/stoppable_thread.h"

namespace one_listener {

// A thread that returns packets: takes frames from the far end of the link, swaps their addresses, and sends them
// back after half a round-trip time, first in, first out. Knows nothing of JavaScript.
class MirrorThread {
 public:
  struct Plan {
    int packetFd;  // AF_PACKET, bound to the far end of the link
    int interfaceIndex;
    Ipv4Network network;  // only packets to it are returned
    double rtt;           // ms
    double loss;          // probability, 0 to 1
    size_t logCapacity;   // packets
  };
  struct Stats {
    uint64_t received, returned, lost, waiting;  // packets; lost: on purpose
    uint64_t drops;                              // packets that the kernel or the queue had no room for
    int error;                                   // errno that ended the thread, or 0
  };

  // The descriptor is the thread's once the constructor has returned. @throws OsError
  explicit MirrorThread(const Plan& plan);
  ~MirrorThread() { thread_.Stop(); }

  // @throws OsError EAGAIN: no thread
  void Start() {
    thread_.Start(error_, [this] { Run(); });
  }
  // Tells it to end. Any thread.
  void AskToStop() { thread_.AskToStop(); }
  // Joins the thread, then closes the socket and unmaps its ring. Blocks: the kernel waits for an RCU grace period
  // (packet_release). Any thread but JavaScript's, any number of times. Statistics and log stay.
  void Stop();

  // For packets that arrive from now on. Any thread.
  void SetRtt(double milliseconds) { rtt_ = milliseconds; }
  void SetLoss(double probability) { loss_ = probability; }

  // Packets since the last call, oldest first, at most as many as the log holds. Any thread.
  std::deque<PacketRecord> FetchLog();
  // Any thread, also after Stop().
  Stats stats();
  const StoppableThread& thread() const { return thread_; }

 private:
  struct Frame {
    double due;  // CLOCK_MONOTONIC ms
    std::vector<uint8_t> bytes;
  };
  void Run();
  void Take(const PacketSource::Packet& packet);
  void Log(const PacketRecord& record);
  bool SendDue();
  bool SendingFailed(int code, double now);
  unsigned SendSome(double now);
  bool Wait();
  void Discard(size_t frames);
  uint64_t Drops();

  const size_t logCapacity_;
  std::atomic<double> rtt_, loss_;
  std::atomic<uint64_t> received_{0}, returned_{0}, lost_{0}, waiting_{0};
  std::atomic<uint64_t> refused_{0};  // by a full queue, here or in the kernel
  std::atomic<int> error_{0};
  // the thread's own
  std::minstd_rand random_;
  std::deque<Frame> delayed_;
  size_t delayedBytes_ = 0;
  double retryAt_ = 0;

  std::mutex logMutex_;  // guards log_
  std::deque<PacketRecord> log_;
  // Guards kernelDrops_, and source_ against its end. The thread itself needs no lock: it ends first.
  std::mutex sourceMutex_;
  uint64_t kernelDrops_ = 0;
  StoppableThread thread_{"mirror"};
  std::unique_ptr<PacketSource> source_;  // last: from its construction on the descriptor is the thread's
};

}  // namespace one_listener
