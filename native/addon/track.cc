#include "addon/track.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace one_listener {
namespace {

constexpr size_t kMostBytes = 10;  // of a 64-bit number

uint8_t* WriteVariable(uint8_t* at, uint64_t value) {
  for (; value > 127; value >>= 7) *at++ = static_cast<uint8_t>(value | 128);
  *at++ = static_cast<uint8_t>(value);
  return at;
}

}  // namespace

Track::Track(size_t columns) : last_(columns, 0), stored_(columns, 0), read_(columns, 0) {
  chunks_.reserve(64);
  MakeRoom();
}

void Track::Offer(double time, std::span<const int64_t> values) {
  auto nanoseconds = static_cast<int64_t>(std::llround(time * 1e6));
  std::lock_guard<std::mutex> lock(mutex_);
  lastTime_ = nanoseconds;
  repeated_ = any_ && std::equal(last_.begin(), last_.end(), values.begin(), values.end());
  if (repeated_) return;
  any_ = true;
  std::copy(values.begin(), values.end(), last_.begin());
  Append(nanoseconds);
}

void Track::Finish() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (repeated_) Append(lastTime_);
  repeated_ = false;
}

void Track::Append(int64_t time) {
  MakeRoom();
  Chunk& chunk = chunks_.back();
  uint8_t* at = chunk.bytes.get() + chunk.used;
  at = WriteVariable(at, ZigZag(Difference(time, storedTime_)));
  for (size_t column = 0; column < last_.size(); ++column)
    at = WriteVariable(at, ZigZag(Difference(last_[column], stored_[column])));
  chunk.used = static_cast<size_t>(at - chunk.bytes.get());
  storedTime_ = time;
  stored_ = last_;
  ++rows_;
}

// The last chunk can hold one more row, whatever it is.
void Track::MakeRoom() {
  size_t most = kMostBytes * (last_.size() + 1);
  size_t capacity = std::max(kChunkBytes, most);
  if (!chunks_.empty() && chunks_.back().used + most <= capacity) return;
  chunks_.push_back({std::make_unique<uint8_t[]>(capacity), 0});
}

Track::Batch Track::Take() {
  std::vector<Chunk> fresh;
  fresh.reserve(64);
  std::lock_guard<std::mutex> lock(mutex_);
  fresh.swap(chunks_);
  size_t rows = std::exchange(rows_, 0);
  return Batch(*this, std::move(fresh), rows);
}

}  // namespace one_listener
