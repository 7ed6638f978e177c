#pragma once
#include <napi.h>

#include "addon/object_class.h"

namespace one_listener {

// Adds a function to the addon's exports. An OsError that `Call` throws becomes a JavaScript error (Guarded).
template <auto Call>
void Export(Napi::Env env, Napi::Object exports, const char* name) {
  auto guarded = [](const Napi::CallbackInfo& info) { return Guarded(info.Env(), [&] { return Call(info); }); };
  exports.Set(name, Napi::Function::New(env, guarded, name));
}

}  // namespace one_listener
