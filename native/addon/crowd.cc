#include "addon/crowd.h"

#include <linux/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace one_listener {
namespace {

constexpr size_t kConnectsBetweenLooks = 64;
constexpr uint64_t kWakeTag = std::numeric_limits<uint64_t>::max();
constexpr double kNever = std::numeric_limits<double>::quiet_NaN();
constexpr uint8_t kTcpEstablished = 1;

int PendingError(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 ? errno : error;
}

// Over loopback the whole handshake happens inside connect(), which says EINPROGRESS all the same.
bool IsEstablished(int fd) {
  tcp_info info;
  socklen_t size = 1;  // tcpi_state is the first byte
  return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 && info.tcpi_state == kTcpEstablished;
}

}  // namespace

Crowd::Crowd(std::vector<int> fds, sockaddr_in target, std::vector<in_addr> sources, double rate, std::vector<double> schedule)
    : size_(fds.size()), clients_(new Client[fds.size()]), target_(target), sources_(std::move(sources)), rate_(rate), schedule_(std::move(schedule)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  for (size_t at = 0; at < size_; ++at) {
    Client& client = clients_[at];
    client.fd = fds[at];
    client.connectAt = client.latency = client.changedAt = kNever;
  }
  (*counts_)[kIdle] = static_cast<uint32_t>(size_);
}

Crowd::~Crowd() { Stop(); }

void Crowd::Start() {
  epoll_event waking{};
  waking.events = EPOLLIN;
  waking.data.u64 = kWakeTag;
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, thread_.WakeFd(), &waking);
  startedAt_ = MonotonicMilliseconds();
  thread_.Start([this] { Run(); });
}

void Crowd::Stop() {
  thread_.Stop();
  std::lock_guard<std::mutex> lock(mutex_);
  epoll_.reset();
  for (size_t at = 0; at < size_; ++at) {
    if (clients_[at].fd >= 0) {
      CloseFd(clients_[at]);
      Change(clients_[at], kClosed);
    }
  }
}

void Crowd::Run() {
  std::array<epoll_event, 256> events;
  while (!thread_.Stopping()) {
    double due = NextDue();
    double now = MonotonicMilliseconds() - startedAt_;
    timespec wait = MonotonicTime(std::max(0.0, due - now));
    // epoll_wait knows milliseconds only; ppoll on the epoll descriptor keeps a schedule to the microsecond.
    pollfd watched{epoll_.get(), POLLIN, 0};
    ppoll(&watched, 1, std::isinf(due) ? nullptr : &wait, nullptr);
    int ready = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 0);
    std::lock_guard<std::mutex> lock(mutex_);
    for (int at = 0; at < ready; ++at) {
      if (events[at].data.u64 == kWakeTag) thread_.ClearWake();
      else Handle(events[at].data.u64, events[at].events);
    }
    ConnectDue();
  }
}

double Crowd::NextDue() const {
  if (next_ >= size_) return std::numeric_limits<double>::infinity();
  if (!schedule_.empty()) return schedule_[next_];
  return rate_ > 0 ? static_cast<double>(next_) * 1e3 / rate_ : 0;
}

void Crowd::ConnectDue() {
  for (size_t done = 0; done < kConnectsBetweenLooks && next_ < size_ && NextDue() <= MonotonicMilliseconds() - startedAt_; ++done) Connect(next_++);
}

void Crowd::Connect(size_t index) {
  Client& client = clients_[index];
  int fd = client.fd;
  if (fd < 0 || client.state != kIdle) return;
  client.connectAt = MonotonicMilliseconds() - startedAt_;
  if (!sources_.empty()) {
    // Leaves the choice of the port to connect(), which knows the whole 4-tuple (ip(7), IP_BIND_ADDRESS_NO_PORT).
    int one = 1;
    sockaddr_in source{};
    source.sin_family = AF_INET;
    source.sin_addr = sources_[index % sources_.size()];
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    if (bind(fd, reinterpret_cast<sockaddr*>(&source), sizeof source) < 0) return EndWith(client, errno);
  }
  int result = connect(fd, reinterpret_cast<sockaddr*>(&target_), sizeof target_);
  int error = result < 0 ? errno : 0;
  if (error != 0 && error != EINPROGRESS) return EndWith(client, error);
  sockaddr_in local{};
  socklen_t size = sizeof local;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&local), &size) == 0) client.port = ntohs(local.sin_port);
  Change(client, kSynSent);
  if (error == 0 || IsEstablished(fd)) Established(client);
  Watch(index, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
}

