#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace one_listener {

// One of /proc/net/{netstat,snmp,sockstat}: where the wanted counters stand in it, found once, and then read again and again.
class CounterFile {
 public:
  // paired: a line of names followed by a line of values (netstat, snmp); else names and values in turn on one line (sockstat).
  CounterFile(int fd, bool paired) : fd_(fd), paired_(paired) {}

  // True if this file has the counter; its value will stand in values[slot]. The first call reads the file. @throws OsError
  bool Want(const std::string& name, size_t slot);
  void WantNothing() { places_.clear(); }

  bool wanted() const { return !places_.empty(); }

  // Returns 0 or an errno.
  int Read(std::vector<int64_t>& values);

  // sockstat holds gauges, the others counts since the namespace was made.
  bool gauges() const { return !paired_; }

 private:
  struct Place {
    size_t line, word, slot;
  };
  int Load();
  void Index();

  int fd_;
  bool paired_;
  std::vector<char> buffer_;
  std::string_view text_;
  std::map<std::string, std::pair<size_t, size_t>> index_;
  std::vector<Place> places_;
};

}  // namespace one_listener
