#pragma once
#include <string>
#include <vector>

#include "base/fd.h"

// One SOCK_SEQPACKET message each way: fields separated by NUL, descriptors beside them (SCM_RIGHTS).
namespace one_listener {

using Fields = std::vector<std::string>;

// Waits for a request; false when the owner has closed its end or died. One that is too long is refused with EMSGSIZE,
// and the next awaited.
bool ReceiveRequest(int link, Fields& fields);

// False: the descriptors have not arrived, and the refusal of the kernel went instead. A caller who does not fetch
// replies loses them.
bool SendReply(int link, const Fields& fields, const std::vector<Fd>& descriptors = {});

}  // namespace one_listener
