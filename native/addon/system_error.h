#pragma once
#include <napi.h>

#include <string>

namespace one_listener {

// The one place where errno becomes a thrown JavaScript error, in the shape of Node's own: code, errno (negative),
// syscall.
Napi::Error SystemError(Napi::Env env, int error, const char* syscall, const std::string& detail = "");

}  // namespace one_listener
