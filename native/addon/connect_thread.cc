#include "addon/connect_thread.h"

#include <linux/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace one_listener {
namespace {

constexpr size_t kConnectsBetweenLooks = 64;
constexpr size_t kCommandsBetweenLooks = 64;
constexpr int kReadsBetweenLooks = 16;
constexpr uint64_t kWakeTag = std::numeric_limits<uint64_t>::max();
constexpr uint8_t kTcpEstablished = 1;

int PendingError(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 ? errno : error;
}

// Over loopback the whole handshake happens inside connect(), which says EINPROGRESS all the same: the SYN-ACK is taken
// from the socket's backlog only when connect() releases the socket (inet_stream_connect).
bool IsEstablished(int fd) {
  tcp_info info;
  socklen_t size = 1;  // tcpi_state is the first byte
  return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 && info.tcpi_state == kTcpEstablished;
}

bool IsSame(const sockaddr_in& one, const sockaddr_in& other) {
  return one.sin_port == other.sin_port && one.sin_addr.s_addr == other.sin_addr.s_addr;
}

ClientState EndOf(int error) {
  switch (error) {
    case ECONNREFUSED: return kRefused;
    case ETIMEDOUT: return kTimedOut;
    case ECONNRESET:
    case EPIPE: return kReset;
    default: return kFailed;
  }
}

}  // namespace

ConnectThread::ConnectThread(std::span<const int> fds, Plan plan)
    : size_(fds.size()), clients_(std::make_unique<Client[]>(fds.size())), plan_(std::move(plan)),
      counts_(std::make_shared<ClientCounts>(fds.size())),
      epoll_(Require(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {
  epoll_event waking{};
  waking.events = EPOLLIN;
  waking.data.u64 = kWakeTag;
  Require(epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, thread_.WakeFd(), &waking), "epoll_ctl");
  for (size_t at = 0; at < size_; ++at) clients_[at].fd = fds[at];
}

ConnectThread::~ConnectThread() { Stop(); }

void ConnectThread::Start() {
  startedAt_ = MonotonicMilliseconds();
  thread_.Start(error_, [this] { Run(); });
}

void ConnectThread::Stop() {
  thread_.Stop();
  Close({true, {}}, false);
  std::lock_guard<HandoverMutex> lock(mutex_);
  epoll_.reset();
}

void ConnectThread::Run() {
  std::array<epoll_event, 256> events;
  while (!thread_.Stopping()) {
    Wait(NextDue());
    std::lock_guard<HandoverMutex> lock(mutex_);
    int ready = epoll_wait(epoll_.get(), events.data(), events.size(), 0);
    for (int at = 0; at < ready; ++at) {
      if (events[at].data.u64 == kWakeTag) thread_.ClearWake();
      else Handle(events[at].data.u64, events[at].events);
    }
    ConnectDue();
  }
}

// Until something happens or the next connect() is due (ms after the start). ppoll() of the epoll descriptor, because
// its time-out has nanoseconds (epoll_pwait2 is younger than the kernels and C libraries that this may run on).
void ConnectThread::Wait(double due) {
  double left = due - (MonotonicMilliseconds() - startedAt_);
  if (left <= 0) return;
  pollfd watched{epoll_.get(), POLLIN, 0};
  timespec time{};
  if (!std::isinf(due)) time = TimeSpec(left);
  ppoll(&watched, 1, std::isinf(due) ? nullptr : &time, nullptr);
}

double ConnectThread::NextDue() const {
  if (next_ >= size_) return std::numeric_limits<double>::infinity();
  if (!plan_.schedule.empty()) return plan_.schedule[next_];
  return plan_.rate > 0 ? static_cast<double>(next_) * 1e3 / plan_.rate : 0;
}

void ConnectThread::ConnectDue() {
  for (size_t done = 0;
      done < kConnectsBetweenLooks && next_ < size_ && NextDue() <= MonotonicMilliseconds() - startedAt_; ++done)
    Connect(next_++);
}

// False: the source address is not an address of this Lab, and the client has ended.
bool ConnectThread::Bind(Client& client, size_t index) {
  // connect() is to choose the port, because it knows the whole 4-tuple (ip(7), IP_BIND_ADDRESS_NO_PORT). Where the
  // kernel refuses this option, bind() chooses: then each address has one connection for each of its ports at most.
  int one = 1;
  setsockopt(client.fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
  sockaddr_in source{};
  source.sin_family = AF_INET;
  source.sin_addr = plan_.sources[index % plan_.sources.size()];
  if (bind(client.fd, reinterpret_cast<sockaddr*>(&source), sizeof source) == 0) return true;
  EndWith(client, errno);
  return false;
}

void ConnectThread::Connect(size_t index) {
  Client& client = clients_[index];
  int fd = client.fd;
  if (fd < 0 || client.state != kIdle) return;
  if (!plan_.sources.empty() && !Bind(client, index)) return;
  client.connectAt = MonotonicMilliseconds() - startedAt_;
  int result = connect(fd, reinterpret_cast<const sockaddr*>(&plan_.target), sizeof plan_.target);
  int error = result < 0 ? errno : 0;
  if (error != 0 && error != EINPROGRESS) return EndWith(client, error);
  sockaddr_in local{};
  socklen_t size = sizeof local;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&local), &size) == 0) client.port = ntohs(local.sin_port);
  // The kernel has given it the very port that it connects to, so no socket listens there: it has met its own SYN
  // (RFC 9293, 3.5, simultaneous open) and is connected to itself.
  if (IsSame(local, plan_.target)) {
    linger now{1, 0};  // no TIME_WAIT, which would keep the port
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    return EndWith(client, ECONNREFUSED);
  }
  Change(client, kSynSent);
  if (error == 0 || IsEstablished(fd)) Established(client);
  Watch(index, EPOLL_CTL_ADD);
}

