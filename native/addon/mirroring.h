#pragma once
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <deque>
#include <mutex>
#include <random>
#include <vector>

#include "addon/thread.h"
#include "base/fd.h"

namespace one_listener {

struct PacketRecord {
  double time;
  uint32_t source, destination;  // host order
  uint16_t sourcePort, destinationPort;
  uint8_t flags;
  uint32_t sequence, acknowledgment, payload;
  uint8_t lost;
};

// Turns packets round: takes frames from the far end of the link, swaps their addresses, and sends them back after half a
// round-trip time. Knows nothing of JavaScript.
class Mirroring {
 public:
  Mirroring(int packetFd, int interfaceIndex, uint32_t network, int prefix, double rtt, double loss, size_t logCapacity);
  ~Mirroring();

  // The receive ring and the filter; 0 or an errno.
  int Prepare();
  // Joins the thread and gives the ring and the socket back.
  void Stop();
  void Start() { thread.Start([this] { Run(); }); }

  std::vector<PacketRecord> FetchLog();
  uint32_t KernelDrops();

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
  void TakeAll();
  void Take(const uint8_t* frame, size_t size, bool checksumMissing);
  void SendDue();
  bool Wait();

  Fd socket_;
  int index_;
  uint32_t network_, mask_;
  size_t logCapacity_;
  uint8_t* ring_ = nullptr;
  size_t ringSize_ = 0, nextFrame_ = 0;
  std::deque<Frame> delayed_;
  std::minstd_rand random_{std::random_device{}()};
  std::mutex logMutex_;
  std::deque<PacketRecord> log_;
  uint32_t kernelDrops_ = 0;
};

}  // namespace one_listener
