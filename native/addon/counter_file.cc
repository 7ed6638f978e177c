#include "addon/counter_file.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "base/os_error.h"

namespace one_listener {
namespace {

// Calls onWord(line, word, text) for every word of the text.
template <typename OnWord>
void ForEachWord(std::string_view text, OnWord onWord) {
  size_t line = 0, word = 0, at = 0;
  while (at < text.size()) {
    size_t end = text.find_first_of(" \n", at);
    if (end == std::string_view::npos) end = text.size();
    if (end > at) onWord(line, word++, text.substr(at, end - at));
    if (end < text.size() && text[end] == '\n') {
      ++line;
      word = 0;
    }
    at = end + 1;
  }
}

}  // namespace

int CounterFile::Load() {
  if (buffer_.empty()) buffer_.resize(32 * 1024);
  size_t filled = 0;
  for (;;) {
    ssize_t size = pread(fd_, buffer_.data() + filled, buffer_.size() - filled, static_cast<off_t>(filled));
    if (size < 0) return errno;
    filled += static_cast<size_t>(size);
    if (size == 0) break;
    if (filled == buffer_.size()) buffer_.resize(buffer_.size() * 2);
  }
  text_ = {buffer_.data(), filled};
  return 0;
}

void CounterFile::Index() {
  std::string prefix;
  ForEachWord(text_, [&](size_t line, size_t word, std::string_view text) {
    if (word == 0) {
      prefix = std::string(text.substr(0, text.size() - 1));
      if (form_ == kMeminfo) index_["meminfo." + prefix] = {line, 1};
      prefix += '.';
    } else if (form_ == kPairs) {
      if (line % 2 == 0) index_[prefix + std::string(text)] = {line + 1, word};
    } else if (form_ == kSockstat && word % 2 == 1) {
      index_["sockstat." + prefix + std::string(text)] = {line, word + 1};
    }
  });
}

bool CounterFile::Want(const std::string& name, size_t slot) {
  if (fd_ < 0) return false;
  if (index_.empty()) {
    int error = Load();
    if (error != 0) throw OsError{error, "pread"};
    Index();
  }
  auto found = index_.find(name);
  if (found == index_.end()) return false;
  places_.push_back({found->second.first, found->second.second, slot});
  std::sort(places_.begin(), places_.end(),
      [](const Place& a, const Place& b) { return a.line != b.line ? a.line < b.line : a.word < b.word; });
  return true;
}

int CounterFile::Read(std::vector<int64_t>& values) {
  int error = Load();
  if (error != 0) return error;
  const char* at = text_.data();
  const char* const end = at + text_.size();
  size_t line = 0, word = 0;
  for (const Place& place : places_) {
    for (; line < place.line; ++line, word = 0) {
      at = std::find(at, end, '\n');
      if (at == end) return EPROTO;
      ++at;
    }
    for (; word < place.word; ++word) {
      at = std::find_if(at, end, [](char c) { return c == ' ' || c == '\n'; });
      at = std::find_if(at, end, [](char c) { return c != ' '; });
      if (at == end || *at == '\n') return EPROTO;
    }
    if (std::from_chars(at, end, values[place.slot]).ec != std::errc()) return EPROTO;
  }
  return 0;
}

}  // namespace one_listener
