#include "addon/system_error.h"

#include <uv.h>

#include <cstring>

namespace one_listener {

Napi::Error SystemError(Napi::Env env, int error, const char* syscall, const std::string& detail) {
  const char* code = uv_err_name(-error);
  std::string message = std::string(code) + ": " + std::strerror(error) + ", " + syscall;
  if (!detail.empty()) message += " " + detail;
  Napi::Error thrown = Napi::Error::New(env, message);
  thrown.Set("code", Napi::String::New(env, code));
  thrown.Set("errno", Napi::Number::New(env, -error));
  thrown.Set("syscall", Napi::String::New(env, syscall));
  return thrown;
}

}  // namespace one_listener
