// Error -> RFC 9457 problem document, with `message` as the clients read it (contract, section 1).
#pragma once

#include "base/http.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace shop::net {

// The cart and image services send the word "error" where the others send the status number.
enum class ProblemStyle { number, word };

// What the error quotes of a request is shown as text, whatever bytes it was.
Response problem_response(const Error& error, std::string_view request_id, ProblemStyle style = ProblemStyle::number);

// 405, with the methods that there are in Allow.
Response method_not_allowed(std::string_view message, std::string_view allowed, std::string_view request_id, ProblemStyle style = ProblemStyle::number);

// Where a row has as many requests as it takes. A service tells its gateway so in this field beside the answer.
inline Error crowded_out() { return busy("Too many ask for this at once."); }
inline constexpr std::string_view crowded_field = "X-Internal-Crowded";

Response json_response(int status, std::string body);

}  // namespace shop::net
