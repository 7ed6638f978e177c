#include "addon/hardware_address.h"

#include <charconv>
#include <string>
#include <system_error>

#include "addon/arguments.h"

namespace one_listener {

std::array<uint8_t, 6> HardwareAddress(const Napi::Value& value, const char* name) {
  constexpr size_t kOctet = 3;  // two digits, and a colon behind all but the last
  std::array<uint8_t, 6> address{};
  const std::string text = Text(value, name);
  bool good = text.size() == address.size() * kOctet - 1;
  for (size_t at = 0; good && at < address.size(); ++at) {
    const char* digits = text.data() + at * kOctet;
    const auto [end, error] = std::from_chars(digits, digits + 2, address[at], 16);
    good = error == std::errc() && end == digits + 2 && (at + 1 == address.size() || *end == ':');
  }
  if (good) return address;
  throw Napi::TypeError::New(value.Env(), std::string(name) + " must be a hardware address like \"02:00:00:00:00:01\"");
}

}  // namespace one_listener
