#pragma once
#include <napi.h>

#include <memory>

#include "addon/client_counts.h"

namespace one_listener {

// The counts behind a JavaScript ClientThread; throws TypeError for anything else.
std::shared_ptr<ClientCounts> ClientCountsOf(const Napi::Value& value);

}  // namespace one_listener
