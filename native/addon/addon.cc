#include <napi.h>

#include "addon/parts.h"

namespace {

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  using namespace one_listener;
  InitHostLink(env, exports);
  InitDescriptors(env, exports);
  InitSockets(env, exports);
  InitPoll(env, exports);
  InitDiag(env, exports);
  InitListening(env, exports);
  InitClients(env, exports);
  InitAcceptor(env, exports);
  InitSampler(env, exports);
  InitMirror(env, exports);
  InitWirePort(env, exports);
  InitGhosts(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(one_listener, Init)
