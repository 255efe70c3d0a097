// Passes one exchange on to another server, streaming both ways (RFC 9110 7.6, RFC 9112).
#pragma once

#include "net/client.hpp"
#include "net/exchange.hpp"

namespace shop::net {

struct Forwarding {
  Headers added;        // on the request; fields of the same name that the client sent are dropped
  bool* crowded = nullptr;  // set when the service said so
  bool retry = false;   // the request may be sent again on a new connection when a kept one turns out to be dead
};

// What the caller has to answer itself. Nothing: the exchange has been answered, or its connection is lost.
//   unavailable       nothing was sent: another instance may be tried
//   timed_out         the deadline passed before an answer began
//   bad_upstream      the other server hung up or did not speak HTTP
Task<std::optional<Error>> forward(const Context& context, Exchange& exchange, ClientPool& pool, const Endpoint& endpoint,
                                   const Forwarding& forwarding);

// Fields that concern one connection only, or our own services among themselves.
bool passes(std::string_view field, std::string_view connection_tokens);

}  // namespace shop::net