void Crowd::Watch(size_t index, uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = index;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, clients_[index].fd, &event) < 0) EndWith(clients_[index], errno);
}

void Crowd::Handle(size_t index, uint32_t events) {
  Client& client = clients_[index];
  if (client.fd < 0) return;
  if (events & (EPOLLERR | EPOLLHUP)) {
    int error = PendingError(client.fd);
    if (error != 0) return EndWith(client, error);
  }
  if (client.state == kSynSent && (events & EPOLLOUT)) Established(client);
  if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP)) Receive(client);
}

void Crowd::Receive(Client& client) {
  std::array<char, 16 * 1024> buffer;
  for (;;) {
    ssize_t size = recv(client.fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (size > 0) {
      client.received = client.received + static_cast<double>(size);
      continue;
    }
    if (size == 0) {
      if (client.state == kEstablished) Change(client, kClosedByServer);
    } else if (errno == EINTR) {
      continue;
    } else if (errno != EAGAIN) {
      EndWith(client, errno);
    }
    return;
  }
}

void Crowd::Established(Client& client) {
  client.latency = MonotonicMilliseconds() - startedAt_ - client.connectAt;
  Change(client, kEstablished);
}

void Crowd::EndWith(Client& client, int error) {
  client.error = error;
  CloseFd(client);
  switch (error) {
    case ECONNREFUSED: return Change(client, kRefused);
    case ETIMEDOUT: return Change(client, kTimedOut);
    case ECONNRESET: case EPIPE: return Change(client, kReset);
    default: return Change(client, kFailed);
  }
}

void Crowd::Change(Client& client, ClientState state) {
  (*counts_)[client.state].fetch_sub(1);
  (*counts_)[state].fetch_add(1);
  client.state = state;
  client.changedAt = MonotonicMilliseconds() - startedAt_;
}

void Crowd::CloseFd(Client& client) {
  int fd = client.fd.exchange(-1);
  if (fd >= 0) close(fd);
}

template <typename Action>
size_t Crowd::Each(const std::vector<int>& which, bool all, Action action) {
  std::lock_guard<std::mutex> lock(mutex_);
  size_t done = 0, count = all ? size_ : which.size();
  for (size_t at = 0; at < count; ++at) {
    Client& client = clients_[all ? at : static_cast<size_t>(which[at])];
    if (client.fd >= 0 && action(client)) ++done;
  }
  return done;
}

size_t Crowd::Send(const std::vector<int>& which, bool all, const std::vector<uint8_t>& data) {
  return Each(which, all, [&](Client& client) {
    if (client.state != kEstablished && client.state != kClosedByServer) return false;
    ssize_t size = send(client.fd, data.data(), data.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (size < 0 && errno != EAGAIN) EndWith(client, errno);
    return size == static_cast<ssize_t>(data.size());
  });
}

size_t Crowd::Close(const std::vector<int>& which, bool all, bool reset) {
  return Each(which, all, [&](Client& client) {
    linger now{1, 0};
    if (reset) setsockopt(client.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    CloseFd(client);
    Change(client, kClosed);
    return true;
  });
}

size_t Crowd::Shutdown(const std::vector<int>& which, bool all) {
  return Each(which, all, [](Client& client) { return client.state != kIdle && shutdown(client.fd, SHUT_WR) == 0; });
}

int Crowd::Release(size_t index) {
  std::lock_guard<std::mutex> lock(mutex_);
  Client& client = clients_[index];
  int fd = client.fd.exchange(-1);
  if (fd < 0) return -1;
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  return fd;
}

}  // namespace one_listener
