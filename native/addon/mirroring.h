#pragma once
#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <random>
#include <vector>

#include "addon/packet_source.h"
#include "addon/thread.h"
#include "addon/turned_segment.h"

namespace one_listener {

// Turns packets round: takes frames from the far end of the link, swaps their addresses, and sends them back after half
// a round-trip time, first in, first out. Knows nothing of JavaScript.
class Mirroring {
 public:
  // network in network byte order; rtt in ms. The descriptor is ours once the constructor has returned. @throws OsError
  Mirroring(
      int packetFd, int interfaceIndex, uint32_t network, int prefix, double rtt, double loss, size_t logCapacity);
  ~Mirroring() { thread.Stop(); }

  // @throws OsError
  void Start() {
    thread.Start(error, [this] { Run(); });
  }

  // Packets since the last call, at most as many as the log holds.
  std::deque<PacketRecord> FetchLog();
  // Frames that the kernel or the queue had no room for. Any thread, also after End().
  uint64_t Drops();
  // Joins the thread, then closes the socket and unmaps its ring. Blocks: the kernel waits for an RCU grace period
  // (packet_release). Any thread but JavaScript's, any number of times.
  void End();

  std::atomic<double> rtt, loss;
  std::atomic<uint64_t> received{0}, turned{0}, lost{0}, waiting{0};
  std::atomic<int> error{0};
  StoppableThread thread;

 private:
  struct Frame {
    double due;
    std::vector<uint8_t> bytes;
  };
  void Run();
  void Take(const PacketSource::Packet& packet);
  void Log(const PacketRecord& record);
  bool SendDue();
  unsigned SendSome(double now);
  bool Wait();
  void Forget(size_t frames);

  const size_t logCapacity_;
  std::minstd_rand random_;
  std::deque<Frame> delayed_;
  size_t delayedBytes_ = 0;
  double retryAt_ = 0;
  std::atomic<uint64_t> refused_{0};  // by a full queue, here or in the kernel
  std::mutex logMutex_;               // guards log_
  std::deque<PacketRecord> log_;
  std::mutex
      sourceMutex_;  // guards kernelDrops_, and source_ against its end; the thread itself needs no lock, it ends first
  uint64_t kernelDrops_ = 0;
  std::unique_ptr<PacketSource> source_;  // last: from its construction on the descriptor is ours
};

}  // namespace one_listener
