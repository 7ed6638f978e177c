#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

namespace one_listener {

// Rows of integers over time, written by one thread and taken by another. Equal neighbours are stored once. Rows are
// kept as differences in variable-length integers: a minute of queues and clients that change with each of 10,000
// samples per second takes some 14 MB, where plain columns would take 43.
class Track {
 public:
  explicit Track(size_t columns);

  size_t columns() const { return last_.size(); }

  // Adds a row. time: ms, ascending; values: one for each column.
  void Offer(double time, std::span<const int64_t> values);
  // Stores the last state with its latest time, so that a step plot reaches the end. Idempotent.
  void Finish();

  class Batch;
  // The rows since the last Take(), to be read before the next one.
  Batch Take();

 private:
  static constexpr size_t kChunkBytes = 64 * 1024;
  struct Chunk {
    std::unique_ptr<uint8_t[]> bytes;
    size_t used;
  };
  void Append(int64_t time);
  void MakeRoom();
  template <typename OnRow>
  void Decode(const Chunk& chunk, OnRow onRow);

  std::mutex mutex_;  // guards all up to rows_
  std::vector<Chunk> chunks_;
  std::vector<int64_t> last_, stored_;
  int64_t lastTime_ = 0, storedTime_ = 0;
  bool any_ = false, repeated_ = false;
  size_t rows_ = 0;

  // the reader's own
  std::vector<int64_t> read_;
  int64_t readTime_ = 0;
};

class Track::Batch {
 public:
  Batch(Track& track, std::vector<Chunk> chunks, size_t rows)
      : track_(track), chunks_(std::move(chunks)), rows_(rows) {}
  size_t rows() const { return rows_; }
  // Calls onRow(row, time in ms, values) for each row in turn, once.
  template <typename OnRow>
  void ForEach(OnRow onRow);

 private:
  Track& track_;
  std::vector<Chunk> chunks_;
  size_t rows_;
};

// LEB128: seven bits a byte, the lowest first; the eighth says that more follow.
inline uint64_t ReadVariable(const uint8_t*& at) {
  uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    uint8_t byte = *at++;
    value |= static_cast<uint64_t>(byte & 127) << shift;
    if (byte < 128) return value;
  }
}

// Modulo 2^64, whatever the signs.
inline int64_t Sum(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}
inline int64_t Difference(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
}

// Small differences of either sign become small numbers: 0, -1, 1, -2 become 0, 1, 2, 3.
inline uint64_t ZigZag(int64_t value) { return static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63); }
inline int64_t FromZigZag(uint64_t value) { return static_cast<int64_t>(value >> 1 ^ (~(value & 1) + 1)); }

template <typename OnRow>
void Track::Decode(const Chunk& chunk, OnRow onRow) {
  const uint8_t* end = chunk.bytes.get() + chunk.used;
  for (const uint8_t* at = chunk.bytes.get(); at < end;) {
    readTime_ = Sum(readTime_, FromZigZag(ReadVariable(at)));
    for (int64_t& value : read_) value = Sum(value, FromZigZag(ReadVariable(at)));
    onRow(static_cast<double>(readTime_) / 1e6, std::span<const int64_t>(read_));
  }
}

template <typename OnRow>
void Track::Batch::ForEach(OnRow onRow) {
  size_t row = 0;
  for (const Chunk& chunk : chunks_)
    track_.Decode(chunk, [&](double time, std::span<const int64_t> values) { onRow(row++, time, values); });
}

}  // namespace one_listener