// Edge-triggered: what has been said once (writable, FIN) is not said again. Watching anew says it again.
void ConnectThread::Watch(size_t index, int operation) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.u64 = index;
  if (epoll_ctl(epoll_.get(), operation, clients_[index].fd, &event) < 0) EndWith(clients_[index], errno);
}

void ConnectThread::Handle(size_t index, uint32_t events) {
  Client& client = clients_[index];
  if (client.fd < 0) return;
  if (events & (EPOLLERR | EPOLLHUP)) {
    int error = PendingError(client.fd);
    if (error != 0) return EndWith(client, error);
  }
  if (client.state == kSynSent && (events & EPOLLOUT)) Established(client);
  if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP)) Receive(index);
}

void ConnectThread::Receive(size_t index) {
  Client& client = clients_[index];
  std::array<char, 64 * 1024> nothing;
  for (int turn = 0; turn < kReadsBetweenLooks; ++turn) {
    // With MSG_TRUNC, TCP discards the bytes instead of copying them (tcp(7)).
    ssize_t size = recv(client.fd, nothing.data(), nothing.size(), MSG_DONTWAIT | MSG_TRUNC);
    if (size > 0) {
      client.received = client.received + static_cast<double>(size);
      continue;
    }
    if (size == 0) {
      if (client.state == kEstablished) Change(client, kClosedByServer);
    } else if (errno != EAGAIN && errno != EINTR) {
      EndWith(client, errno);
    }
    return;
  }
  Watch(index, EPOLL_CTL_MOD);  // there is more, but other clients wait, too
}

void ConnectThread::Established(Client& client) {
  client.latency = MonotonicMilliseconds() - startedAt_ - client.connectAt;
  Change(client, kEstablished);
}

void ConnectThread::EndWith(Client& client, int error) {
  client.error = error;
  // Other code has closed the descriptor, and its number may belong to another file now.
  if (error == EBADF || error == ENOTSOCK) client.fd = -1;
  else CloseFd(client);
  Change(client, EndOf(error));
}

void ConnectThread::Change(Client& client, ClientState state) {
  client.changedAt = startedAt_ > 0 ? MonotonicMilliseconds() - startedAt_ : kNotYet;
  counts_->Move(static_cast<ClientState>(client.state.exchange(state)), state);
}

void ConnectThread::CloseFd(Client& client) {
  int fd = client.fd.exchange(-1);
  if (fd >= 0) close(fd);
}

template <typename Action>
size_t ConnectThread::Each(const Selection& which, Action action) {
  size_t done = 0, count = which.all ? size_ : which.indexes.size();
  for (size_t start = 0; start < count; start += kCommandsBetweenLooks) {
    std::lock_guard<HandoverMutex> lock(mutex_);
    for (size_t at = start; at < std::min(count, start + kCommandsBetweenLooks); ++at) {
      Client& client = clients_[which.all ? at : static_cast<size_t>(which.indexes[at])];
      if (client.fd >= 0 && action(client)) ++done;
    }
  }
  return done;
}

size_t ConnectThread::Send(const Selection& which, std::span<const uint8_t> data) {
  return Each(which, [&](Client& client) {
    if (client.finished || (client.state != kEstablished && client.state != kClosedByServer)) return false;
    ssize_t size = send(client.fd, data.data(), data.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (size < 0 && errno != EAGAIN && errno != EINTR) EndWith(client, errno);
    return size == static_cast<ssize_t>(data.size());
  });
}

size_t ConnectThread::Close(const Selection& which, bool reset) {
  return Each(which, [&](Client& client) {
    linger now{1, 0};
    // Without it close() would send FIN, and the client would count as reset all the same.
    if (reset && setsockopt(client.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now) < 0) {
      EndWith(client, errno);
      return false;
    }
    CloseFd(client);
    Change(client, kClosed);
    return true;
  });
}

size_t ConnectThread::Shutdown(const Selection& which) {
  return Each(which, [](Client& client) {
    if (client.finished || (client.state != kEstablished && client.state != kClosedByServer)) return false;
    return client.finished = shutdown(client.fd, SHUT_WR) == 0;
  });
}

int ConnectThread::Release(size_t index) {
  std::lock_guard<HandoverMutex> lock(mutex_);
  int fd = clients_[index].fd.exchange(-1);
  if (fd >= 0) epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);  // ENOENT: it was never watched
  return fd;
}

}  // namespace one_listener
