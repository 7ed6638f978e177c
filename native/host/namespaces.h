#pragma once
#include <string>
#include <vector>

#include "base/fd.h"

namespace one_listener {

// What the Lab is made of, and how far its making got: the doctor shows the steps.
struct Namespaces {
  Fd near;  // the Lab's network namespace
  Fd far;   // the far end of the Lab's link: no addresses, no stack that answers
  int farIndex = 0;
  std::string nearAddress;
  std::string nearHardware;
  std::string farHardware;
  bool ownHash = false;
};

struct Step {
  std::string name;
  std::string syscall;
  int error;  // 0: done
};

// Enters a new user namespace (falls back to plain root where that is forbidden but root may make network namespaces)
// and a new PID namespace for the children of this process. Throws Failure.
void EnterUserAndPidNamespace(std::vector<Step>& steps);

// Makes the two network namespaces: the Lab's with its own established-hash of `hashBuckets`, and the far end's; with
// `wire` a link between them. Throws Failure.
Namespaces MakeNetwork(unsigned hashBuckets, bool wire, std::vector<Step>& steps);

}  // namespace one_listener
