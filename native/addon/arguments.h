#pragma once
#include <napi.h>

#include <cstdint>
#include <string>

// Reads JavaScript arguments strictly: a wrong type throws TypeError, a number out of range RangeError, each naming the
// argument. Napi::TypedArray views are only valid during the call.
namespace one_listener {

int64_t Integer(const Napi::Value& value, const char* name, int64_t least, int64_t most);
double Number(const Napi::Value& value, const char* name, double least, double most);
int FileDescriptor(const Napi::Value& value, const char* name = "fd");
std::string Text(const Napi::Value& value, const char* name);
Napi::Object Options(const Napi::Value& value, const char* name);
Napi::Function Callback(const Napi::Value& value, const char* name);
Napi::Int32Array Int32s(const Napi::Value& value, const char* name);
Napi::Uint8Array Bytes(const Napi::Value& value, const char* name);
// Dotted IPv4 to network byte order.
uint32_t Ipv4(const Napi::Value& value, const char* name);

}  // namespace one_listener
