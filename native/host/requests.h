#pragma once
#include <vector>

#include "base/fd.h"
#include "base/fields.h"

// One SOCK_SEQPACKET message each way: fields (base/fields.h), descriptors beside them (SCM_RIGHTS).
namespace one_listener {

// Waits for a request; false when the owner has closed its end or died. One that is too long is refused with EMSGSIZE,
// and the next awaited.
bool ReceiveRequest(int link, Fields& fields);

// False: the descriptors have not arrived, and the refusal of the kernel went instead. A caller who does not fetch
// replies loses them.
bool SendReply(int link, const Fields& fields, const std::vector<Fd>& descriptors = {});

}  // namespace one_listener
