// Described struct <-> SQL row, members in the order of the columns; and any value -> statement parameter.
#pragma once

#include "base/sql.hpp"
#include "base/time.hpp"
#include "codec/forms.hpp"

namespace shop::codec {

template <class T>
Value to_value(const T& value) {
  if constexpr (std::same_as<T, bool>) {
    return value;
  } else if constexpr (std::integral<T>) {
    return static_cast<std::int64_t>(value);
  } else if constexpr (std::convertible_to<const T&, std::string_view>) {
    return std::string(std::string_view(value));
  } else if constexpr (IsOptional<T>::value) {
    return value ? to_value(*value) : Value();
  } else if constexpr (std::same_as<T, Instant>) {
    return value.ms;
  } else if constexpr (std::same_as<T, Price>) {
    return value.minor;
  } else if constexpr (std::same_as<T, Rate>) {
    return value.micros;
  } else if constexpr (DescribedEnum<T>) {
    return std::string(enum_text(value));
  } else if constexpr (std::convertible_to<const T&, std::int64_t>) {
    return static_cast<std::int64_t>(value);
  } else if constexpr (TextLike<T>) {
    return std::string(value.text());
  } else {
    return to_json(value);  // texts, attributes, addresses: JSON in a text column
  }
}

template <class... Args>
Params params_of(const Args&... args) {
  Params params;
  params.reserve(sizeof...(args));
  (params.push_back(to_value(args)), ...);
  return params;
}

// Code::internal when the column holds what the type cannot be: the schema and the struct have parted.
template <class T>
Result<void> from_cell(const Value& cell, T& out) {
  const auto mismatch = [] { return fail(Code::internal, "Stored data could not be read.", "BAD_ROW"); };
  if constexpr (IsOptional<T>::value) {
    if (std::holds_alternative<std::monostate>(cell)) return {};
    return from_cell(cell, out.emplace());
  } else if constexpr (std::same_as<T, bool>) {
    if (const auto* b = std::get_if<bool>(&cell)) out = *b;
    else if (const auto* i = std::get_if<std::int64_t>(&cell)) out = *i != 0;
    else return mismatch();
  } else if constexpr (std::same_as<T, Instant> || std::same_as<T, Price> || std::same_as<T, Rate> || std::integral<T>) {
    const auto* i = std::get_if<std::int64_t>(&cell);
    if (!i) return mismatch();
    if constexpr (std::same_as<T, Instant>) out.ms = *i;
    else if constexpr (std::same_as<T, Price>) out.minor = *i;
    else if constexpr (std::same_as<T, Rate>) out.micros = *i;
    else out = static_cast<T>(*i);
  } else {
    const auto* text = std::get_if<std::string>(&cell);
    if (!text) return mismatch();
    if constexpr (std::same_as<T, std::string>) {
      out = *text;
    } else if constexpr (DescribedEnum<T>) {
      auto value = enum_named<T>(*text);
      if (!value) return mismatch();
      out = *value;
    } else if constexpr (TextLike<T>) {
      auto parsed = T::parse(*text);
      if (!parsed) return mismatch();
      out = std::move(*parsed);
    } else {
      auto parsed = from_json<T>(*text);
      if (!parsed) return mismatch();
      out = std::move(*parsed);
    }
  }
  return {};
}

template <class T>
Result<T> from_row(std::span<const Value> row) {
  T out{};
  if constexpr (Described<T> && !HasForm<T>) {
    std::size_t column = 0;
    Result<void> outcome;
    boost::mp11::mp_for_each<Members<T>>([&](auto member) {
      if (outcome && column < row.size()) outcome = from_cell(row[column], out.*member.pointer);
      ++column;
    });
    if (outcome && column != row.size()) outcome = fail(Code::internal, "Stored data could not be read.", "BAD_ROW");
    if (!outcome) return Failure(outcome.error());
  } else {
    CHECK(from_cell(row[0], out));
  }
  return out;
}

template <class T>
Result<std::vector<T>> from_rows(const Rows& rows) {
  std::vector<T> out;
  out.reserve(rows.count());
  for (std::size_t i = 0; i < rows.count(); ++i) {
    TRY(out.emplace_back(), from_row<T>(rows.row(i)));
  }
  return out;
}

}  // namespace shop::codec
