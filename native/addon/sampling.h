#pragma once
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "addon/acceptor.h"
#include "addon/client_counts.h"
#include "addon/counter_file.h"
#include "addon/thread.h"
#include "addon/track.h"
#include "addon/watched_listener.h"

namespace one_listener {

// The sampling thread: reads a listener at a steady rate. Knows nothing of JavaScript.
class Sampling {
 public:
  struct Plan {
    int listenerFd, diagFd;
    bool ipv6;  // look at listeners and requests of AF_INET6, too
    uint16_t port;
    double hz, countersHz;
    std::vector<std::string> names;
    std::vector<CounterFile> files;
  };

  // @throws OsError
  explicit Sampling(Plan plan);
  ~Sampling() { thread.Stop(); }

  // Finds the counters; the name of one that no file has, if there is one. @throws OsError
  std::optional<std::string> FindCounters();
  // @throws OsError
  void Start();
  void Stop();

  void Add(std::shared_ptr<ClientCounts> clients);
  void Add(std::shared_ptr<AcceptedCount> accepted);

  // acceptQueue, acceptMax, synQueue, accepted
  Track queues{4};
  Track clients{kClientStates};
  Track counters;
  std::atomic<double> startedAt{0}, cpu{0};
  std::atomic<uint64_t> samples{0}, missed{0};
  std::atomic<int> error{0};
  std::atomic<const char*> errorSyscall{""};
  StoppableThread thread;

 private:
  void Run();
  bool Sample(double time);
  bool SampleListener(uint32_t& acceptQueue, uint32_t& acceptMax);
  bool SampleTable(uint32_t& acceptQueue, uint32_t& acceptMax, uint32_t& synQueue);
  bool SampleCounters(double time);
  bool SampleTableSometimes(uint32_t& acceptQueue, uint32_t& acceptMax, uint32_t& synQueue);
  void SleepUntil(double due);
  bool Failed(int code, const char* syscall);

  Plan plan_;
  const WatchedListener listener_;
  std::vector<int64_t> values_, base_;
  struct TableSample {
    uint32_t acceptQueue, acceptMax, synQueue;
  } table_{};
  double tableDue_ = 0;
  std::vector<bool> gauge_;
  std::mutex sources_;  // guards the two lists
  std::vector<std::shared_ptr<ClientCounts>> crowds_;
  std::vector<std::shared_ptr<AcceptedCount>> loops_;
};

}  // namespace one_listener
