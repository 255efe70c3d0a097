// Error -> RFC 9457 problem document, with `message` as the clients read it (contract, section 1).
#pragma once

#include "base/http.hpp"
#include "base/result.hpp"

namespace shop::net {

// The cart and image services send the word "error" where the others send the status number.
enum class ProblemStyle { number, word };

Response problem_response(const Error& error, std::string_view request_id, ProblemStyle style = ProblemStyle::number);

Response json_response(int status, std::string body);

}  // namespace shop::net
