// One system call each, of any descriptor: sockets, and files below /proc.
#include <dirent.h>
#include <napi.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "addon/arguments.h"
#include "addon/exported.h"
#include "addon/parts.h"
#include "addon/worker.h"
#include "base/clock.h"
#include "base/os_error.h"

namespace one_listener {
namespace {

Napi::Value Now(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), MonotonicMilliseconds()); }

void Close(const Napi::CallbackInfo& info) {
  if (close(FileDescriptor(info[0])) < 0 && errno != EINTR) throw OsError{errno, "close"};
}

Napi::Value CloseLater(const Napi::CallbackInfo& info) {
  Napi::Int32Array given = Int32s(info[0], "fds");
  std::vector<int> fds(given.Data(), given.Data() + given.ElementLength());
  auto closeAll = [](std::vector<int>& all) {
    for (int fd : all) close(fd);
    return 0;
  };
  return Worker<std::vector<int>>::Start(
      info.Env(), "close", std::move(fds), closeAll, [](Napi::Env env, auto&) { return env.Undefined(); });
}

Napi::Value Read(const Napi::CallbackInfo& info) {
  Napi::Uint8Array into = Bytes(info[1], "into");
  ssize_t size = Require(read(FileDescriptor(info[0]), into.Data(), into.ElementLength()), "read");
  return Napi::Number::New(info.Env(), static_cast<double>(size));
}

Napi::Value PreadText(const Napi::CallbackInfo& info) {
  int fd = FileDescriptor(info[0]);
  std::string text;
  std::vector<char> part(16 * 1024);
  for (;;) {
    ssize_t size = Require(pread(fd, part.data(), part.size(), static_cast<off_t>(text.size())), "pread");
    if (size == 0) break;
    text.append(part.data(), static_cast<size_t>(size));
  }
  return Napi::String::New(info.Env(), text);
}

void PwriteText(const Napi::CallbackInfo& info) {
  std::string text = Text(info[1], "text");
  ssize_t size = Require(pwrite(FileDescriptor(info[0]), text.data(), text.size(), 0), "pwrite");
  if (static_cast<size_t>(size) != text.size()) throw OsError{EINVAL, "pwrite"};
}

Napi::Value Inode(const Napi::CallbackInfo& info) {
  struct stat status;
  Require(fstat(FileDescriptor(info[0]), &status), "fstat");
  return Napi::Number::New(info.Env(), static_cast<double>(status.st_ino));
}

Napi::Value Descriptors(const Napi::CallbackInfo& info) {
  rlimit limit{};
  Require(getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
  auto finite = [](rlim_t value) {
    return value == RLIM_INFINITY ? std::numeric_limits<double>::infinity() : static_cast<double>(value);
  };
  double open = 0;
  std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir("/proc/self/fd"), closedir);
  if (!directory) throw OsError{errno, "opendir"};
  // NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread has this directory stream (readdir(3))
  while (dirent* entry = readdir(directory.get())) {
    if (entry->d_name[0] != '.') ++open;
  }
  Napi::Object made = Napi::Object::New(info.Env());
  made.Set("soft", finite(limit.rlim_cur));
  made.Set("hard", finite(limit.rlim_max));
  made.Set("open", open - 1);  // not the directory's own
  return made;
}

}  // namespace

void InitDescriptors(Napi::Env env, Napi::Object exports) {
  Export<Now>(env, exports, "now");
  Export<Close>(env, exports, "close");
  Export<CloseLater>(env, exports, "closeLater");
  Export<Read>(env, exports, "read");
  Export<PreadText>(env, exports, "preadText");
  Export<PwriteText>(env, exports, "pwriteText");
  Export<Inode>(env, exports, "inode");
  Export<Descriptors>(env, exports, "descriptors");
}

}  // namespace one_listener
