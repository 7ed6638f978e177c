#pragma once
#include <napi.h>

#include <new>
#include <string>

#include "addon/system_error.h"
#include "base/os_error.h"

// What the classes of this addon have in common. Each names its tag: `static constexpr napi_type_tag kTag`.
namespace one_listener {

// The C++ object behind a JavaScript one. A tag cannot be forged by a prototype, and holds in every environment (worker
// threads).
template <typename Class>
Class* Unwrapped(const Napi::Value& value, const char* name, const char* wanted) {
  if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&Class::kTag))
    throw Napi::TypeError::New(value.Env(), std::string(name) + " must be " + wanted);
  return Class::Unwrap(value.As<Napi::Object>());
}

// Runs `action`, which knows nothing of JavaScript, and makes JavaScript errors of what it throws.
template <typename Action>
auto Guarded(Napi::Env env, Action action) -> decltype(action()) {
  try {
    return action();
  } catch (const OsError& failure) {
    throw SystemError(env, failure.error, failure.syscall);
  } catch (const std::bad_alloc&) {
    throw SystemError(env, ENOMEM, "malloc");
  }
}

// A thread is started once.
template <typename Thread>
void RequireFresh(Napi::Env env, const Thread& thread, const std::string& what) {
  if (thread.Stopping()) throw Napi::Error::New(env, "this " + what + " has been stopped");
  if (thread.Started()) throw Napi::Error::New(env, "this " + what + " has been started already");
}

}  // namespace one_listener
