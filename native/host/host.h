#pragma once
#include <optional>
#include <string>
#include <vector>

#include "host/children.h"
#include "host/failure.h"
#include "host/namespaces.h"
#include "host/protocol.h"
#include "host/requests.h"

namespace one_listener {

// A caller: the owner of the Lab, or a guest that the owner has let in, with the rights that the owner has given.
struct Link {
  int fd;
  bool owner;
  bool look;
  bool wire;

  bool Has(Right right) const;
};

struct GuestLink {
  Fd fd;
  Link link;
};

// The reply to a request that failed; `steps` tells how far the making of the Lab got.
Fields Refusal(const Failure& failure, const std::vector<Step>& steps = {});

// Carries out the requests of the protocol's table.
class Host {
 public:
  explicit Host(std::vector<Step> steps) : steps_(std::move(steps)) {}

  // Checks the request against the table, carries it out, and replies. Throws Failure; nothing has changed then.
  void Answer(const Link& from, const Fields& message);

  Children& children() { return children_; }
  std::vector<GuestLink>& guests() { return guests_; }

 private:
  using Handler = void (Host::*)(const Record&);
  static Handler HandlerOf(std::string_view name);

  void Table(const Record& request);
  void Open(const Record& request);
  void Describe(const Record& request);
  void TcpSockets(const Record& request);
  void DiagSockets(const Record& request);
  void PacketSockets(const Record& request);
  void ReadFile(const Record& request);
  void EditFile(const Record& request);
  void Spawn(const Record& request);
  void Kill(const Record& request);
  void Guest(const Record& request);

  // Replies OK; false if the kernel did not let the reply through.
  bool Reply(const Record& values = {}, const std::vector<Fd>& descriptors = {});
  void ReplyWithSockets(const Record& request, Fd (Host::*make)());
  void ReplyWithFile(const Record& request, int mode);
  // Throws Failure where the Lab is not open.
  const Namespaces& Network() const;
  Fd TcpSocket();
  Fd DiagSocket();
  Fd PacketSocket();

  std::vector<Step> steps_;
  std::optional<Namespaces> spaces_;
  Children children_;
  std::vector<GuestLink> guests_;
  Link link_{-1, false, false, false};  // the caller that is being answered
  const RequestForm* form_ = nullptr;   // the form of its request
};

}  // namespace one_listener
