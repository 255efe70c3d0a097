#include "net/router.hpp"

#include <stdexcept>

#include <xxhash.h>

#include "net/head_gate.hpp"

namespace shop::net {

namespace {

constexpr std::size_t methods = 7;

std::vector<std::string_view> segments_of(std::string_view path) {
  std::vector<std::string_view> segments;
  while (!path.empty()) {
    path.remove_prefix(1);
    const auto segment = path.substr(0, path.find('/'));
    path.remove_prefix(segment.size());
    if (!segment.empty() || !path.empty()) segments.push_back(segment);
  }
  return segments;
}

bool json_media(std::string_view content_type) {
  const auto media = trimmed(content_type.substr(0, content_type.find(';')));
  return media.empty() || equal_ignoring_case(media, "application/json") || media.ends_with("+json");
}

// Whether the media type means anything: clients and libraries name one for a POST of nothing, too.
bool brings_body(const Request& request) {
  const auto length = request.headers.get("Content-Length");
  return !request.body.empty() || request.headers.has("Transfer-Encoding") || length.find_first_not_of('0') != length.npos;
}

std::string_view bearer(std::string_view authorization) {
  if (authorization.size() < 7 || !equal_ignoring_case(authorization.substr(0, 7), "bearer ")) return {};
  return trimmed(authorization.substr(7));
}

bool given_once(const Headers& headers, std::string_view name) {
  int count = 0;
  headers.each([&](std::string_view each, std::string_view) { count += equal_ignoring_case(each, name) ? 1 : 0; });
  return count == 1;
}

Failure unauthenticated(std::string message) { return fail(Code::unauthenticated, std::move(message)); }

// Only the gateway is believed when it says for whom it asks.
std::string client_of(const Arrival& arrival, const Request& request) {
  const auto forwarded = arrival.through_gateway ? request.headers.get("X-Forwarded-For") : std::string_view();
  if (forwarded.empty()) return request.remote;
  const auto comma = forwarded.rfind(',');
  return std::string(trimmed(comma == forwarded.npos ? forwarded : forwarded.substr(comma + 1)));
}

// What a request takes of a row: memory for its body, counted by what its length promises, before a byte of it is read; a place
// with the handler, when it has been read: who sends or reads slowly holds none.
class Share {
 public:
  Share(std::atomic<std::uint64_t>& sum, std::uint64_t most, std::uint64_t amount)
      : sum_(sum), amount_(most > 0 ? amount : 0), granted_(sum_.fetch_add(amount_) + amount_ <= most || most == 0) {}
  ~Share() { sum_.fetch_sub(amount_); }
  Share(const Share&) = delete;

  bool granted() const { return granted_; }

 private:
  std::atomic<std::uint64_t>& sum_;
  const std::uint64_t amount_;
  const bool granted_;
};

std::uint64_t promised_bytes(const Request& request, std::size_t limit) {
  std::uint64_t length = limit;
  const auto text = request.headers.get("Content-Length");
  std::from_chars(text.data(), text.data() + text.size(), length);
  return std::min<std::uint64_t>(length, limit);
}

}  // namespace

struct Router::Node {
  std::map<std::string, std::shared_ptr<Node>, std::less<>> fixed;
  std::shared_ptr<Node> parameter;
  std::array<Entry*, methods> entries{};

  bool any() const {
    return std::any_of(entries.begin(), entries.end(), [](auto* e) { return e != nullptr; });
  }

