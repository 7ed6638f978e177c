#pragma once
#include <netinet/in.h>

#include <atomic>
#include <limits>
#include <memory>
#include <mutex>
#include <vector>

#include "addon/client_counts.h"
#include "addon/thread.h"
#include "base/fd.h"

namespace one_listener {

constexpr double kNotYet = std::numeric_limits<double>::quiet_NaN();

// One client, written under its crowd's mutex and read by JavaScript at any time.
struct Client {
  std::atomic<int> fd{-1};
  std::atomic<uint8_t> state{kIdle};
  std::atomic<int> error{0};
  std::atomic<uint16_t> port{0};
  std::atomic<double> connectAt{kNotYet}, latency{kNotYet}, changedAt{kNotYet};
  std::atomic<double> received{0};
  bool finished = false;  // we have sent FIN and can send no more; for the crowd alone
};

// A waiting command comes next: with a plain mutex the crowd's thread could take it again and again past the command.
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

// Thousands of client sockets driven through connect() and watched by one epoll. Knows nothing of JavaScript.
class Crowd {
 public:
  // The descriptors are the crowd's once the constructor has returned. @throws OsError
  Crowd(const std::vector<int>& fds, sockaddr_in target, std::vector<in_addr> sources, double rate,
      std::vector<double> schedule);
  ~Crowd();

  size_t size() const { return size_; }
  Client& at(size_t index) { return clients_[index]; }
  std::shared_ptr<ClientCounts> counts() const { return counts_; }
  double startedAt() const { return startedAt_; }
  const StoppableThread& thread() const { return thread_; }

  void Start();
  // Joins the thread and closes what is open. Any thread but that of JavaScript: closing thousands takes its time.
  void Stop();

  // From any thread; each returns how many clients did it.
  struct Selection {
    bool all;
    std::vector<int> indexes;
  };
  size_t Send(const Selection& which, const std::vector<uint8_t>& data);
  size_t Close(const Selection& which, bool reset);
  size_t Shutdown(const Selection& which);
  int Release(size_t index);

 private:
  void Run();
  void Wait(double due);
  double NextDue() const;
  void ConnectDue();
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

  size_t size_;
  std::unique_ptr<Client[]> clients_;
  sockaddr_in target_;
  std::vector<in_addr> sources_;
  double rate_;
  std::vector<double> schedule_;
  std::shared_ptr<ClientCounts> counts_;
  std::atomic<double> startedAt_{0};
  size_t next_ = 0;
  std::atomic<int> error_{0};  // of the thread itself
  Fd epoll_;
  HandoverMutex mutex_;
  StoppableThread thread_;
};

}  // namespace one_listener
