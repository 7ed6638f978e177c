#pragma once
#include <napi.h>

#include <array>
#include <cstdint>

namespace one_listener {

// "02:00:00:00:00:01". @throws TypeError
std::array<uint8_t, 6> HardwareAddress(const Napi::Value& value, const char* name);

}  // namespace one_listener
