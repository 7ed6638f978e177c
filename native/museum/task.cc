#include "museum/task.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <map>

#include "base/fd.h"
#include "base/os_error.h"

namespace one_listener {
namespace {

std::string ReadAll(const char* path) {
  Fd file(Require(open(path, O_RDONLY | O_CLOEXEC), "open"));
  std::string text;
  char part[65536];
  for (;;) {
    const ssize_t got = Require(read(file.get(), part, sizeof part), "read");
    if (got == 0) return text;
    text.append(part, static_cast<size_t>(got));
  }
}

unsigned long Number(const std::string& text) { return std::strtoul(text.c_str(), nullptr, 10); }

}  // namespace

Task ReadTask(const char* path) {
  Task task;
  const std::map<std::string, std::function<void(const std::string&)>> meanings = {
      {"modules", [&](const std::string& value) { task.modules = value; }},
      {"load", [&](const std::string& value) { task.load.push_back(value); }},
      {"keep", [&](const std::string& value) { task.keep.push_back(value); }},
      {"directory", [&](const std::string& value) { task.directory = value; }},
      {"input", [&](const std::string& value) { task.input = value; }},
      {"result", [&](const std::string& value) { task.result = value; }},
      {"seed", [&](const std::string& value) { task.seed = value; }},
      {"environment", [&](const std::string& value) { task.environment.push_back(value); }},
      {"argument", [&](const std::string& value) { task.arguments.push_back(value); }},
      {"user", [&](const std::string& value) { task.user = static_cast<unsigned>(Number(value)); }},
      {"group", [&](const std::string& value) { task.group = static_cast<unsigned>(Number(value)); }},
      {"descriptors", [&](const std::string& value) { task.descriptors = Number(value); }},
  };
  const std::string text = ReadAll(path);
  for (size_t at = 0; at < text.size();) {
    const size_t middle = text.find('\0', at);
    const size_t end = middle == std::string::npos ? middle : text.find('\0', middle + 1);
    if (end == std::string::npos) throw std::string("the task file ends in the middle of a pair");
    const std::string name = text.substr(at, middle - at);
    const auto meaning = meanings.find(name);
    if (meaning == meanings.end()) throw "the task file has an unknown name: " + name;
    meaning->second(text.substr(middle + 1, end - middle - 1));
    at = end + 1;
  }
  if (task.arguments.empty()) throw std::string("the task file names no command");
  return task;
}

}  // namespace one_listener
