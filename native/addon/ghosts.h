#pragma once
#include <napi.h>

#include <memory>

#include "addon/client_counts.h"

namespace one_listener {

bool IsGhosts(const Napi::Value& value);

// The counts behind JavaScript Ghosts; throws TypeError for anything else.
std::shared_ptr<ClientCounts> GhostCountsOf(const Napi::Value& value);

}  // namespace one_listener
