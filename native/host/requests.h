#pragma once
#include <string>
#include <vector>

#include "base/fd.h"

// One SOCK_SEQPACKET message each way: fields separated by NUL, descriptors beside them (SCM_RIGHTS).
namespace one_listener {

using Fields = std::vector<std::string>;

// Waits for a request; false when the owner has closed its end or died.
bool ReceiveRequest(int link, Fields& fields);

void SendReply(int link, const Fields& fields, const std::vector<Fd>& descriptors = {});

}  // namespace one_listener
