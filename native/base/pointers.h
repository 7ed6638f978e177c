#pragma once
#include <string>
#include <vector>

namespace one_listener {

// What execve(2) takes: a pointer to each text, and a null pointer. They are good as long as the texts are.
inline std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace one_listener
