#include "addon/hardware_address.h"

#include <cstdio>

#include "addon/arguments.h"

namespace one_listener {

std::array<uint8_t, 6> HardwareAddress(const Napi::Value& value, const char* name) {
  std::array<uint8_t, 6> address{};
  std::string text = Text(value, name);
  int end = 0;
  int found = std::sscanf(text.c_str(), "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &address[0], &address[1], &address[2],
      &address[3], &address[4], &address[5], &end);
  if (found != 6 || static_cast<size_t>(end) != text.size())
    throw Napi::TypeError::New(
        value.Env(), std::string(name) + " must be a hardware address like \"02:00:00:00:00:01\"");
  return address;
}

}  // namespace one_listener
