#pragma once
#include <cerrno>

namespace one_listener {

// A failed system call, thrown by code that knows nothing of JavaScript. The addon makes a JavaScript error of it in
// one place, Guarded() in addon/object_class.h.
struct OsError {
  int error;            // errno, positive
  const char* syscall;  // a literal
};

// Passes on what a call returned; -1 is thrown as OsError with errno.
template <typename Result>
Result Require(Result result, const char* syscall) {
  if (result < 0) throw OsError{errno, syscall};
  return result;
}

}  // namespace one_listener
