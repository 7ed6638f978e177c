#pragma once
#include <array>
#include <atomic>
#include <cstdint>

namespace one_listener {

constexpr size_t kClientStates = 9;
enum ClientState : uint8_t { kIdle, kSynSent, kEstablished, kRefused, kTimedOut, kReset, kClosedByServer, kClosed, kFailed };

// Clients in each state: written by a ClientThread, read by samplers, owned by both.
using ClientCounts = std::array<std::atomic<uint32_t>, kClientStates>;

}  // namespace one_listener
