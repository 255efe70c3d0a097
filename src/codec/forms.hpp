// JSON forms of the types that are not plain strings, integers or objects.
#pragma once

#include <limits>

#include "base/id.hpp"
#include "base/money.hpp"
#include "base/permission.hpp"
#include "base/text.hpp"
#include "base/time.hpp"
#include "codec/json_reader.hpp"

namespace shop::codec {

// In requests a decimal may come as number or string; answers carry the string (contract, "Money and rates").
template <class T>
struct DecimalForm {
  static void write(std::string& out, const T& value) { write_string(out, value.text()); }
  static std::optional<std::string> read(const json::value& in, T& out) {
    const auto* s = in.if_string();
    auto parsed = T::parse(s ? std::string(*s) : text_of_number(in));
    if (!parsed) return parsed.error();
    out = *parsed;
    return std::nullopt;
  }
  static json::object schema() {
    return {{"anyOf", {{{"type", "string"}, {"pattern", T::schema_pattern}}, {{"type", "number"}, {"minimum", 0}}}}};
  }
};

template <>
struct JsonForm<Price> : DecimalForm<Price> {};
template <>
struct JsonForm<Rate> : DecimalForm<Rate> {};

template <>
struct JsonForm<Money> {
  static void write(std::string& out, const Money& value) { write_string(out, value.text()); }
  static json::object schema() { return {{"type", "string"}, {"pattern", R"(^-?\d+(\.\d{1,2})?$)"}}; }
};

// A decimal as a JSON number.
struct NumberPrice {
  Money money;
};
template <>
struct JsonForm<NumberPrice> {
  static void write(std::string& out, const NumberPrice& value) { out += value.money.text(); }
  static json::object schema() { return {{"type", "number"}}; }
};

// A whole number within bounds, e.g. Bounded<1, 1000> for a quantity.
template <std::int64_t Min, std::int64_t Max>
struct Bounded {
  std::int64_t value = Min;

  operator std::int64_t() const { return value; }
};
template <std::int64_t Min, std::int64_t Max>
struct JsonForm<Bounded<Min, Max>> {
  static void write(std::string& out, const Bounded<Min, Max>& b) { write_json(out, b.value); }
  static std::optional<std::string> read(const json::value& in, Bounded<Min, Max>& out) {
    json::error_code error;
    if (in.is_number()) out.value = in.to_number<std::int64_t>(error);
    if (!in.is_number() || error || out.value < Min || out.value > Max) {
      return fmt::format("must be a whole number from {} to {}", Min, Max);
    }
    return std::nullopt;
  }
  static json::object schema() { return {{"type", "integer"}, {"minimum", Min}, {"maximum", Max}}; }
};

// Texts in a request: at least one language, keys of two lower-case letters, each text within Max code points.
template <std::size_t Max>
struct LocalText {
  Texts texts;
};
std::optional<std::string> read_texts(const json::value& in, std::size_t max, bool may_be_none, Texts& out);

template <std::size_t Max>
struct JsonForm<LocalText<Max>> {
  static void write(std::string& out, const LocalText<Max>& value) { write_json(out, value.texts); }
  static std::optional<std::string> read(const json::value& in, LocalText<Max>& out) {
    return read_texts(in, Max, false, out.texts);
  }
  static json::object schema() {
    return {{"type", "object"},
            {"minProperties", 1},
            {"propertyNames", {{"pattern", "^[a-z]{2}$"}}},
            {"additionalProperties", {{"type", {"string", "null"}}, {"maxLength", Max}}},
            {"example", {{"en", "Lamp"}, {"fr", "Lampe"}}}};
  }
};

// The same, and no text at all is fine too: {}, or a form whose fields are empty.
template <std::size_t Max>
struct LocalTextOrNone {
  Texts texts;
};

template <std::size_t Max>
struct JsonForm<LocalTextOrNone<Max>> {
  static void write(std::string& out, const LocalTextOrNone<Max>& value) { write_json(out, value.texts); }
  static std::optional<std::string> read(const json::value& in, LocalTextOrNone<Max>& out) {
    return read_texts(in, Max, true, out.texts);
  }
  static json::object schema() {
    return {{"type", "object"},
            {"propertyNames", {{"pattern", "^[a-z]{2}$"}}},
            {"additionalProperties", {{"type", {"string", "null"}}, {"maxLength", Max}}},
            {"example", {{"en", "Lamp"}, {"fr", "Lampe"}}}};
  }
};

}  // namespace shop::codec
