// The routes of one service: finds the row, checks who asks, reads the body, calls the handler, renders the outcome.
#pragma once

#include <atomic>

#include "net/exchange.hpp"
#include "net/route.hpp"

namespace shop::net {

class Authenticator {
 public:
  virtual ~Authenticator() = default;

  // unauthenticated: malformed, expired, or the account is not active. unavailable: it cannot be confirmed now.
  virtual Task<Result<Principal>> authenticate(const Context& context, std::string token) = 0;
};

// Told of every answer; for metrics and the log.
struct Answered {
  std::string_view service;
  const RouteInfo* route = nullptr;  // nothing: no row matched
  std::string_view passed_on;        // "/products/*": to another process, which knows the row
  int status = 0;
  bool crowded_out = false;  // the row had as many as it takes
  std::optional<Error> error;
};

class Router {
 public:
  struct Entry {
    RouteInfo info;
    Invoke invoke;
    std::vector<std::string> parameters;
    std::atomic<std::uint64_t> body_bytes{0};  // in memory, or promised
    std::atomic<std::uint64_t> at_work{0};     // requests that the handler has
  };

  Router(std::string service, std::string prefix, Authenticator& authenticator, ProblemStyle style = ProblemStyle::number);

  // Throws std::logic_error when a row contradicts another or is not complete: a bug that no start survives.
  template <class H>
  void mount(const RouteTable<H>& table, H& handlers) {
    for (const auto& row : table) add(row.info, row.bind(handlers));
  }

  // Never fails: errors become problem documents. `answered` is filled for whoever keeps the log.
  Task<Response> answer(const Context& context, const Arrival& arrival, Request& request, BodySource& body, Answered& answered);

  // Requests that the handler of a row has at once, where the row does not say it; 0, as it is at first: any number. Before requests come.
  void set_most_of_a_row(std::uint64_t most) { most_of_a_row_ = most; }

  const std::string& service() const { return service_; }
  const std::string& prefix() const { return prefix_; }  // at the gateway: "/products"
  const std::vector<std::unique_ptr<Entry>>& entries() const { return entries_; }

 private:
  struct Node;

  void add(RouteInfo info, Invoke invoke);
  Task<Result<Response>> run(const Context& context, const Arrival& arrival, Request& request, BodySource& body,
                             Answered& answered);
  Task<Result<Principal>> admit(const Context& context, const Arrival& arrival, const Request& request, const Access& access);

  const std::string service_, prefix_;
  Authenticator& authenticator_;
  const ProblemStyle style_;
  std::vector<std::unique_ptr<Entry>> entries_;
  std::shared_ptr<Node> root_;
  std::uint64_t most_of_a_row_ = 0;
};

// A strong or weak validator match (RFC 9110 13.1.2), weak comparison.
bool none_match(std::string_view if_none_match, std::string_view etag);
void add_etag(const Request& request, Response& response);  // to a 200 of GET and HEAD; 304 when the client has it
std::string weak_etag(std::string_view content);

}  // namespace shop::net
