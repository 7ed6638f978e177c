#pragma once
#include <cerrno>

namespace one_listener {

// A failed system call, thrown by code that knows nothing of JavaScript; SystemError() makes a JavaScript error of it.
struct OsError {
  int error;
  const char* syscall;
};

// Passes on what a call returned, or throws.
inline int Require(int result, const char* syscall) {
  if (result < 0) throw OsError{errno, syscall};
  return result;
}

}  // namespace one_listener
