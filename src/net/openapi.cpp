#include "net/openapi.hpp"

namespace shop::net {
namespace {

std::string path_of(const Router& router, const Router::Entry& entry) {
  std::string path = router.prefix();
  for (std::string_view rest = entry.info.path; !rest.empty() && rest != "/";) {
    rest.remove_prefix(1);
    const auto segment = rest.substr(0, rest.find('/'));
    rest.remove_prefix(segment.size());
    path += '/';
    if (segment.starts_with(':')) (path += '{').append(segment.substr(1)) += '}';
    else path += segment;
  }
  return path;
}

std::string who_may(const Access& access) {
  std::string text;
  switch (access.rule) {
    case Access::Rule::anyone:
    case Access::Rule::recognised: text = "Access: anyone"; break;
    case Access::Rule::visitor: text = "Access: anyone; a token that is given must be valid"; break;
    case Access::Rule::signed_in: text = "Access: any valid token"; break;
    case Access::Rule::permission:
      text = "Access: ";
      for (std::size_t i = 0, found = 0; i < permission_count; ++i) {
        if (!access.any_of.test(i)) continue;
        if (found++ > 0) text += " or ";
        text += fmt::format("`{}`", name_of(static_cast<Permission>(i)));
      }
      break;
    case Access::Rule::internal: text = "Access: services only"; break;
  }
  if (access.services_too) text += ", services";
  if (!access.also.empty()) (text += "; ") += access.also;
  return text + ".";
}

// The same for programs.
json::object access_of(const Access& access) {
  static constexpr std::string_view rules[] = {"anyone", "recognised", "visitor", "signed_in", "permission", "internal"};
  json::array permissions;
  for (std::size_t i = 0; i < permission_count; ++i) {
    if (access.any_of.test(i)) permissions.emplace_back(name_of(static_cast<Permission>(i)));
  }
  return {{"rule", rules[static_cast<std::size_t>(access.rule)]}, {"anyOf", std::move(permissions)}, {"operators", access.operators}};
}

json::object problem_answer(int status) {
  return {{"description", fmt::format("Problem ({})", status)},
          {"content", {{"application/problem+json", {{"schema", {{"$ref", "#/components/schemas/Problem"}}}}}}}};
}

std::set<int> errors_of(const RouteInfo& info, bool has_parameters, bool has_path_parameters) {
  std::set<int> errors(info.errors.begin(), info.errors.end());
  const auto rule = info.access.rule;
  if (rule == Access::Rule::visitor || rule == Access::Rule::signed_in || rule == Access::Rule::permission) errors.insert(401);
  if (rule == Access::Rule::permission) errors.insert(403);
  if (info.body_limit > 0) errors.insert(400);
  if (info.body_limit > 0 && !info.size_is_400) errors.insert({413, 415});
  if (has_parameters) errors.insert(400);
  if (has_path_parameters) errors.insert(404);  // what is no id names no object
  errors.insert(503);
  for (int status : info.success) errors.erase(status);
  return errors;
}

json::object operation_of(const Router& router, const Router::Entry& entry, codec::Schemas& schemas) {
  const auto& info = entry.info;
  json::object operation{{"summary", info.summary},
                         {"description", who_may(info.access)},
                         {"tags", {router.service()}},
                         {"x-access", access_of(info.access)},
                         {"parameters", json::array()},
                         {"responses", json::object()}};
  std::string id = router.service() + "_" + std::string(name_of(info.method)) + info.path;
  for (char& c : id) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  operation["operationId"] = id;
  if (info.access.rule == Access::Rule::signed_in || info.access.rule == Access::Rule::permission) {
    operation["security"] = {{{"bearer", json::array()}}};
  } else if (info.access.rule == Access::Rule::recognised || info.access.rule == Access::Rule::visitor) {
    operation["security"] = {{{"bearer", json::array()}}, json::object()};
  }
  // Fetched anew each time: an object moves its members when it grows.
  const auto responses = [&]() -> json::object& { return operation["responses"].as_object(); };
  for (int status : info.success) {
    const auto key = fmt::to_string(status);
    responses()[key] = json::object{{"description", status == 204 ? "Done" : status == 201 ? "Created" : "Success"}};
    info.describe(operation, schemas, entry.parameters, key);
    if (status != info.success.back()) {
      operation["parameters"] = json::array();  // each call of describe() adds them
    }
  }
  for (int status : errors_of(info, !operation["parameters"].as_array().empty(), !entry.parameters.empty())) {
    responses()[fmt::to_string(status)] = problem_answer(status);
  }
  return operation;
}

// A password's rule counts bytes, a schema characters, of which one may take four bytes.
void count_characters(json::object& components) {
  for (auto& [name, component] : components) {
    auto* properties = component.as_object().if_contains("properties");
    if (!properties) continue;
    for (auto& [member, schema] : properties->as_object()) {
      auto* least = schema.as_object().if_contains("minLength");
      const auto* format = schema.as_object().if_contains("format");
      if (least && format && *format == "password") *least = (least->to_number<std::int64_t>() + 3) / 4;
    }
  }
}

json::object problem_schema() {
  return {{"type", "object"},
          {"required", {"message", "code"}},
          {"properties",
           {{"type", {{"type", "string"}}},
            {"title", {{"type", "string"}}},
            {"status", {{"type", {"integer", "string"}}}},
            {"message", {{"type", "string"}}},
            {"code", {{"type", "string"}}},
            {"requestId", {{"type", {"string", "null"}}}},
            {"errors",
             {{"type", "array"},
              {"items",
               {{"type", "object"},
                {"properties", {{"path", {{"type", "string"}}}, {"message", {{"type", "string"}}}}}}}}}}}};
}

}  // namespace

std::string openapi_document(std::span<const Router* const> services) {
  json::object components{{"Problem", problem_schema()}}, paths;
  codec::Schemas schemas(components);
  for (const auto* router : services) {
    for (const auto& entry : router->entries()) {
      if (entry->info.access.rule == Access::Rule::internal) continue;
      auto& path = paths[path_of(*router, *entry)];
      if (!path.is_object()) path = json::object();
      std::string method(name_of(entry->info.method));
      for (char& c : method) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      path.as_object()[method] = operation_of(*router, *entry, schemas);
    }
  }
  count_characters(components);
  const json::object document{
      {"openapi", "3.1.0"},
      {"info", {{"title", "Shop"}, {"version", SHOP_VERSION}, {"description", "Headless e-commerce: catalogue, carts, checkout."}}},
      {"servers", {{{"url", "/"}}}},
      {"paths", std::move(paths)},
      {"components",
       {{"schemas", std::move(components)},
        {"securitySchemes", {{"bearer", {{"type", "http"}, {"scheme", "bearer"}, {"bearerFormat", "JWT"}}}}}}}};
  return json::serialize(document);
}

}  // namespace shop::net
