#include "net/problem.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "codec/json_writer.hpp"

namespace shop::net {
namespace {

std::string kebab(std::string_view name) {
  std::string out;
  for (char c : name) out += c == '_' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

std::string sentence(std::string_view name) {  // INSUFFICIENT_STOCK -> Insufficient stock
  std::string out;
  for (char c : name) {
    out += c == '_' ? ' ' : out.empty() ? c : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return out;
}

}  // namespace

Response json_response(int status, std::string body) {
  Response response;
  response.status = status;
  response.headers.add("Content-Type", "application/json; charset=utf-8");
  response.body = std::move(body);
  return response;
}

Response problem_response(const Error& error, std::string_view request_id, ProblemStyle style) {
  const auto& known = traits(error.code);
  const std::string_view name = error.name.empty() ? known.name : std::string_view(error.name);
  std::string body = R"({"type":"/problems/)";
  body += kebab(name);
  body += R"(","title":)";
  codec::write_string(body, error.name.empty() ? std::string(known.title) : sentence(name));
  body += R"(,"status":)";
  body += style == ProblemStyle::word ? R"("error")" : fmt::to_string(known.status);
  body += R"(,"message":)";
  codec::write_string(body, as_text(error.message));
  body += R"(,"code":)";
  codec::write_string(body, name);
  body += R"(,"requestId":)";
  if (request_id.empty()) body += "null";
  else codec::write_string(body, request_id);
  body += R"(,"errors":[)";
  for (bool first = true; const auto& fault : error.faults) {
    if (!std::exchange(first, false)) body += ',';
    body += R"({"path":)";
    codec::write_string(body, as_text(fault.path));
    body += R"(,"message":)";
    codec::write_string(body, as_text(fault.message));
    body += '}';
  }
  body += "]}";
  Response response;
  response.status = known.status;
  response.headers.add("Content-Type", "application/problem+json; charset=utf-8");
  if (error.retry_after.count() > 0) {
    response.headers.add("Retry-After", fmt::to_string(error.retry_after.count()));
  } else if (known.retryable && known.status != 504 && known.status != 502) {
    response.headers.add("Retry-After", "1");
  }
  response.body = std::move(body);
  return response;
}

Response method_not_allowed(std::string_view message, std::string_view allowed, std::string_view request_id, ProblemStyle style) {
  auto response = problem_response({Code::method_not_allowed, std::string(message), {}, {}, {}, {}}, request_id, style);
  response.headers.add("Allow", allowed);
  return response;
}

}  // namespace shop::net
