#pragma once
#include <napi.h>

#include <memory>

#include "addon/accepted_count.h"

namespace one_listener {

// The count behind a JavaScript Acceptor. @throws TypeError for anything else
std::shared_ptr<AcceptedCount> AcceptedCountOf(const Napi::Value& value);

}  // namespace one_listener
