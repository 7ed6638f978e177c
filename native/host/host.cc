#include "host/host.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>

#include <cstdlib>

namespace one_listener {
namespace {

std::vector<Record> StepRecords(const std::vector<Step>& steps) {
  std::vector<Record> records;
  for (const Step& step : steps) {
    records.emplace_back()
        .SetText("name", step.name)
        .SetText("syscall", step.syscall)
        .SetNumber("error", static_cast<uint64_t>(step.error));
  }
  return records;
}

std::vector<std::string> Texts(const std::vector<Record>& records, std::string_view name) {
  std::vector<std::string> texts;
  texts.reserve(records.size());
  for (const Record& record : records) texts.push_back(record.text(name));
  return texts;
}

std::vector<Fd> One(Fd fd) {
  std::vector<Fd> fds;
  fds.push_back(std::move(fd));
  return fds;
}

}  // namespace

bool Link::Has(Right right) const {
  switch (right) {
    case Right::kNone: return true;
    case Right::kLook: return owner || look;
    case Right::kWire: return owner || wire;
    case Right::kOwner: return owner;
  }
  return false;
}

Fields Refusal(const Failure& failure, const std::vector<Step>& steps) {
  Record values;
  values.SetText("step", failure.step)
      .SetText("syscall", failure.syscall)
      .SetNumber("error", static_cast<uint64_t>(failure.error))
      .SetText("why", failure.why)
      .SetList("steps", StepRecords(steps));
  return EncodeReply("ERR", RefusalForm(), values);
}

Host::Handler Host::HandlerOf(std::string_view name) {
  static const std::map<std::string_view, Handler> handlers = {
      {"protocol", &Host::Table},
      {"open", &Host::Open},
      {"describe", &Host::Describe},
      {"tcpSockets", &Host::TcpSockets},
      {"diagSockets", &Host::DiagSockets},
      {"packetSockets", &Host::PacketSockets},
      {"readFile", &Host::ReadFile},
      {"editFile", &Host::EditFile},
      {"spawn", &Host::Spawn},
      {"kill", &Host::Kill},
      {"guest", &Host::Guest},
  };
  return handlers.at(name);
}

void Host::Answer(const Link& from, const Fields& message) {
  const RequestForm* form = FindRequest(message[0]);
  if (form == nullptr) throw Failure{"request", "request", ENOSYS, "There is no such request."};
  const std::string name(form->name);
  if (!from.Has(form->right)) throw Failure{name, "request", EPERM, "The caller has not the right to " + name + "."};
  const Record request = DecodeRequest(*form, message);
  // Before `open` this process is in the network namespace of its owner: it gives out nothing from there.
  if (!spaces_ && name != "open" && name != "protocol")
    throw Failure{name, "request", ENOTCONN, "The Lab is not open yet."};
  link_ = from;
  form_ = form;
  (this->*HandlerOf(form->name))(request);
}

bool Host::Reply(const Record& values, const std::vector<Fd>& descriptors) {
  return SendReply(link_.fd, EncodeReply("OK", form_->reply, values), descriptors);
}

void Host::Table(const Record&) { Reply(Record().SetText("table", DescribeProtocol())); }

void Host::Open(const Record& request) {
  if (spaces_) throw Failure{"open", "request", EALREADY, "The Lab is open already."};
  try {
    spaces_ = MakeNetwork(static_cast<unsigned>(request.number("hashBuckets")), request.flag("wire"), steps_);
  } catch (const Failure& failure) {
    SendReply(link_.fd, Refusal(failure, steps_));
    return;
  }
  Describe(request);
}

const Namespaces& Host::Network() const {
  if (!spaces_) throw Failure{"request", "request", ENOTCONN, "The Lab is not open yet."};
  return *spaces_;
}

void Host::Describe(const Record&) {
  const Namespaces& network = Network();
  Record lab;
  lab.SetText("address", network.nearAddress)
      .SetText("nearHardware", network.nearHardware)
      .SetText("farHardware", network.farHardware)
      .SetNumber("farIndex", static_cast<uint64_t>(network.farIndex))
      .SetNumber("ownHash", network.ownHash ? 1 : 0)
      .SetList("steps", StepRecords(steps_));
  Reply(lab);
}

void Host::TcpSockets(const Record& request) { ReplyWithSockets(request, &Host::TcpSocket); }
void Host::DiagSockets(const Record& request) { ReplyWithSockets(request, &Host::DiagSocket); }
void Host::PacketSockets(const Record& request) { ReplyWithSockets(request, &Host::PacketSocket); }

void Host::ReplyWithSockets(const Record& request, Fd (Host::*make)()) {
  std::vector<Fd> made;
  while (made.size() < request.number("count")) made.push_back((this->*make)());
  Reply({}, made);
}

Fd Host::TcpSocket() {
  Fd made(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  if (!made) Fail("socket", "socket");
  return made;
}

Fd Host::DiagSocket() {
  Fd made(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (!made) Fail("socket", "socket");
  return made;
}

// Made in the far namespace and bound to the far end of the link.
Fd Host::PacketSocket() {
  const Namespaces& network = Network();
  if (network.farIndex == 0) throw Failure{"wire", "socket", ENODEV};
  if (setns(network.far.get(), CLONE_NEWNET) < 0) Fail("socket", "setns");
  Fd made(socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  int error = errno;
  if (setns(network.near.get(), CLONE_NEWNET) < 0) std::abort();  // never answer from the wrong namespace
  if (!made) Fail("socket", "socket", error);
  sockaddr_ll place{};
  place.sll_family = AF_PACKET;
  place.sll_protocol = htons(ETH_P_IP);
  place.sll_ifindex = network.farIndex;
  if (bind(made.get(), reinterpret_cast<sockaddr*>(&place), sizeof place) < 0) Fail("socket", "bind");
  return made;
}

void Host::ReadFile(const Record& request) { ReplyWithFile(request, O_RDONLY); }
void Host::EditFile(const Record& request) { ReplyWithFile(request, O_RDWR); }

// Only the files of the Lab's network: those of the machine do not belong to the Lab.
void Host::ReplyWithFile(const Record& request, int mode) {
  const std::string& path = request.text("path");
  const bool ours = path.starts_with("/proc/net/") || path.starts_with("/proc/sys/net/");
  if (!ours || path.find("..") != std::string::npos) throw Failure{"file", "open", EACCES};
  Fd file(open(path.c_str(), mode | O_CLOEXEC));
  if (!file) Fail("file", "open");
  Reply({}, One(std::move(file)));
}

void Host::Spawn(const Record& request) {
  Command command;
  command.directory = request.text("directory");
  for (const Record& limit : request.list("limits"))
    command.limits.push_back({static_cast<int>(limit.number("resource")), limit.number("value")});
  command.arguments = Texts(request.list("arguments"), "word");
  command.environment = Texts(request.list("environment"), "variable");
  if (command.arguments.empty()) throw Failure{"spawn", "request", EINVAL, "spawn: it names no program"};
  Started started = children_.Start(command);
  std::vector<Fd> ends;
  ends.push_back(std::move(started.input));
  ends.push_back(std::move(started.output));
  ends.push_back(std::move(started.error));
  ends.push_back(std::move(started.status));
  Record program;
  program.SetNumber("id", static_cast<uint64_t>(started.id)).SetNumber("pid", static_cast<uint64_t>(started.pid));
  // Without the reply the owner could neither speak to the program nor end it.
  if (!Reply(program, ends)) children_.Signal(started.id, SIGKILL);
}

void Host::Kill(const Record& request) {
  children_.Signal(static_cast<int>(request.number("id")), static_cast<int>(request.number("signal")));
  Reply();
}

void Host::Guest(const Record& request) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) Fail("guest", "socketpair");
  Fd ours(ends[0]);
  const Link link{ours.get(), false, request.flag("look"), request.flag("wire")};
  guests_.push_back({std::move(ours), link});
  Reply({}, One(Fd(ends[1])));
}

}  // namespace one_listener
