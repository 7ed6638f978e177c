#pragma once
#include <netinet/in.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "addon/client_counts.h"
#include "addon/thread.h"
#include "base/fd.h"

namespace one_listener {

// One client, written by the crowd's thread (or under its mutex) and read by JavaScript at any time.
struct Client {
  std::atomic<int> fd{-1};
  std::atomic<uint8_t> state{kIdle};
  std::atomic<int> error{0};
  std::atomic<uint16_t> port{0};
  std::atomic<double> connectAt, latency, changedAt;  // NaN: not yet
  std::atomic<double> received{0};
};

// Thousands of client sockets driven through connect() and watched by one epoll. Knows nothing of JavaScript.
class Crowd {
 public:
  Crowd(std::vector<int> fds, sockaddr_in target, std::vector<in_addr> sources, double rate, std::vector<double> schedule);
  ~Crowd();

  size_t size() const { return size_; }
  Client& at(size_t index) { return clients_[index]; }
  std::shared_ptr<ClientCounts> counts() const { return counts_; }
  double startedAt() const { return startedAt_; }
  StoppableThread& thread() { return thread_; }

  void Start();
  // Joins the thread and closes what is open.
  void Stop();

  // From any thread; each returns how many clients did it. Empty `which`: all.
  size_t Send(const std::vector<int>& which, bool all, const std::vector<uint8_t>& data);
  size_t Close(const std::vector<int>& which, bool all, bool reset);
  size_t Shutdown(const std::vector<int>& which, bool all);
  int Release(size_t index);

 private:
  void Run();
  double NextDue() const;
  void ConnectDue();
  void Connect(size_t index);
  void Watch(size_t index, uint32_t events);
  void Handle(size_t index, uint32_t events);
  void Receive(Client& client);
  void Established(Client& client);
  void EndWith(Client& client, int error);
  void Change(Client& client, ClientState state);
  void CloseFd(Client& client);
  template <typename Action>
  size_t Each(const std::vector<int>& which, bool all, Action action);

  size_t size_;
  std::unique_ptr<Client[]> clients_;
  sockaddr_in target_;
  std::vector<in_addr> sources_;
  double rate_;
  std::vector<double> schedule_;
  std::shared_ptr<ClientCounts> counts_ = std::make_shared<ClientCounts>();
  double startedAt_ = 0;
  size_t next_ = 0;
  Fd epoll_;
  std::mutex mutex_;
  StoppableThread thread_;
};

}  // namespace one_listener
