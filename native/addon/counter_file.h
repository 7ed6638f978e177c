#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace one_listener {

// One of /proc/net/{netstat,snmp,sockstat} or /proc/meminfo: where the wanted counters stand in it, found once, and
// then read again and again.
class CounterFile {
 public:
  enum Form {
    kPairs,     // netstat, snmp: a line of names followed by a line of values
    kSockstat,  // names and values in turn on one line
    kMeminfo,   // a name and a value on each line
  };
  CounterFile(int fd, Form form) : fd_(fd), form_(form) {}

  // True if this file has the counter; its value will stand in values[slot]. The first call reads the file. @throws
  // OsError
  bool Want(const std::string& name, size_t slot);
  void WantNothing() { places_.clear(); }

  bool wanted() const { return !places_.empty(); }

  // Returns 0 or an errno.
  int Read(std::vector<int64_t>& values);

  // sockstat and meminfo hold gauges, the others counts since the namespace was made.
  bool gauges() const { return form_ != kPairs; }

 private:
  struct Place {
    size_t line, word, slot;
  };
  int Load();
  void Index();

  int fd_;
  Form form_;
  std::vector<char> buffer_;
  std::string_view text_;
  std::map<std::string, std::pair<size_t, size_t>> index_;
  std::vector<Place> places_;
};

}  // namespace one_listener
