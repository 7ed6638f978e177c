#pragma once
#include <vector>

#include "base/fd.h"
#include "base/fields.h"

// One SOCK_SEQPACKET message each way: fields (base/fields.h), descriptors beside them (SCM_RIGHTS).
namespace one_listener {

// Waits for a request; false when the caller has closed its end or died. A request that is too long is refused with
// EMSGSIZE, and the next one awaited.
bool ReceiveRequest(int link, Fields& fields);

// False: the descriptors have not arrived, and a refusal went instead of them. A caller that does not fetch
// its replies loses them.
bool SendReply(int link, const Fields& fields, const std::vector<Fd>& descriptors = {});

}  // namespace one_listener
