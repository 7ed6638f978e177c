#pragma once
#include <napi.h>

// Each part adds its calls or its class to the exports; src/native/addon.ts is their specification.
namespace one_listener {

void InitHostLink(Napi::Env env, Napi::Object exports);
void InitDescriptors(Napi::Env env, Napi::Object exports);
void InitSockets(Napi::Env env, Napi::Object exports);
void InitPoll(Napi::Env env, Napi::Object exports);
void InitDiag(Napi::Env env, Napi::Object exports);
void InitListening(Napi::Env env, Napi::Object exports);
void InitSampler(Napi::Env env, Napi::Object exports);
void InitClients(Napi::Env env, Napi::Object exports);
void InitAcceptor(Napi::Env env, Napi::Object exports);
void InitMirror(Napi::Env env, Napi::Object exports);
void InitWirePort(Napi::Env env, Napi::Object exports);
void InitGhosts(Napi::Env env, Napi::Object exports);

}  // namespace one_listener
