#pragma once
#include <linux/inet_diag.h>

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace one_listener {

// Where a listener is bound: an address of IPv4 or IPv6, and perhaps one interface (SO_BINDTODEVICE).
struct BoundAddress {
  uint8_t family = 0;                 // AF_INET or AF_INET6
  std::array<uint32_t, 4> address{};  // network order; of IPv4 the first one
  uint32_t device = 0;                // index of the interface, 0: any

  auto operator<=>(const BoundAddress&) const = default;

  static BoundAddress Of(const inet_diag_msg& socket);
  // Of the text of inet_ntop(3); nothing if it is none.
  static std::optional<BoundAddress> Parse(const std::string& text, uint32_t device);
  std::string Text() const;

  // Does the kernel give this request, or connection, to a listener here, and not to one at `others`? A request has the
  // family of its listener (inet_reqsk_alloc). The kernel looks for a listener at the exact address before one at the
  // wildcard, and prefers one that is bound to the interface (inet_lookup_listener, compute_score).
  bool Takes(const inet_diag_msg& request, std::span<const BoundAddress> others) const;

 private:
  int Score(const BoundAddress& local) const;
};

}  // namespace one_listener
