#pragma once
#include <napi.h>

#include <atomic>
#include <cstdint>
#include <memory>

namespace one_listener {

using AcceptedCount = std::atomic<uint32_t>;

// The count behind a JavaScript Acceptor. @throws TypeError for anything else
std::shared_ptr<AcceptedCount> AcceptedCountOf(const Napi::Value& value);

}  // namespace one_listener
