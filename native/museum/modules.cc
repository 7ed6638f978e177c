#include "museum/modules.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <sstream>
#include <system_error>
#include <vector>

#include "base/fd.h"

namespace one_listener {
namespace {

// "kernel/drivers/net/veth.ko" is the module veth. A dash and an underscore are the same in a module's name.
bool IsModule(const std::string& path, const std::string& name) {
  const size_t slash = path.rfind('/');
  std::string base = path.substr(slash == std::string::npos ? 0 : slash + 1);
  base = base.substr(0, base.find(".ko"));
  for (char& each : base)
    if (each == '-') each = '_';
  return base == name;
}

// The module's file and those it needs, in the order of modules.dep: what is needed first stands last.
std::vector<std::string> FilesOf(const std::string& folder, const std::string& name) {
  std::ifstream list(folder + "/modules.dep");
  for (std::string line; std::getline(list, line);) {
    const size_t colon = line.find(':');
    if (colon == std::string::npos || !IsModule(line.substr(0, colon), name)) continue;
    std::vector<std::string> files{line.substr(0, colon)};
    std::istringstream needed(line.substr(colon + 1));
    for (std::string file; needed >> file;) files.push_back(file);
    return files;
  }
  return {};
}

std::string Problem(const std::string& file, const char* call) {
  std::string text = file;
  text.append(": ").append(call).append(": ").append(std::generic_category().message(errno));
  return text;
}

}  // namespace

std::string LoadModule(const std::string& folder, const std::string& name) {
  const std::vector<std::string> files = FilesOf(folder, name);
  for (auto file = files.rbegin(); file != files.rend(); ++file) {
    const Fd module(open((folder + "/" + *file).c_str(), O_RDONLY | O_CLOEXEC));
    if (!module) return Problem(*file, "open");
    if (syscall(SYS_finit_module, module.get(), "", 0) < 0 && errno != EEXIST) return Problem(*file, "finit_module");
  }
  return "";
}

}  // namespace one_listener
