#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <thread>

namespace one_listener {

constexpr size_t kClientStates = 9;
enum ClientState : uint8_t {
  kIdle,
  kSynSent,
  kEstablished,
  kRefused,
  kTimedOut,
  kReset,
  kClosedByServer,
  kClosed,
  kFailed
};

// Clients in each state: written by one thread at a time, read by samplers and JavaScript, owned by all. A sequence
// lock: readers never see a client in no state or in two, and never hold the writer up.
class ClientCounts {
 public:
  using Snapshot = std::array<uint32_t, kClientStates>;

  explicit ClientCounts(size_t idle) { counts_[kIdle] = static_cast<uint32_t>(idle); }

  void Move(ClientState from, ClientState to) {
    uint32_t version = version_.load(std::memory_order_relaxed);
    version_.store(version + 1, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_release);
    counts_[from].store(counts_[from].load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
    counts_[to].store(counts_[to].load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    version_.store(version + 2, std::memory_order_release);
  }

  Snapshot Read() const {
    for (;;) {
      uint32_t version = version_.load(std::memory_order_acquire);
      Snapshot snapshot;
      for (size_t state = 0; state < kClientStates; ++state)
        snapshot[state] = counts_[state].load(std::memory_order_relaxed);
      std::atomic_thread_fence(std::memory_order_acquire);
      if (version % 2 == 0 && version_.load(std::memory_order_relaxed) == version) return snapshot;
      std::this_thread::yield();
    }
  }

 private:
  std::atomic<uint32_t> version_{0};
  std::array<std::atomic<uint32_t>, kClientStates> counts_{};
};

}  // namespace one_listener
