#pragma once
#include <vector>

#include "base/fd.h"
#include "base/fields.h"

// One SOCK_SEQPACKET message each way: fields (base/fields.h), descriptors beside them (SCM_RIGHTS).
namespace one_listener {

enum class Received {
  kRequest,
  kRefused,  // too long; answered with EMSGSIZE
  kEnd,      // the caller has closed its end or died
};

// Waits for one message, and never for a second one: the other callers wait meanwhile.
Received ReceiveRequest(int link, Fields& fields);

// False: the descriptors have not arrived, and a refusal went instead of them. A caller that does not fetch
// its replies loses them.
bool SendReply(int link, const Fields& fields, const std::vector<Fd>& descriptors = {});

}  // namespace one_listener
