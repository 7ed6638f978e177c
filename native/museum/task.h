#pragma once
#include <string>
#include <vector>

namespace one_listener {

// What the first process of a guest is to do. It reads it from a file of pairs, name and value, each ended by a zero
// byte: no shell and no kernel command line has to quote anything.
struct Task {
  std::string modules;                   // the folder with modules.dep; empty: load none
  std::vector<std::string> load;         // modules by name, without those they depend on
  std::vector<std::string> keep;         // folders below /tmp, /run or /dev/shm that the guest is to see all the same
  std::string directory = "/";           // the command's
  std::string input;                     // a file that is the command's stdin; empty: /dev/null
  std::string result;                    // a file that the command writes through descriptor 3; empty: none
  std::string seed;                      // random text from the machine; empty: none
  std::vector<std::string> environment;  // NAME=value
  std::vector<std::string> arguments;    // the program, by path or looked up in PATH, and its arguments
  unsigned user = 0, group = 0;          // whom the command runs as
  unsigned long descriptors = 0;         // RLIMIT_NOFILE; 0: as the kernel has it
};

// Throws OsError, or std::string: a sentence about a file that is none.
Task ReadTask(const char* path);

}  // namespace one_listener
