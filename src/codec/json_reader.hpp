// JSON text -> described struct, naming every fault with its path: "items[1].sku must be a string".
//
// A member is required unless it is optional<T>. null stands for absent. Members that the struct does not know are ignored
// (contract, section 1). Patch<T> keeps absent and null apart. Limits: nesting depth 32, 100 faults named.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "codec/json_writer.hpp"

namespace shop {
BOOST_DESCRIBE_STRUCT(Fault, (), (path, message))
}

namespace shop::codec {

// Collects faults while a reader walks; `path` is where it stands.
class Faults {
 public:
  void add(std::string message);
  void add_at(std::string path, std::string message);
  bool none() const { return list_.empty(); }
  bool names(std::string_view path) const;  // is there one of exactly this path?
  std::vector<Fault> take() { return std::move(list_); }

  // Appends ".name" or "[index]" for as long as it lives.
  class Step {
   public:
    Step(Faults& faults, std::string_view name);
    Step(Faults& faults, std::size_t index);
    ~Step();
    Step(const Step&) = delete;

   private:
    Faults& faults_;
    std::size_t size_;
  };

 private:
  static constexpr std::size_t limit = 100;
  std::string path_;
  std::vector<Fault> list_;
};

// Code::invalid when it is not JSON, deeper than 32, or holds a number that no double can hold (RFC 8259, section 6).
Result<json::value> parse_json(std::string_view text);

// One Error for all faults: "name is missing; items[0].quantity must be …".
Error faulty(std::vector<Fault> faults);

std::string text_of_number(const json::value& number);  // shortest decimal; empty when not a number

template <class T>
void read_value(const json::value& in, T& out, Faults& faults);

template <class T>
void read_object(const json::object& in, T& out, Faults& faults) {
  boost::mp11::mp_for_each<Members<T>>([&](auto member) {
    using Member = std::remove_cvref_t<decltype(out.*member.pointer)>;
    const Faults::Step step(faults, wire_name(member.name));
    const auto* value = in.if_contains(wire_name(member.name));
    if constexpr (IsLeftOut<Member>::value) {
      if (value && !value->is_null()) read_value(*value, (out.*member.pointer).value.emplace(), faults);
    } else if constexpr (IsPatch<Member>::value) {
      auto& patch = out.*member.pointer;
      patch.present = value != nullptr;
      if (value && !value->is_null()) read_value(*value, patch.value.emplace(), faults);
    } else if constexpr (IsOptional<Member>::value) {
      if (value) read_value(*value, out.*member.pointer, faults);
    } else if (!value || value->is_null()) {
      if constexpr (!std::same_as<Member, json::value>) faults.add("is missing");
    } else {
      read_value(*value, out.*member.pointer, faults);
    }
  });
}

template <class T>
void read_value(const json::value& in, T& out, Faults& faults) {
  if constexpr (HasForm<T>) {
    if (auto fault = JsonForm<T>::read(in, out)) faults.add(std::move(*fault));
  } else if constexpr (IsOptional<T>::value) {
    if (!in.is_null()) read_value(in, out.emplace(), faults);
  } else if constexpr (std::same_as<T, bool>) {
    if (const auto* b = in.if_bool()) out = *b;
    else faults.add("must be true or false");
  } else if constexpr (std::integral<T>) {
    json::error_code error;
    out = in.to_number<T>(error);  // accepts 3.0, refuses 3.5 and what does not fit
    if (error) faults.add("must be a whole number");
  } else if constexpr (std::floating_point<T>) {
    json::error_code error;
    out = in.to_number<T>(error);
    if (error) faults.add("must be a number");
  } else if constexpr (std::same_as<T, std::string>) {
    if (const auto* s = in.if_string()) out.assign(s->data(), s->size());
    else faults.add("must be a string");
  } else if constexpr (DescribedEnum<T>) {
    const auto* s = in.if_string();
    if (auto value = s ? enum_named<T>(std::string_view(*s)) : std::nullopt) {
      out = *value;
    } else {
      std::string names;
      boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>([&](auto e) { (names += ' ') += e.name; });
      faults.add("must be one of" + names);
    }
  } else if constexpr (IsVector<T>::value) {
    const auto* array = in.if_array();
    if (!array) return faults.add("must be an array");
    out.reserve(array->size());
    for (std::size_t i = 0; i < array->size(); ++i) {
      const Faults::Step step(faults, i);
      read_value((*array)[i], out.emplace_back(), faults);
    }
  } else if constexpr (IsMap<T>::value) {
    const auto* object = in.if_object();
    if (!object) return faults.add("must be an object");
    for (const auto& [key, value] : *object) {
      const Faults::Step step(faults, std::string_view(key));
      read_value(value, out[std::string(key)], faults);
    }
  } else if constexpr (TextLike<T>) {
    const auto* s = in.if_string();
    if (!s) return faults.add("must be a string");
    auto parsed = T::parse(std::string_view(*s));
    if (parsed) out = std::move(*parsed);
    else faults.add(parsed.error());
  } else if constexpr (std::same_as<T, json::value>) {
    out = in;
  } else if constexpr (std::same_as<T, json::object>) {
    if (const auto* object = in.if_object()) out = *object;
    else faults.add("must be an object");
  } else {
    static_assert(Described<T>, "describe the struct with BOOST_DESCRIBE_STRUCT");
    const auto* object = in.if_object();
    if (!object) return faults.add("must be an object");
    read_object(*object, out, faults);
  }
}

template <class T>
Result<T> from_value(const json::value& in) {
  T out{};
  Faults faults;
  read_value(in, out, faults);
  if (!faults.none()) return fail(faulty(faults.take()));
  return out;
}

template <class T>
Result<T> from_json(std::string_view text) {
  TRY(const json::value parsed, parse_json(text));
  return from_value<T>(parsed);
}

}  // namespace shop::codec
