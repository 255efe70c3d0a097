#include "runtime/peer.hpp"

namespace shop {
namespace {

struct Problem {
  std::optional<std::string> message, code;
  std::optional<std::vector<Fault>> errors;
};
BOOST_DESCRIBE_STRUCT(Problem, (), (message, code, errors))

Code code_of(int status) {
  switch (status) {
    case 400: return Code::invalid;
    case 401: return Code::unauthenticated;
    case 403: return Code::forbidden;
    case 404: return Code::not_found;
    case 409: return Code::conflict;
    case 410: return Code::gone;
    case 413: return Code::too_large;
    case 415: return Code::unsupported_media;
    case 422: return Code::unprocessable;
    case 429: return Code::rate_limited;
    case 503: return Code::unavailable;
    case 504: return Code::timed_out;
    default: return Code::bad_upstream;
  }
}

}  // namespace

Error Peer::error_of(const Response& response) const {
  Error error;
  error.code = code_of(response.status);
  auto problem = codec::from_json<Problem>(response.text());
  error.message = problem ? problem->message.value_or("") : "";
  if (error.message.empty()) error.message = fmt::format("{} answered {}.", service_, response.status);
  if (problem) {
    error.name = problem->code.value_or("");
    error.faults = std::move(problem->errors).value_or(std::vector<Fault>());
    if (error.name == traits(Code::unknown_outcome).name) error.code = Code::unknown_outcome;
  }
  return error;
}

}  // namespace shop
