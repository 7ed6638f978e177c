#include "addon/system_error.h"

#include <uv.h>

#include <array>
#include <cstring>

namespace one_listener {

Napi::Error SystemError(Napi::Env env, int error, const char* syscall, const std::string& detail) {
  const char* code = uv_err_name(-error);
  std::array<char, 128> room;  // strerror() itself is not for several threads
  std::string message = std::string(code) + ": " + strerror_r(error, room.data(), room.size()) + ", " + syscall;
  if (!detail.empty()) message += " " + detail;
  Napi::Error thrown = Napi::Error::New(env, message);
  thrown.Set("code", Napi::String::New(env, code));
  thrown.Set("errno", Napi::Number::New(env, -error));
  thrown.Set("syscall", Napi::String::New(env, syscall));
  return thrown;
}

}  // namespace one_listener
