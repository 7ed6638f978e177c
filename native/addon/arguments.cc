#include "addon/arguments.h"

#include <arpa/inet.h>

#include <cmath>
#include <limits>

namespace one_listener {

namespace {
Napi::TypeError Wrong(const Napi::Value& value, const char* name, const char* wanted) {
  return Napi::TypeError::New(value.Env(), std::string(name) + " must be " + wanted);
}
}  // namespace

int64_t Integer(const Napi::Value& value, const char* name, int64_t least, int64_t most) {
  if (!value.IsNumber()) throw Wrong(value, name, "an integer");
  double number = value.As<Napi::Number>().DoubleValue();
  if (std::nearbyint(number) != number || number < static_cast<double>(least) || number > static_cast<double>(most)) {
    throw Napi::RangeError::New(value.Env(),
        std::string(name) + " must be an integer from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return static_cast<int64_t>(number);
}

double Number(const Napi::Value& value, const char* name, double least, double most) {
  if (!value.IsNumber()) throw Wrong(value, name, "a number");
  double number = value.As<Napi::Number>().DoubleValue();
  if (!(number >= least && number <= most)) {
    throw Napi::RangeError::New(value.Env(),
        std::string(name) + " must be a number from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return number;
}

int FileDescriptor(const Napi::Value& value, const char* name) {
  return static_cast<int>(Integer(value, name, 0, std::numeric_limits<int>::max()));
}

std::string Text(const Napi::Value& value, const char* name) {
  if (!value.IsString()) throw Wrong(value, name, "a string");
  return value.As<Napi::String>().Utf8Value();
}

Napi::Object Options(const Napi::Value& value, const char* name) {
  if (!value.IsObject()) throw Wrong(value, name, "an object");
  return value.As<Napi::Object>();
}

Napi::Function Callback(const Napi::Value& value, const char* name) {
  if (!value.IsFunction()) throw Wrong(value, name, "a function");
  return value.As<Napi::Function>();
}

Napi::Int32Array Int32s(const Napi::Value& value, const char* name) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_int32_array)
    throw Wrong(value, name, "an Int32Array");
  return value.As<Napi::Int32Array>();
}

Napi::Uint8Array Bytes(const Napi::Value& value, const char* name) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array)
    throw Wrong(value, name, "a Uint8Array");
  return value.As<Napi::Uint8Array>();
}

uint32_t Ipv4(const Napi::Value& value, const char* name) {
  std::string text = Text(value, name);
  in_addr address;
  if (inet_pton(AF_INET, text.c_str(), &address) != 1) {
    throw Napi::TypeError::New(value.Env(), std::string(name) + " must be a dotted IPv4 address, not \"" + text + "\"");
  }
  return address.s_addr;
}

}  // namespace one_listener
