#include "host/requests.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "host/host.h"

namespace one_listener {
namespace {

// recv(2) returns 0 for a message without a byte, and at the end of the link.
bool HasEnded(int link) {
  pollfd watched{link, POLLRDHUP, 0};
  return poll(&watched, 1, 0) != 0;
}

}  // namespace

Received ReceiveRequest(int link, Fields& fields) {
  static std::vector<char> buffer(256 * 1024);
  ssize_t size;
  do size = recv(link, buffer.data(), buffer.size(), MSG_TRUNC);  // the size of the whole message, also if it was cut
  while (size < 0 && errno == EINTR);
  if (size < 0 || (size == 0 && HasEnded(link))) return Received::kEnd;
  if (static_cast<size_t>(size) > buffer.size()) {
    SendReply(link, Refusal({"request", "recvmsg", EMSGSIZE, "The request is longer than 256 KiB."}));
    return Received::kRefused;
  }
  fields = SplitFields({buffer.data(), static_cast<size_t>(size)});
  return Received::kRequest;
}

bool SendReply(int link, const Fields& fields, const std::vector<Fd>& descriptors) {
  std::string text = JoinFields(fields);
  iovec part{text.data(), text.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  std::vector<char> control(CMSG_SPACE(descriptors.size() * sizeof(int)));
  if (!descriptors.empty()) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(descriptors.size() * sizeof(int));
    for (size_t at = 0; at < descriptors.size(); ++at) {
      int fd = descriptors[at].get();
      std::memcpy(CMSG_DATA(rights) + at * sizeof(int), &fd, sizeof fd);
    }
  }
  ssize_t sent;
  do sent = sendmsg(link, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  while (sent < 0 && errno == EINTR);
  if (sent < 0 && !descriptors.empty()) {
    // ETOOMANYREFS: more descriptors are in flight than the user may open (unix(7)).
    SendReply(link, Refusal({"send", "sendmsg", errno}));
  }
  return sent >= 0;
}

}  // namespace one_listener
