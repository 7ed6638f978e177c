#include "host/protocol.h"

#include <algorithm>
#include <charconv>

#include "host/failure.h"

namespace one_listener {
namespace {

constexpr uint64_t kMostSockets = 250;         // SCM_MAX_FD is 253
constexpr uint64_t kLongestPath = 4096;        // PATH_MAX
constexpr uint64_t kLongestWord = 128 * 1024;  // MAX_ARG_STRLEN: one argument or variable of execve(2)
constexpr uint64_t kMostWords = 65'536;
constexpr uint64_t kLargestId = INT32_MAX;
constexpr uint64_t kLargestNumber = (uint64_t{1} << 53) - 1;  // JavaScript's largest safe integer

Field Text(std::string_view name, uint64_t most) { return {name, Kind::kText, most}; }
Field Number(std::string_view name, uint64_t most) { return {name, Kind::kNumber, most}; }
Field Flag(std::string_view name) { return {name, Kind::kFlag, 1}; }
Field List(std::string_view name, uint64_t most, std::vector<Field> of) {
  return {name, Kind::kList, most, std::move(of)};
}

Field Steps() { return List("steps", 32, {Text("name", 64), Text("syscall", 64), Number("error", 4095)}); }

// How the Lab was made, for those who open it and those who join it.
std::vector<Field> TheLab() {
  return {Text("address", 64), Text("nearHardware", 64), Text("farHardware", 64), Number("farIndex", kLargestId),
      Flag("ownHash"), Steps()};
}

std::vector<RequestForm> MakeProtocol() {
  return {
      // The table itself.
      {"protocol", Right::kNone, {}, {Text("table", 16'384)}, "0"},
      // Makes the Lab's network; once. hashBuckets 0: the machine's own established-hash.
      {"open", Right::kOwner, {Number("hashBuckets", 1 << 24), Flag("wire")}, TheLab(), "0"},
      // What the Lab is: for guests, who did not open it.
      {"describe", Right::kNone, {}, TheLab(), "0"},
      // Sockets: IPv4 TCP, NETLINK_SOCK_DIAG, AF_PACKET on the far end of the link.
      {"tcpSockets", Right::kNone, {Number("count", kMostSockets)}, {}, "count"},
      {"diagSockets", Right::kLook, {Number("count", kMostSockets)}, {}, "count"},
      {"packetSockets", Right::kWire, {Number("count", kMostSockets)}, {}, "count"},
      // A file under /proc/net or /proc/sys/net, for reading, or for reading and writing.
      {"readFile", Right::kLook, {Text("path", kLongestPath)}, {}, "1"},
      {"editFile", Right::kOwner, {Text("path", kLongestPath)}, {}, "1"},
      // A program. Its descriptors: stdin, stdout, stderr, and the status, a line at its end.
      {"spawn", Right::kOwner,
          {Text("directory", kLongestPath),
              List("limits", 16, {Number("resource", 15), Number("value", kLargestNumber)}),
              List("arguments", kMostWords, {Text("word", kLongestWord)}),
              List("environment", kMostWords, {Text("variable", kLongestWord)})},
          {Number("id", kLargestId), Number("pid", kLargestId)}, "4"},
      // Signals a program that spawn has started, and its process group.
      {"kill", Right::kOwner, {Number("id", kLargestId), Number("signal", 64)}, {}, "0"},
      // A link like the caller's, for a guest with these rights.
      {"guest", Right::kOwner, {Flag("look"), Flag("wire")}, {}, "1"},
  };
}

std::string Joined(const std::vector<Field>& fields);

std::string Described(const Field& field) {
  std::string text(field.name);
  switch (field.kind) {
    case Kind::kText: return text + " text " + std::to_string(field.most);
    case Kind::kNumber: return text + " number " + std::to_string(field.most);
    case Kind::kFlag: return text + " flag";
    case Kind::kList: return text + " list " + std::to_string(field.most) + " (" + Joined(field.of) + ")";
  }
  return text;
}

std::string Joined(const std::vector<Field>& fields) {
  std::string text;
  for (const Field& field : fields) text += (text.empty() ? "" : ", ") + Described(field);
  return text;
}

std::string_view Name(Right right) {
  switch (right) {
    case Right::kNone: return "none";
    case Right::kLook: return "look";
    case Right::kWire: return "wire";
    case Right::kOwner: return "owner";
  }
  return "owner";
}

// Takes a message apart, value by value.
class Reader {
 public:
  Reader(const RequestForm& form, const Fields& message) : form_(form), message_(message) {}

  Record Read() {
    Record values = ReadRecord(form_.fields);
    if (at_ < message_.size()) Refuse("it has values that the protocol does not know");
    return values;
  }

 private:
  [[noreturn]] void Refuse(const std::string& why) const {
    throw Failure{std::string(form_.name), "request", EINVAL, std::string(form_.name) + ": " + why};
  }

  [[noreturn]] void RefuseField(const Field& field, const std::string& why) const {
    Refuse(std::string(field.name) + " " + why);
  }

  const std::string& Next(const Field& field) {
    if (at_ >= message_.size()) RefuseField(field, "is missing");
    return message_[at_++];
  }

  uint64_t NextNumber(const Field& field, uint64_t most) {
    const std::string& text = Next(field);
    uint64_t value = 0;
    const char* end = text.data() + text.size();
    auto [stop, error] = std::from_chars(text.data(), end, value);
    if (text.empty() || stop != end || error != std::errc()) RefuseField(field, "is not a number");
    if (value > most) RefuseField(field, "is more than " + std::to_string(most));
    return value;
  }

  Record ReadRecord(const std::vector<Field>& fields) {
    Record values;
    for (const Field& field : fields) {
      switch (field.kind) {
        case Kind::kText: {
          const std::string& text = Next(field);
          if (text.size() > field.most) RefuseField(field, "is longer than " + std::to_string(field.most) + " bytes");
          values.SetText(field.name, text);
          break;
        }
        case Kind::kNumber:
        case Kind::kFlag: values.SetNumber(field.name, NextNumber(field, field.most)); break;
        case Kind::kList: {
          std::vector<Record> records;
          for (uint64_t left = NextNumber(field, field.most); left > 0; --left) records.push_back(ReadRecord(field.of));
          values.SetList(field.name, std::move(records));
          break;
        }
      }
    }
    return values;
  }

  const RequestForm& form_;
  const Fields& message_;
  size_t at_ = 1;  // behind the name
};

void Append(Fields& message, const std::vector<Field>& fields, const Record& values) {
  for (const Field& field : fields) {
    switch (field.kind) {
      case Kind::kText: message.push_back(values.text(field.name)); break;
      case Kind::kNumber:
      case Kind::kFlag: message.push_back(std::to_string(values.number(field.name))); break;
      case Kind::kList: {
        const std::vector<Record>& records = values.list(field.name);
        message.push_back(std::to_string(records.size()));
        for (const Record& record : records) Append(message, field.of, record);
        break;
      }
    }
  }
}

}  // namespace

const std::vector<RequestForm>& Protocol() {
  static const std::vector<RequestForm> table = MakeProtocol();
  return table;
}

const std::vector<Field>& RefusalForm() {
  static const std::vector<Field> form = {
      Text("step", 64), Text("syscall", 64), Number("error", 4095), Text("why", 1024), Steps()};
  return form;
}

const RequestForm* FindRequest(std::string_view name) {
  for (const RequestForm& form : Protocol())
    if (form.name == name) return &form;
  return nullptr;
}

Record& Record::SetText(std::string_view name, std::string value) {
  texts_.insert_or_assign(std::string(name), std::move(value));
  return *this;
}

Record& Record::SetNumber(std::string_view name, uint64_t value) {
  numbers_.insert_or_assign(std::string(name), value);
  return *this;
}

Record& Record::SetList(std::string_view name, std::vector<Record> value) {
  lists_.insert_or_assign(std::string(name), std::move(value));
  return *this;
}

Record DecodeRequest(const RequestForm& form, const Fields& message) { return Reader(form, message).Read(); }

Fields EncodeReply(std::string_view outcome, const std::vector<Field>& form, const Record& values) {
  Fields message{std::string(outcome)};
  Append(message, form, values);
  return message;
}

std::string DescribeProtocol() {
  std::string text;
  for (const RequestForm& form : Protocol()) {
    text += std::string(form.name) + " [" + std::string(Name(form.right)) + "] (" + Joined(form.fields) + ") -> (" +
        Joined(form.reply) + ") + " + std::string(form.descriptors) + "\n";
  }
  return text + "refusal (" + Joined(RefusalForm()) + ")";
}

}  // namespace one_listener
