#include "codec/schema.hpp"

namespace shop::codec {

json::object Schemas::nullable(json::object schema) {
  if (auto* type = schema.if_contains("type"); type && type->is_string() && !schema.contains("enum")) {
    json::string name = type->as_string();
    schema["type"] = json::array{name, "null"};
    return schema;
  }
  if (schema.empty()) return schema;
  return {{"anyOf", json::array{std::move(schema), json::object{{"type", "null"}}}}};
}

}  // namespace shop::codec
