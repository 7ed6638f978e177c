#pragma once
#include <napi.h>

#include <iterator>

namespace one_listener {

// A typed array with one element for each row: what `of(row)` says of it. `rows` is any range that knows its size.
template <typename Array, typename Rows, typename Of>
Array Column(Napi::Env env, Rows& rows, Of of) {
  Array column = Array::New(env, std::size(rows));
  auto* element = column.Data();
  for (auto& row : rows) *element++ = of(row);
  return column;
}

// The same as property `name` of `table`.
template <typename Array, typename Rows, typename Of>
void SetColumn(Napi::Object table, const char* name, Rows& rows, Of of) {
  table.Set(name, Column<Array>(table.Env(), rows, of));
}

}  // namespace one_listener
