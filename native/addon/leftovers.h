#pragma once
#include <chrono>
#include <future>
#include <list>
#include <memory>
#include <system_error>
#include <utility>

#include "addon/stoppable_thread.h"

namespace one_listener {

// Destroys objects whose JavaScript side is garbage. Such an object may own thousands of descriptors, so a thread
// closes them. The end of the environment waits for the thread, because the addon's code may be unloaded then.
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
      return;  // EAGAIN: no thread. The object went with the lambda, on the calling thread
    }
  }

 private:
  std::list<std::future<void>> going_;  // the destructor of each waits
};

}  // namespace one_listener