  // Fixed segments win over parameters.
  const Node* find(std::span<const std::string_view> path, PathArguments& arguments) const {
    if (path.empty()) return any() ? this : nullptr;
    if (auto it = fixed.find(path.front()); it != fixed.end()) {
      if (const auto* found = it->second->find(path.subspan(1), arguments)) return found;
    }
    if (!parameter || path.front().empty()) return nullptr;
    arguments.push_back(percent_decoded(path.front(), false));
    if (const auto* found = parameter->find(path.subspan(1), arguments)) return found;
    arguments.pop_back();
    return nullptr;
  }
};

Router::Router(std::string service, std::string prefix, Authenticator& authenticator, ProblemStyle style)
    : service_(std::move(service)),
      prefix_(std::move(prefix)),
      authenticator_(authenticator),
      style_(style),
      root_(std::make_shared<Node>()) {}

void Router::add(RouteInfo info, Invoke invoke) {
  const auto wrong = [&](std::string_view what) {
    throw std::logic_error(fmt::format("{} {} {}: {}", service_, name_of(info.method), info.path, what));
  };
  if (info.summary.empty() || info.success.empty()) wrong("a row needs a summary and a success status");
  if (info.access.rule == Access::Rule::permission && info.access.any_of.none()) wrong("no permission is declared");

  auto entry = std::make_unique<Entry>(std::move(info), std::move(invoke));
  Node* node = root_.get();
  for (const auto segment : segments_of(entry->info.path)) {
    auto& next = segment.starts_with(':') ? node->parameter : node->fixed[std::string(segment)];
    if (segment.starts_with(':')) entry->parameters.emplace_back(segment.substr(1));
    if (!next) next = std::make_shared<Node>();
    node = next.get();
  }
  auto*& slot = node->entries[static_cast<std::size_t>(entry->info.method)];
  if (slot) throw std::logic_error(fmt::format("{} {} is declared twice", service_, entry->info.path));
  slot = entry.get();
  entries_.push_back(std::move(entry));
}

Task<Result<Principal>> Router::admit(const Context& context, const Arrival& arrival, const Request& request,
                                      const Access& access) {
  using Rule = Access::Rule;
  const bool service_may = access.rule == Rule::internal || access.services_too || arrival.operator_tool;
  if (!arrival.service.empty() && service_may) {
    Principal caller;
    caller.kind = Principal::Kind::service;
    caller.service = arrival.service;
    co_return caller;
  }
  if (access.rule == Rule::internal) co_return fail(Code::not_found, "There is nothing at this path.");

  const auto authorization = request.headers.get("Authorization");
  if (access.rule == Rule::anyone) co_return Principal{};
  if (authorization.empty()) {
    if (access.rule == Rule::recognised || access.rule == Rule::visitor) co_return Principal{};
    co_return unauthenticated("A token is needed: send Authorization: Bearer <token>.");
  }
  const auto token = given_once(request.headers, "Authorization") ? bearer(authorization) : std::string_view();
  auto caller = token.empty() ? Result<Principal>(unauthenticated("The Authorization header is not a bearer token."))
                              : co_await authenticator_.authenticate(context, std::string(token));
  if (!caller && access.rule == Rule::recognised && caller.error().code == Code::unauthenticated) co_return Principal{};
  if (!caller) co_return caller;
  if (access.rule == Rule::permission && (caller->permissions & access.any_of).none()) {
    co_return fail(Code::forbidden, "You may not do this.");
  }
  co_return caller;
}

Task<Result<Response>> Router::run(const Context& context, const Arrival& arrival, Request& request, BodySource& body,
                                   Answered& answered) {
  const auto nothing_here = [&] {
    return fail(Code::not_found, fmt::format("There is nothing at {}{}.", prefix_, utf8_prefix(request.path(), 200)));
  };
  PathArguments arguments;
  const auto segments = segments_of(request.path());
  const Node* node = segments.size() > 16 ? nullptr : root_->find(segments, arguments);
  if (!node) co_return nothing_here();

  const auto method = request.method == Method::head ? Method::get : request.method;
  Entry* entry = method == Method::other ? nullptr : node->entries[static_cast<std::size_t>(method)];
  const bool outside = arrival.service.empty();
  if (!entry) {
    std::string allowed;
    for (const auto* each : node->entries) {
      if (!each || (outside && each->info.access.rule == Access::Rule::internal)) continue;
      if (!allowed.empty()) allowed += ", ";
      allowed += name_of(each->info.method);
      if (each->info.method == Method::get) allowed += ", HEAD";
    }
    if (allowed.empty()) co_return nothing_here();
    co_return method_not_allowed("This path does not know that method.", allowed, context.request_id, style_);
  }
  if (outside && entry->info.access.rule == Access::Rule::internal) co_return nothing_here();
  answered.route = &entry->info;

  CO_TRY(Principal caller, co_await admit(context, arrival, request, entry->info.access));
  const Share share(entry->body_bytes, entry->info.bytes_at_once, promised_bytes(request, entry->info.body_limit));
  if (!share.granted()) {
    co_return fail(busy("Too much is being sent here at once."));
  }
  if (entry->info.body_limit > 0) {
    if (!entry->info.raw_body && brings_body(request) && !json_media(request.headers.get("Content-Type"))) {
      co_return fail(Code::unsupported_media, "The body must be application/json.");
    }
    if (auto complete = co_await body.read_all(request, entry->info.body_limit); !complete) {
      auto error = std::move(complete).error();
      if (error.code == Code::too_large && entry->info.size_is_400) {
        error.name = traits(error.code).name;
        error.code = Code::invalid;
      }
      co_return fail(std::move(error));
    }
  }
  // More at once would only wait for one another, until those who asked have gone.
  const Share place(entry->at_work, entry->info.requests_at_once > 0 ? entry->info.requests_at_once : most_of_a_row_, 1);
  answered.crowded_out = !place.granted();
  if (answered.crowded_out) co_return fail(crowded_out());
  Call call{.request = request,
            .context = context,
            .caller = std::move(caller),
            .language = language_of(request.headers.get("Accept-Language")),
            .client = client_of(arrival, request),
            .status = entry->info.success.front(),
            .headers = {}};
  co_return co_await entry->invoke(call, arguments);
}

Task<Response> Router::answer(const Context& context, const Arrival& arrival, Request& request, BodySource& body,
                              Answered& answered) {
  answered.service = service_;
  auto outcome = co_await run(context, arrival, request, body, answered);
  if (!outcome) {
    auto response = problem_response(outcome.error(), context.request_id, style_);
    if (outcome.error().code == Code::unauthenticated) response.headers.set("WWW-Authenticate", "Bearer");
    if (answered.crowded_out && most_of_a_row_ > 0) response.headers.set(std::string(crowded_field), "1");  // for the gateway, which takes it off
    answered.status = response.status;
    answered.error = std::move(outcome).error();
    co_return response;
  }
  add_etag(request, *outcome);
  answered.status = outcome->status;
  co_return std::move(*outcome);
}

void add_etag(const Request& request, Response& response) {
  if (response.status != 200 || (request.method != Method::get && request.method != Method::head)) return;
  if (std::holds_alternative<FileRange>(response.body) || response.headers.has("ETag")) return;
  const auto etag = weak_etag(response.text());
  response.headers.add("ETag", etag);
  response.headers.add("Vary", "Accept-Language, X-Currency, Authorization");
  if (none_match(request.headers.get("If-None-Match"), etag)) {
    response.status = 304;
    response.headers.remove("Content-Type");
    response.body = std::string();
  }
}

std::string weak_etag(std::string_view content) {
  return fmt::format("W/\"{:016x}\"", XXH3_64bits(content.data(), content.size()));
}

bool none_match(std::string_view if_none_match, std::string_view etag) {
  const auto opaque = [](std::string_view tag) { return tag.starts_with("W/") ? tag.substr(2) : tag; };
  while (!if_none_match.empty()) {
    const auto piece = if_none_match.substr(0, if_none_match.find(','));
    if_none_match.remove_prefix(std::min(if_none_match.size(), piece.size() + 1));
    const auto tag = trimmed(piece);
    if (tag == "*" || opaque(tag) == opaque(etag)) return true;
  }
  return false;
}

}  // namespace shop::net
