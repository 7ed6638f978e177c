#pragma once
#include <cerrno>
#include <string>
#include <utility>

namespace one_listener {

// A system call that failed while doing `step`, or a request that was refused; becomes an "ERR" reply, and in the owner
// a typed error.
struct Failure {
  std::string step;
  std::string syscall;  // "request": the host itself refused
  int error;
  std::string why;  // a sentence about a request that was refused

  Failure(std::string step, std::string syscall, int error, std::string why = {})
      : step(std::move(step)), syscall(std::move(syscall)), error(error), why(std::move(why)) {}
};

[[noreturn]] inline void Fail(const char* step, const char* syscall, int error = errno) {
  throw Failure{step, syscall, error};
}

}  // namespace one_listener
