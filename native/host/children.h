#pragma once
#include <sys/resource.h>
#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "base/fd.h"

namespace one_listener {

struct Limit {
  int resource;
  rlim_t value;  // soft and hard alike
};

struct Command {
  std::string directory;
  std::vector<Limit> limits;
  std::vector<std::string> arguments;
  std::vector<std::string> environment;
};

struct Started {
  int id;     // how later requests name the child
  pid_t pid;  // as the owner's PID namespace sees it; 0 if unknown
  Fd input, output, error;
  Fd status;  // one line at the end: "exit 0" or "signal 9"
};

// The programs that run inside the Lab. They are in the host's PID namespace: when the host ends, the kernel ends them
// all.
class Children {
 public:
  Started Start(const Command& command);  // throws Failure
  void Signal(int id, int signal);        // to the child's process group; throws Failure ESRCH
  void Reap();                            // after SIGCHLD; also adopts and reaps orphans
 private:
  struct Child {
    pid_t pid;
    Fd status;
  };
  std::map<int, Child> children_;
  int next_ = 1;
};

}  // namespace one_listener
