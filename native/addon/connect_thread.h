#pragma once
#include <netinet/in.h>

#include <atomic>
#include <limits>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "addon/client_counts.h"
#include "addon/stoppable_thread.h"
#include "base/fd.h"

namespace one_listener {

constexpr double kNotYet = std::numeric_limits<double>::quiet_NaN();

// One client, written under its thread's mutex and read by JavaScript at any time. Moments are ms after the thread's
// start, kNotYet until they have come.
struct Client {
  std::atomic<int> fd{-1};  // -1: closed or released
  std::atomic<uint8_t> state{kIdle};
  std::atomic<int> error{0};  // errno that ended it, or 0
  std::atomic<uint16_t> port{0};
  std::atomic<double> connectAt{kNotYet}, latency{kNotYet}, changedAt{kNotYet};
  std::atomic<double> received{0};  // bytes
  bool finished = false;            // we have sent FIN and can send no more; for the thread alone
};

// A waiting command comes next: with a plain mutex the clients' thread could take it again and again past the command.
// Here the thread must first take next_, which the first command that waits holds until it is inside. Several commands
// wait in no promised order.
class HandoverMutex {
 public:
  void lock() {
    std::lock_guard<std::mutex> queue(next_);
    inside_.lock();
  }
  void unlock() { inside_.unlock(); }

 private:
  std::mutex next_, inside_;
};

// A thread that drives thousands of client sockets through connect() and watches them with one epoll. Knows nothing of
// JavaScript.
class ConnectThread {
 public:
  // When and from where clients connect. Addresses in network byte order.
  struct Plan {
    sockaddr_in target;
    std::vector<in_addr> sources;  // bound to the clients in turn; empty: the kernel chooses
    double rate;                   // connects per second, evenly spaced; 0: as fast as one thread can
    std::vector<double> schedule;  // or the moment of each, ms after Start(), ascending; empty: by the rate
  };

  // The descriptors are the thread's once the constructor has returned. @throws OsError
  ConnectThread(std::span<const int> fds, Plan plan);
  ~ConnectThread();

  size_t size() const { return size_; }
  std::span<Client> clients() { return {clients_.get(), size_}; }
  std::shared_ptr<ClientCounts> counts() const { return counts_; }
  // CLOCK_MONOTONIC ms; 0: not yet.
  double startedAt() const { return startedAt_; }
  const StoppableThread& thread() const { return thread_; }

  // @throws OsError EAGAIN: no thread
  void Start();
  // Tells it to end. Any thread.
  void AskToStop() { thread_.AskToStop(); }
  // Joins the thread and closes what is open. Any thread but that of JavaScript: closing thousands takes its time.
  void Stop();

  // From any thread; each returns how many clients did it. Clients in no state for it are left out.
  struct Selection {
    bool all;
    std::vector<int> indexes;  // each below size()
  };
  // The whole of `data`, or it does not count.
  size_t Send(const Selection& which, std::span<const uint8_t> data);
  size_t Close(const Selection& which, bool reset);
  size_t Shutdown(const Selection& which);
  // Any thread: the descriptor, which is the caller's from now on; -1: it was closed or released.
  int Release(size_t index);

 private:
  void Run();
  void Wait(double due);
  double NextDue() const;
  void ConnectDue();
  bool Bind(Client& client, size_t index);
  void Connect(size_t index);
  void Watch(size_t index, int operation);
  void Handle(size_t index, uint32_t events);
  void Receive(size_t index);
  void Established(Client& client);
  void EndWith(Client& client, int error);
  void Change(Client& client, ClientState state);
  void CloseFd(Client& client);
  template <typename Action>
  size_t Each(const Selection& which, Action action);

  const size_t size_;
  const std::unique_ptr<Client[]> clients_;  // not a vector: atomics do not move
  const Plan plan_;
  const std::shared_ptr<ClientCounts> counts_;
  std::atomic<double> startedAt_{0};
  size_t next_ = 0;            // the client to connect next; the thread's own
  std::atomic<int> error_{0};  // of the thread itself
  Fd epoll_;
  HandoverMutex mutex_;                // guards the clients
  StoppableThread thread_{"clients"};  // last: it ends before what it uses
};

}  // namespace one_listener
