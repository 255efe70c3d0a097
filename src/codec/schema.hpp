// Described struct -> JSON Schema 2020-12, as OpenAPI 3.1 uses it. Structs become named components.
#pragma once

#include <array>

#include "codec/forms.hpp"

namespace shop::codec {

enum class Direction { request, response };  // in answers every member is present, absent ones as null

// "order.Order" of shop::order::Order: services may use the same names.
template <class T>
std::string component_name() {
  constexpr std::string_view pretty = __PRETTY_FUNCTION__;
  constexpr auto from = pretty.find("T = ") + 4;
  std::string_view name = pretty.substr(from, pretty.size() - from - 1);
  if (name.starts_with("shop::")) name.remove_prefix(6);
  std::string component;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool colons = name.substr(i).starts_with("::");
    component += colons ? '.' : std::isalnum(static_cast<unsigned char>(name[i])) ? name[i] : '_';
    if (colons) ++i;
  }
  return component;
}

class Schemas {
 public:
  explicit Schemas(json::object& components) : components_(components) {}

  template <class T>
  json::object of(Direction direction) {
    if constexpr (requires { JsonForm<T>::schema(); }) {
      return JsonForm<T>::schema();
    } else if constexpr (std::same_as<T, bool>) {
      return {{"type", "boolean"}};
    } else if constexpr (std::integral<T>) {
      return {{"type", "integer"}};
    } else if constexpr (std::floating_point<T>) {
      return {{"type", "number"}};
    } else if constexpr (DescribedEnum<T>) {
      json::array names;
      boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>([&](auto e) { names.emplace_back(e.name); });
      return {{"type", "string"}, {"enum", std::move(names)}};
    } else if constexpr (IsOptional<T>::value) {
      return nullable(of<typename T::value_type>(direction));
    } else if constexpr (IsLeftOut<T>::value) {
      return of<typename decltype(T::value)::value_type>(direction);
    } else if constexpr (IsPatch<T>::value) {
      return nullable(of<typename decltype(T::value)::value_type>(direction));
    } else if constexpr (IsVector<T>::value) {
      return {{"type", "array"}, {"items", of<typename T::value_type>(direction)}};
    } else if constexpr (IsMap<T>::value) {
      return {{"type", "object"}, {"additionalProperties", of<typename T::mapped_type>(direction)}};
    } else if constexpr (IsMayBeBlank<T>::value) {
      return {{"anyOf", {json::object{{"const", ""}}, of<typename decltype(T::value)::value_type>(direction)}}};
    } else if constexpr (TextLike<T>) {
      json::object schema{{"type", "string"}};
      if constexpr (requires { T::schema_format; }) schema["format"] = T::schema_format;
      if constexpr (requires { T::schema_pattern; }) schema["pattern"] = T::schema_pattern;
      if constexpr (requires { T::schema_min; }) schema["minLength"] = T::schema_min;
      if constexpr (requires { T::schema_max; }) schema["maxLength"] = T::schema_max;
      return schema;
    } else if constexpr (std::convertible_to<const T&, std::string_view>) {
      return {{"type", "string"}};
    } else if constexpr (std::same_as<T, json::object>) {
      return {{"type", "object"}};
    } else if constexpr (std::same_as<T, json::value>) {
      return {};
    } else {
      return component<T>(direction);
    }
  }

 private:
  static json::object nullable(json::object schema);

  template <class T>
  json::object component(Direction direction) {
    std::string name = component_name<T>();
    if (direction == Direction::request) name += "Input";
    if (!components_.contains(name)) {
      components_[name] = json::object();  // stands for itself while its members are walked
      json::object properties;
      json::array required;
      boost::mp11::mp_for_each<Members<T>>([&](auto member) {
        using Member = std::remove_cvref_t<decltype(std::declval<T>().*member.pointer)>;
        properties[wire_name(member.name)] = of<Member>(direction);
        const bool may_lack = IsOptional<Member>::value || IsPatch<Member>::value || std::same_as<Member, json::value>;
        const bool optional_member = IsLeftOut<Member>::value || IsPatch<Member>::value;
        if ((direction == Direction::response || !may_lack) && !optional_member) required.emplace_back(wire_name(member.name));
      });
      json::object schema{{"type", "object"}, {"properties", std::move(properties)}};
      if (!required.empty()) schema["required"] = std::move(required);
      components_[name] = std::move(schema);
    }
    return {{"$ref", "#/components/schemas/" + name}};
  }

  json::object& components_;
};

}  // namespace shop::codec
