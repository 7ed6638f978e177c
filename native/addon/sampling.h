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

// Keeps something that costs much to a share of a core: a look that took t of the thread's time is followed by a pause
// of so many t.
class Ration {
 public:
  explicit Ration(double share) : pause_(1 / share - 1) {}

  bool Due() const { return MonotonicMilliseconds() >= due_; }
  // The thread's own time counts, not what others took of the core meanwhile: on a busy machine the looks must not
  // become rare.
  template <typename Look>
  bool Spend(Look look) {
    double begin = ThreadCpuMilliseconds();
    bool went = look();
    due_ = MonotonicMilliseconds() + pause_ * (ThreadCpuMilliseconds() - begin);
    return went;
  }

 private:
  double pause_, due_ = 0;
};

// The sampling thread: reads a listener at a steady rate. Knows nothing of JavaScript.
class Sampling {
 public:
  struct Plan {
    int listenerFd, diagFd;
    bool ipv6;  // look at listeners and requests of AF_INET6, too
    uint16_t port;
    double hz, countersHz;
    double synShare;  // of a core, that counting the SYN queue may take at most
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
  // listeners, fullest, fullestMax: only where several share the port, from the moment that they do
  Track listeners{3};
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
  bool SampleListener();
  bool SampleListeners();
  bool SampleRequests();
  bool SampleCounters(double time);
  void SleepUntil(double due);
  bool Failed(int code, const char* syscall);

  Plan plan_;
  const WatchedListener listener_;
  std::vector<int64_t> values_, base_;
  // What the last looks have shown, while the next ones are not due.
  uint32_t acceptQueue_ = 0, acceptMax_ = 0, synQueue_ = 0;
  struct Sharing {
    uint32_t listeners, fullest, fullestMax;
  } sharing_{};
  bool several_ = false, version6_;
  Ration listenersRation_, requestsRation_;
  std::vector<bool> gauge_;
  std::mutex sources_;  // guards the two lists
  std::vector<std::shared_ptr<ClientCounts>> crowds_;
  std::vector<std::shared_ptr<AcceptedCount>> loops_;
};

}  // namespace one_listener
