#pragma once
#include <string>

namespace one_listener {

// Loads a module by its name, and before it those that modules.dep(5) says it needs. A module that is built in, or
// loaded, is no error. Returns what went wrong, "" if nothing did.
std::string LoadModule(const std::string& folder, const std::string& name);

}  // namespace one_listener
