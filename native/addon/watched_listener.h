#pragma once
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace one_listener {

// A listening socket that other code owns and may close at any time; its number may then mean another socket. For one
// thread at a time.
class WatchedListener {
 public:
  explicit WatchedListener(int fd) : fd_(fd) { error_ = Identity(cookie_); }

  int fd() const { return fd_; }

  // 0, or what has become of it: EBADF closed, EINVAL no listener (any more).
  int Check() const {
    uint64_t cookie = 0;
    int error = error_ != 0 ? error_ : Identity(cookie);
    if (error != 0) return error;
    if (cookie != cookie_) return EBADF;
    int listening = 0;
    socklen_t size = sizeof listening;
    if (getsockopt(fd_, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) < 0) return errno;
    return listening ? 0 : EINVAL;
  }

 private:
  // Unique for each socket since the machine started (sock_gen_cookie).
  int Identity(uint64_t& cookie) const {
    socklen_t size = sizeof cookie;
    return getsockopt(fd_, SOL_SOCKET, SO_COOKIE, &cookie, &size) < 0 ? errno : 0;
  }

  int fd_;
  uint64_t cookie_ = 0;
  int error_;
};

}  // namespace one_listener
