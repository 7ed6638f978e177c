#pragma once
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "addon/accepted_count.h"
#include "addon/bound_address.h"
#include "addon/client_counts.h"
#include "addon/counter_file.h"
#include "addon/diag.h"
#include "addon/stoppable_thread.h"
#include "addon/track.h"
#include "addon/watched_listener.h"

namespace one_listener {

// Limits an expensive look to a share of a core: after a look that took t of the thread's CPU time comes a pause of
// (1 / share - 1) t.
class Ration {
 public:
  explicit Ration(double share) : pause_(1 / share - 1) {}

  bool Due() const { return MonotonicMilliseconds() >= due_; }
  // The thread's own time counts, not what other threads took of the core meanwhile: on a busy machine the looks must
  // not become rare.
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

// A thread that reads a listener at a steady rate into tracks of rows. Knows nothing of JavaScript.
class SamplerThread {
 public:
  struct Plan {
    int listenerFd, diagFd;  // -1: none
    bool ipv6;               // look at listeners and requests of AF_INET6, too
    uint16_t port;           // host order
    uint32_t mark;           // SO_MARK of the listener, which its requests have (inet_request_mark); 0: none
    std::optional<BoundAddress> address;  // only what is bound to it; else all of the port
    bool anyDevice;                       // whatever interface it is bound to
    bool stay;                            // go on while no socket listens
    double hz, countersHz;                // readings per second
    double synShare;                      // of a core, that counting the SYN queue may take at most
    std::vector<std::string> names;
    std::vector<CounterFile> files;
  };
  // Rows for JavaScript, which takes them from its own thread while this one writes. Times in ms after startedAt.
  struct Tracks {
    Track queues{4};     // acceptQueue, acceptMax, synQueue, accepted
    Track listeners{3};  // listeners, fullest, fullestMax: only where several share the port, from the moment they do
    Track clients{kClientStates};
    Track counters;
    explicit Tracks(size_t counterCount) : counters(counterCount) {}
  };
  struct Stats {
    uint64_t samples;
    uint64_t missed;  // samples skipped because the thread woke a whole period late
    double cpu;       // ms of CPU time of the thread
    int error;        // errno that ended the thread, or 0
    const char* errorSyscall;
  };

  // The descriptors stay their owner's. @throws OsError
  explicit SamplerThread(Plan plan);
  ~SamplerThread() { thread_.Stop(); }

  // Finds the counters; the name of one that no file has, if there is one. Before Start(). @throws OsError
  std::optional<std::string> FindCounters();
  // @throws OsError the listener or a file cannot be read, or there is no thread
  void Start();
  // Tells it to end, after one last sample. Any thread.
  void AskToStop() { thread_.AskToStop(); }
  // Joins the thread and stores the last rows. Any thread but that of JavaScript: one sock_diag dump can take long.
  void Stop();

  // Sampled from now on. Any thread.
  void Add(std::shared_ptr<ClientCounts> clients);
  void Add(std::shared_ptr<AcceptedCount> accepted);

  Tracks& tracks() { return tracks_; }
  Stats stats() const { return {samples_, missed_, cpu_, error_, errorSyscall_}; }
  // CLOCK_MONOTONIC ms of time zero; 0: not yet.
  double startedAt() const { return startedAt_; }
  const StoppableThread& thread() const { return thread_; }

 private:
  void Run();
  bool LookAtListener(double now);
  bool Sample(double time);
  bool SampleListener();
  bool SampleListeners();
  bool SampleRequests();
  bool IsOurListener(const inet_diag_msg& socket);
  bool IsOurRequest(const SeenSocket& seen) const;
  void OfferRows(double time);
  bool SampleCounters(double time);
  void SleepUntil(double due);
  bool Failed(int code, const char* syscall);

  Plan plan_;
  Tracks tracks_;
  std::atomic<double> startedAt_{0}, cpu_{0};
  std::atomic<uint64_t> samples_{0}, missed_{0};
  std::atomic<int> error_{0};
  std::atomic<const char*> errorSyscall_{""};
  const WatchedListener listener_;
  std::vector<int64_t> values_, base_;
  double lookDue_ = 0;
  // What the last looks have shown, while the next ones are not due.
  uint32_t acceptQueue_ = 0, acceptMax_ = 0, synQueue_ = 0;
  struct Sharing {
    uint32_t listeners, fullest, fullestMax;
  } sharing_{};
  bool several_ = false, version6_;
  std::vector<BoundAddress> others_;  // where other listeners of the port are bound
  Ration listenersRation_, requestsRation_;
  std::vector<bool> gauge_;
  std::mutex sources_;  // guards the two lists
  std::vector<std::shared_ptr<ClientCounts>> clients_;
  std::vector<std::shared_ptr<AcceptedCount>> acceptors_;
  StoppableThread thread_{"sampler"};  // last: it ends before what it uses
};

}  // namespace one_listener
