// Described struct -> JSON text, straight into a string: no tree in between.
//
// What can be written: bool, integers, double, string, every text type of base/ (anything with text()), enums described with
// BOOST_DESCRIBE_ENUM, optional (absent = null), vector, map with string keys, boost::json values, and structs described with
// BOOST_DESCRIBE_STRUCT. A type with its own form specialises JsonForm.
#pragma once

#include <charconv>
#include <concepts>
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <boost/describe.hpp>
#include <boost/json.hpp>
#include <boost/mp11/algorithm.hpp>

namespace shop::codec {

namespace json = boost::json;

// Specialised by types whose JSON is neither a string nor an object: see Price and Rate in codec/forms.hpp.
//   static void write(std::string& out, const T&);
//   static std::optional<std::string> read(const json::value& in, T& out);   // the fault in words
//   static json::object schema();
template <class T>
struct JsonForm;

template <class T>
concept HasForm = requires(std::string& out, const T& value) { JsonForm<T>::write(out, value); };

// A string type with a rule: parse(), text().
template <class T>
concept TextLike = requires(const T& value, std::string_view text) {
  { T::parse(text)->text() } -> std::convertible_to<std::string>;
  { T::parse(text).error() } -> std::convertible_to<std::string>;
};

template <class T>
concept Described = boost::describe::has_describe_members<T>::value;

template <class T>
concept DescribedEnum = boost::describe::has_describe_enumerators<T>::value;

template <class T>
using Members =
    boost::describe::describe_members<T, boost::describe::mod_public | boost::describe::mod_inherited>;

void write_string(std::string& out, std::string_view text);

// A member name that C++ does not allow as such carries a trailing underscore: `operator_` is "operator".
constexpr std::string_view wire_name(std::string_view member) {
  return member.ends_with('_') ? member.substr(0, member.size() - 1) : member;
}

// A member that is left out when it has no value, where the wire knows absent from null.
template <class T>
struct LeftOut {
  std::optional<T> value;
};

template <class T>
struct IsLeftOut : std::false_type {};
template <class T>
struct IsLeftOut<LeftOut<T>> : std::true_type {};

// "" stands for absent, as the empty fields of a form do: MayBeBlank<Url>. Used where clients send whole forms.
template <class T>
struct MayBeBlank {
  std::optional<T> value;

  MayBeBlank() = default;
  MayBeBlank(T given) : value(std::move(given)) {}

  static std::expected<MayBeBlank, std::string> parse(std::string_view text) {
    if (text.empty()) return MayBeBlank();
    auto parsed = T::parse(text);
    if (!parsed) return std::unexpected(std::move(parsed).error());
    return MayBeBlank(*std::move(parsed));
  }
  std::string text() const { return value ? std::string(value->text()) : std::string(); }
};

template <class T>
struct IsMayBeBlank : std::false_type {};
template <class T>
struct IsMayBeBlank<MayBeBlank<T>> : std::true_type {};

template <class T>
std::optional<T> given(const std::optional<MayBeBlank<T>>& member) {
  return member ? member->value : std::nullopt;
}

// A member of an update: absent (leave it), null (clear it) or a value.
template <class T>
struct Patch {
  bool present = false;
  std::optional<T> value;
};

template <class T>
struct IsPatch : std::false_type {};
template <class T>
struct IsPatch<Patch<T>> : std::true_type {};

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};

template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};

template <class T>
struct IsMap : std::false_type {};
template <class T>
struct IsMap<std::map<std::string, T>> : std::true_type {};

template <class E>
  requires DescribedEnum<E>
std::string_view enum_text(E value) {
  return boost::describe::enum_to_string(value, "");
}

template <class E>
  requires DescribedEnum<E>
std::optional<E> enum_named(std::string_view name) {
  std::optional<E> found;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<E>>([&](auto each) {
    if (name == each.name) found = each.value;
  });
  return found;
}

template <class T>
void write_json(std::string& out, const T& value) {
  if constexpr (HasForm<T>) {
    JsonForm<T>::write(out, value);
  } else if constexpr (std::same_as<T, bool>) {
    out += value ? "true" : "false";
  } else if constexpr (std::integral<T> || std::floating_point<T>) {
    char buffer[32];
    out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
  } else if constexpr (std::convertible_to<const T&, std::string_view>) {
    write_string(out, value);
  } else if constexpr (DescribedEnum<T>) {
    write_string(out, enum_text(value));
  } else if constexpr (IsOptional<T>::value) {
    if (value) write_json(out, *value);
    else out += "null";
  } else if constexpr (IsVector<T>::value) {
    out += '[';
    for (bool first = true; const auto& element : value) {
      if (!std::exchange(first, false)) out += ',';
      write_json(out, element);
    }
    out += ']';
  } else if constexpr (IsMap<T>::value) {
    out += '{';
    for (bool first = true; const auto& [key, element] : value) {
      if (!std::exchange(first, false)) out += ',';
      write_string(out, key);
      out += ':';
      write_json(out, element);
    }
    out += '}';
  } else if constexpr (TextLike<T>) {
    write_string(out, value.text());
  } else if constexpr (std::same_as<T, json::value> || std::same_as<T, json::object> || std::same_as<T, json::array>) {
    out += json::serialize(value);
  } else {
    static_assert(Described<T>, "describe the struct with BOOST_DESCRIBE_STRUCT");
    out += '{';
    bool first = true;
    boost::mp11::mp_for_each<Members<T>>([&](auto member) {
      using Member = std::remove_cvref_t<decltype(value.*member.pointer)>;
      if constexpr (IsLeftOut<Member>::value) {
        if (!(value.*member.pointer).value) return;
      } else if constexpr (IsPatch<Member>::value) {
        if (!(value.*member.pointer).present) return;
      }
      if (!std::exchange(first, false)) out += ',';
      out += '"';
      out += wire_name(member.name);
      out += "\":";
      if constexpr (IsLeftOut<Member>::value || IsPatch<Member>::value) write_json(out, (value.*member.pointer).value);
      else write_json(out, value.*member.pointer);
    });
    out += '}';
  }
}

template <class T>
std::string to_json(const T& value) {
  std::string out;
  write_json(out, value);
  return out;
}

}  // namespace shop::codec
