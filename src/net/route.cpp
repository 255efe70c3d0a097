#include "net/route.hpp"

namespace shop::net {

Result<std::optional<Currency>> Call::currency() const {
  const auto header = trimmed(request.headers.get("X-Currency"));
  if (header.empty()) return std::optional<Currency>();
  auto parsed = Currency::parse(header);
  if (!parsed) {
    return fail(Error{Code::invalid, fmt::format("The currency {} is not known.", utf8_prefix(header, 20)), "UNKNOWN_CURRENCY",
                      {{"X-Currency", parsed.error()}}, {}, {}});
  }
  return std::optional<Currency>(*parsed);
}

namespace detail {

void Arguments::merge(Error more) {
  error_->message += "; " + more.message;
  std::move(more.faults.begin(), more.faults.end(), std::back_inserter(error_->faults));
}

Error Arguments::faulty_path(std::string rule) { return codec::faulty({{"id", std::move(rule)}}); }

void describe_path(json::object& operation, std::span<const std::string> names, std::size_t index, json::object schema) {
  operation["parameters"].as_array().emplace_back(json::object{
      {"name", index < names.size() ? names[index] : "id"}, {"in", "path"}, {"required", true}, {"schema", std::move(schema)}});
}

void describe_body(json::object& operation, json::object schema, bool required) {
  if (!required) schema = {{"anyOf", json::array{std::move(schema), json::object{{"type", "null"}}}}};
  operation["requestBody"] = json::object{
      {"required", required}, {"content", {{"application/json", json::object{{"schema", std::move(schema)}}}}}};
}

void describe_raw_body(json::object& operation) {
  operation["requestBody"] = json::object{
      {"required", true},
      {"content",
       {{"multipart/form-data",
         {{"schema",
           {{"type", "object"},
            {"properties", {{"imageFile", {{"type", "string"}, {"format", "binary"}, {"contentMediaType", "image/png"}}}}},
            {"required", {"imageFile"}}}}}}}}};
}

void describe_answer(json::object& operation, std::string_view status, json::object schema) {
  operation["responses"].as_object()[status].as_object()["content"] =
      json::object{{"application/json", json::object{{"schema", std::move(schema)}}}};
}

}  // namespace detail
}  // namespace shop::net
