#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fields.h"

// The table of all requests that the lab host answers: who may make each, what it carries, and what its reply carries.
// A request that is not in the table is refused, and so is one that does not match it. src/lab/protocol.ts holds the
// same table; test/lab/protocol.test.ts compares the two through the request `protocol`.
//
// A message is the name of the request (in a reply: OK or ERR), and then the values in the order of the table. A list
// is the number of its records, and then the values of each.
namespace one_listener {

enum class Kind {
  kText,    // at most `most` bytes
  kNumber,  // decimal, from 0 to `most`
  kFlag,    // 0 or 1
  kList,    // at most `most` records
};

struct Field {
  std::string_view name;
  Kind kind;
  uint64_t most;
  std::vector<Field> of;  // the fields of a list's records

  Field(std::string_view name, Kind kind, uint64_t most, std::vector<Field> of = {})
      : name(name), kind(kind), most(most), of(std::move(of)) {}
};

// What the caller must have been given. The owner of the Lab has every right; a guest has those of its `guest` request.
enum class Right { kNone, kLook, kWire, kOwner };

struct RequestForm {
  std::string_view name;
  Right right;
  std::vector<Field> fields;
  std::vector<Field> reply;
  std::string_view descriptors;  // how many come beside the reply: a number, or the name of the field that says it
};

const std::vector<RequestForm>& Protocol();

// The reply to a request that was not carried out.
const std::vector<Field>& RefusalForm();

// nullptr: there is no such request
const RequestForm* FindRequest(std::string_view name);

// The values of a message by the names of the table. Asking for a name that the table does not have, or that has not
// been set, throws std::out_of_range: a fault of this program.
class Record {
 public:
  const std::string& text(std::string_view name) const { return texts_.at(std::string(name)); }
  uint64_t number(std::string_view name) const { return numbers_.at(std::string(name)); }
  bool flag(std::string_view name) const { return number(name) == 1; }
  const std::vector<Record>& list(std::string_view name) const { return lists_.at(std::string(name)); }

  Record& SetText(std::string_view name, std::string value);
  Record& SetNumber(std::string_view name, uint64_t value);
  Record& SetList(std::string_view name, std::vector<Record> value);

 private:
  std::map<std::string, std::string> texts_;
  std::map<std::string, uint64_t> numbers_;
  std::map<std::string, std::vector<Record>> lists_;
};

// Reads the values of a request. Throws Failure EINVAL, which says what is missing, superfluous or out of range.
Record DecodeRequest(const RequestForm& form, const Fields& message);

// OK or ERR, and the values.
Fields EncodeReply(std::string_view outcome, const std::vector<Field>& form, const Record& values);

// The whole table as text, a line for each request.
std::string DescribeProtocol();

}  // namespace one_listener
