#include "net/proxy.hpp"

#include <array>

#include <fmt/format.h>

#include "base/text.hpp"
#include "net/problem.hpp"

namespace shop::net {
namespace {

constexpr std::size_t piece = 16 * 1024;
constexpr std::size_t whole_answer = 64 * 1024;  // smaller ones are sent head and body at once

bool listed(std::string_view tokens, std::string_view name) {
  while (!tokens.empty()) {
    const auto token = tokens.substr(0, tokens.find(','));
    tokens.remove_prefix(std::min(tokens.size(), token.size() + 1));
    if (equal_ignoring_case(trimmed(token), name)) return true;
  }
  return false;
}

// Of all Connection fields; they may be several.
std::string connection_tokens(const Headers& headers) {
  std::string all;
  headers.each([&](std::string_view name, std::string_view value) {
    if (name.size() == 10 && equal_ignoring_case(name, "Connection")) (all += ',') += value;
  });
  return all;
}

std::string request_text(const Request& request, const Endpoint& endpoint, const Headers& added, const Exchange& exchange) {
  std::string head;
  head.reserve(1024);
  ((head += name_of(request.method)) += ' ') += request.target;
  (head += " HTTP/1.1\r\nHost: ") += endpoint.text();
  head += "\r\n";
  const auto append = [&](std::string_view name, std::string_view value) {
    ((head += name) += ": ") += value;
    head += "\r\n";
  };
  const auto connection = connection_tokens(request.headers);
  request.headers.each([&](std::string_view name, std::string_view value) {
    if (passes(name, connection) && !added.has(name)) append(name, value);
  });
  added.each(append);
  if (exchange.has_body()) {
    if (const auto length = exchange.content_length()) fmt::format_to(std::back_inserter(head), "Content-Length: {}\r\n", *length);
    else head += "Transfer-Encoding: chunked\r\n";
  } else if (request.method == Method::post || request.method == Method::put || request.method == Method::patch) {
    head += "Content-Length: 0\r\n";
  }
  return head += "\r\n";
}

// False: the upstream answered or hung up before it had all; the rest is not sent. An error is the client's side, which failed
// while its body was read, or the connection's.
Task<Result<bool>> send_body(Exchange& exchange, ClientConnection& upstream) {
  std::array<char, piece> buffer;
  const bool chunked = !exchange.content_length();
  while (exchange.has_body()) {
    CO_TRY(const auto got, co_await exchange.read_some(buffer));
    if (got == 0) break;
    if (!upstream.quiet()) co_return false;
    const std::string_view bytes(buffer.data(), got);
    CO_CHECK(co_await upstream.write(chunked ? fmt::format("{:x}\r\n", got) : std::string(), bytes));
    if (chunked) CO_CHECK(co_await upstream.write("\r\n", {}));
  }
  if (chunked) CO_CHECK(co_await upstream.write("0\r\n\r\n", {}));
  co_return true;
}

Response answer_head(const Response& upstream) {
  Response head;
  head.status = upstream.status;
  const auto connection = connection_tokens(upstream.headers);
  upstream.headers.each([&](std::string_view name, std::string_view value) {
    if (passes(name, connection) && !equal_ignoring_case(name, "Date")) head.headers.add(name, value);
  });
  return head;
}

Error broken_answer(Error cause) {
  if (cause.code == Code::timed_out && !cause.message.empty()) return cause;
  return {Code::bad_upstream, "The service hung up in the middle of its answer.", {}, {}, std::move(cause.detail), {}};
}

// From the first byte on the answer is the client's: what breaks then breaks its connection. Before, it is a 502.
Task<std::optional<Error>> send_answer(Exchange& exchange, ClientConnection& upstream, Response head) {
  const auto length = upstream.content_length();
  const bool bodiless = exchange.request().method == Method::head || head.status == 204 || head.status == 304;
  std::array<char, piece> buffer;
  if (!bodiless && length && *length <= whole_answer) {
    std::string body(static_cast<std::size_t>(*length), '\0');
    for (std::size_t have = 0; have < body.size();) {
      auto got = co_await upstream.read_some(std::span(body).subspan(have));
      if (!got) co_return broken_answer(std::move(got).error());
      if (*got == 0) co_return broken_answer({});
      have += *got;
    }
    head.body = std::move(body);
    co_await exchange.send(std::move(head));
    co_return std::nullopt;
  }
  if (!(co_await exchange.start(std::move(head), length))) co_return std::nullopt;
  while (!bodiless) {
    const auto got = co_await upstream.read_some(buffer);
    if (!got) {
      exchange.abandon();
      co_return std::nullopt;
    }
    if (*got == 0) break;
    if (!(co_await exchange.write(std::span(buffer).first(*got)))) co_return std::nullopt;
  }
  (void)co_await exchange.finish();
  co_return std::nullopt;
}

}  // namespace

bool passes(std::string_view field, std::string_view connection_tokens) {
  switch (field.size()) {
    case 2:
      if (equal_ignoring_case(field, "TE")) return false;
      break;
    case 4:
      if (equal_ignoring_case(field, "Host")) return false;
      break;
    case 6:
      if (equal_ignoring_case(field, "Expect")) return false;
      break;
    case 7:
      if (equal_ignoring_case(field, "Trailer") || equal_ignoring_case(field, "Upgrade")) return false;
      break;
    case 10:
      if (equal_ignoring_case(field, "Connection") || equal_ignoring_case(field, "Keep-Alive")) return false;
      break;
    case 14:
      if (equal_ignoring_case(field, "Content-Length")) return false;
      break;
    case 17:
      if (equal_ignoring_case(field, "Transfer-Encoding")) return false;
      break;
    default: break;
  }
  const auto starts = [&](std::string_view prefix) {
    return field.size() > prefix.size() && equal_ignoring_case(field.substr(0, prefix.size()), prefix);
  };
  if (starts("Proxy-") || starts("X-Internal-") || equal_ignoring_case(field, "X-Request-Budget-Ms")) return false;
  return connection_tokens.empty() || !listed(connection_tokens, field);
}

Task<std::optional<Error>> forward(const Context& context, Exchange& exchange, ClientPool& pool, const Endpoint& endpoint,
                                   const Forwarding& forwarding) {
  const auto head = request_text(exchange.request(), endpoint, forwarding.added, exchange);
  const bool body = exchange.has_body();
  for (int attempt = 0;; ++attempt) {
    auto taken = co_await pool.take(context, endpoint);
    if (!taken) co_return std::move(taken).error();
    auto& upstream = **taken;
    const bool may_repeat = attempt == 0 && upstream.reused() && forwarding.retry && !body;
    auto sent = co_await upstream.write(head, {});
    if (!sent && may_repeat) continue;
    if (!sent && upstream.reused() && attempt == 0 && sent.error().code == Code::unknown_outcome && !body) {
      co_return Error{Code::bad_upstream, "The service hung up.", {}, {}, sent.error().detail, {}};
    }
    bool whole = true;  // was the request sent
    if (sent && body) {
      const auto passed = co_await send_body(exchange, upstream);
      if (!passed && passed.error().code != Code::unknown_outcome && passed.error().code != Code::timed_out) co_return passed.error();
      whole = passed.value_or(false);
    }
    auto answer = co_await upstream.read_head(exchange.request().method);
    if (!answer) {
      if (may_repeat && answer.error().code == Code::unknown_outcome) continue;
      auto error = std::move(answer).error();
      if (error.code == Code::unknown_outcome) error = {Code::bad_upstream, "The service hung up without an answer.", {}, {}, error.detail, {}};
      co_return error;
    }
    if (forwarding.crowded) *forwarding.crowded = answer->headers.has(crowded_field);
    auto broken = co_await send_answer(exchange, upstream, answer_head(*answer));
    if (whole && !broken) pool.give_back(endpoint, std::move(*taken));
    co_return broken;
  }
}

}  // namespace shop::net
