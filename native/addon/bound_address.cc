#include "addon/bound_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <iterator>

namespace one_listener {

BoundAddress BoundAddress::Of(const inet_diag_msg& socket) {
  BoundAddress bound{socket.idiag_family, {}, socket.id.idiag_if};
  const size_t words = socket.idiag_family == AF_INET6 ? 4 : 1;
  std::copy_n(std::begin(socket.id.idiag_src), words, bound.address.begin());
  return bound;
}

std::optional<BoundAddress> BoundAddress::Parse(const std::string& text, uint32_t device) {
  BoundAddress bound{AF_INET, {}, device};
  if (inet_pton(AF_INET, text.c_str(), bound.address.data()) == 1) return bound;
  bound.family = AF_INET6;
  if (inet_pton(AF_INET6, text.c_str(), bound.address.data()) == 1) return bound;
  return std::nullopt;
}

std::string BoundAddress::Text() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(family, address.data(), text.data(), text.size());
  return text.data();
}

bool BoundAddress::Takes(const inet_diag_msg& request, std::span<const BoundAddress> others) const {
  const BoundAddress local = Of(request);
  const int score = Score(local);
  return score > 0 &&
      std::all_of(others.begin(), others.end(), [&](const BoundAddress& other) { return other.Score(local) < score; });
}

// 0: not for this one.
int BoundAddress::Score(const BoundAddress& local) const {
  const bool wildcard = address == std::array<uint32_t, 4>{};
  if (family != local.family || (!wildcard && address != local.address)) return 0;
  if (device != 0 && device != local.device) return 0;
  return 1 + (wildcard ? 0 : 2) + (device != 0 ? 1 : 0);
}

}  // namespace one_listener
