#pragma once
#include <chrono>
#include <future>
#include <list>
#include <memory>
#include <system_error>
#include <utility>

#include "addon/stoppable_thread.h"

namespace one_listener {

// Garbage that holds thousands of descriptors is taken away on a thread of its own. The environment's end waits for it,
// because the code of this addon may be unloaded then.
class Leftovers : public std::enable_shared_from_this<Leftovers> {
 public:
  template <typename Object>
  void TakeAway(std::shared_ptr<Object> object) {
    going_.remove_if(
        [](std::future<void>& one) { return one.wait_for(std::chrono::seconds(0)) == std::future_status::ready; });
    try {
      SignalsBlocked blocked;
      going_.push_back(std::async(std::launch::async, [last = std::move(object)]() mutable {
        NameThisThread("leftovers");
        last.reset();
      }));
    } catch (const std::system_error&) {
      return;  // EAGAIN: no thread to be had. It has gone with the lambda, here and now
    }
  }

 private:
  std::list<std::future<void>> going_;  // the destructor of each waits
};

}  // namespace one_listener
