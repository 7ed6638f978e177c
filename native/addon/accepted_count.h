#pragma once
#include <atomic>
#include <cstdint>

namespace one_listener {

// Connections that one acceptor has taken, cumulative: written by its thread alone, read by samplers and JavaScript.
using AcceptedCount = std::atomic<uint32_t>;

}  // namespace one_listener
