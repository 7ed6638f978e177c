#include "addon/counter_file.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

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
  text_.resize(64 * 1024);
  size_t filled = 0;
  for (;;) {
    ssize_t size = pread(fd_, text_.data() + filled, text_.size() - filled, static_cast<off_t>(filled));
    if (size < 0) return errno;
    if (size == 0) break;
    filled += static_cast<size_t>(size);
    if (filled == text_.size()) text_.resize(text_.size() * 2);
  }
  text_.resize(filled);
  return 0;
}

void CounterFile::Index() {
  std::string prefix;
  ForEachWord(text_, [&](size_t line, size_t word, std::string_view text) {
    if (word == 0) {
      prefix = std::string(text.substr(0, text.size() - 1)) + ".";
    } else if (paired_) {
      if (line % 2 == 0) index_[prefix + std::string(text)] = {line + 1, word};
    } else if (word % 2 == 1) {
      index_["sockstat." + prefix + std::string(text)] = {line, word + 1};
    }
  });
}

bool CounterFile::Want(const std::string& name, size_t slot) {
  if (fd_ < 0) return false;
  if (index_.empty() && Load() == 0) Index();
  auto found = index_.find(name);
  if (found == index_.end()) return false;
  places_.push_back({found->second.first, found->second.second, slot});
  std::sort(places_.begin(), places_.end(), [](const Place& a, const Place& b) { return a.line != b.line ? a.line < b.line : a.word < b.word; });
  return true;
}

int CounterFile::Read(std::vector<double>& values) {
  int error = Load();
  if (error != 0) return error;
  auto next = places_.begin();
  size_t lines = 0, at = 0;
  while (next != places_.end()) {
    for (; lines < next->line; ++lines) {
      at = text_.find('\n', at);
      if (at == std::string::npos) return EPROTO;
      ++at;
    }
    // words of this line, from its start
    const char* place = text_.data() + at;
    for (size_t word = 0; next != places_.end() && next->line == lines; ++word) {
      while (*place == ' ') ++place;
      if (*place == '\n' || *place == '\0') return EPROTO;
      if (word == next->word) {
        values[next->slot] = std::strtod(place, nullptr);
        ++next;
      }
      while (*place != ' ' && *place != '\n' && *place != '\0') ++place;
    }
  }
  return 0;
}

}  // namespace one_listener
