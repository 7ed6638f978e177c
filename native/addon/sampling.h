#pragma once
#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "addon/acceptor.h"
#include "addon/client_counts.h"
#include "addon/counter_file.h"
#include "addon/thread.h"

namespace one_listener {

struct QueueRow {
  double time;
  uint32_t acceptQueue, acceptMax, synQueue, accepted;
  bool Same(const QueueRow& other) const {
    return acceptQueue == other.acceptQueue && acceptMax == other.acceptMax && synQueue == other.synQueue && accepted == other.accepted;
  }
};

struct ClientRow {
  double time;
  std::array<uint32_t, kClientStates> counts;
  bool Same(const ClientRow& other) const { return counts == other.counts; }
};

struct CounterRow {
  double time;
  std::vector<double> values;
  bool Same(const CounterRow& other) const { return values == other.values; }
};

// Rows of one kind, as the sampling thread stores them and JavaScript fetches them. Equal neighbours are stored once.
template <typename Row>
class Rows {
 public:
  Rows() { fresh_.reserve(4096); }
  void Offer(const Row& row) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (any_ && row.Same(last_)) {
      last_.time = row.time;
      repeated_ = true;
      return;
    }
    any_ = true;
    repeated_ = false;
    last_ = row;
    fresh_.push_back(row);
  }
  // Stores the last state with its latest time, so that a step plot reaches the end.
  void Finish() {
    std::lock_guard<std::mutex> lock(mutex_);
    if (any_ && repeated_) fresh_.push_back(last_);
    repeated_ = false;
  }
  std::vector<Row> Fetch() {
    std::vector<Row> fetched;
    fetched.reserve(1024);
    std::lock_guard<std::mutex> lock(mutex_);
    fetched.swap(fresh_);
    return fetched;
  }

 private:
  std::mutex mutex_;
  std::vector<Row> fresh_;
  Row last_{};
  bool any_ = false, repeated_ = false;
};

// The sampling thread: reads a listener at a steady rate. Knows nothing of JavaScript.
class Sampling {
 public:
  struct Plan {
    int listenerFd, diagFd;
    uint16_t port;
    double hz, countersHz;
    std::vector<std::string> names;
    std::vector<CounterFile> files;
  };

  explicit Sampling(Plan plan) : plan_(std::move(plan)), base_(plan_.names.size(), 0), gauge_(plan_.names.size(), false) {}
  ~Sampling() { thread.Stop(); }

  // Finds the counters; the name of one that no file has, or "".
  std::string FindCounters();
  void Start();
  void Stop();

  void Add(std::shared_ptr<ClientCounts> clients);
  void Add(std::shared_ptr<AcceptedCount> accepted);

  Rows<QueueRow> queues;
  Rows<ClientRow> clients;
  Rows<CounterRow> counters;
  std::atomic<double> startedAt{0}, cpu{0};
  std::atomic<uint64_t> samples{0}, missed{0};
  std::atomic<int> error{0};
  std::atomic<const char*> errorSyscall{""};
  StoppableThread thread;

 private:
  void Run();
  bool Sample(double time);
  bool SampleCounters(double time);
  bool Failed(int code, const char* syscall);

  Plan plan_;
  std::vector<double> base_;
  std::vector<bool> gauge_;
  std::mutex sources_;  // guards the two lists
  std::vector<std::shared_ptr<ClientCounts>> crowds_;
  std::vector<std::shared_ptr<AcceptedCount>> loops_;
};

}  // namespace one_listener
