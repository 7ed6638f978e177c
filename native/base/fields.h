#pragma once
#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// The text of a message between the addon and the lab host: fields separated by NUL. A field can be empty, and a
// message has at least one field; no field can hold a NUL.
namespace one_listener {

using Fields = std::vector<std::string>;

inline Fields SplitFields(std::string_view message) {
  Fields fields;
  for (;;) {
    const size_t end = std::min(message.find('\0'), message.size());
    fields.emplace_back(message.substr(0, end));
    if (end == message.size()) return fields;
    message.remove_prefix(end + 1);
  }
}

inline std::string JoinFields(std::span<const std::string> fields) {
  std::string message;
  for (const std::string& field : fields) {
    if (&field != fields.data()) message.push_back('\0');
    message += field;
  }
  return message;
}

}  // namespace one_listener
