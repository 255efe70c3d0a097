// A route is one row of one table. Matching, access, body checks, statuses, metrics, OpenAPI and the access-matrix test all
// derive from the row and from the handler's signature:
//
//   Task<Result<DetailProduct>> Handlers::detail(Call&, ProductId)              ":id" of the path
//   Task<Result<ProductPage>>   Handlers::list(Call&, Query<ListQuery>)         the query string
//   Task<Result<DetailProduct>> Handlers::create(Call&, Body<NewProduct>)       a JSON body
//   Task<Result<void>>          Handlers::remove(Call&, ProductId)              204
#pragma once

#include <functional>
#include <span>
#include <tuple>

#include "base/context.hpp"
#include "base/http.hpp"
#include "base/principal.hpp"
#include "base/task.hpp"
#include "codec/query_reader.hpp"
#include "net/problem.hpp"

namespace shop::net {

namespace json = boost::json;

struct Access {
  enum class Rule {
    anyone,      // tokens are not looked at
    recognised,  // anyone; a valid token shows more, an invalid one counts as none
    visitor,     // anyone, but a token that is given must be valid
    signed_in,   // any valid token
    permission,  // a token that holds one of `any_of`
    internal,    // services only; does not exist for anybody else
  };
  Rule rule = Rule::internal;
  Permissions any_of;
  bool services_too = false;   // services may call it without a token
  bool operators = false;      // has an `internal` segment, yet the gateway lets it pass
  std::string_view also = {};  // what the handler checks object by object, for the documentation

  Access with(std::string_view who) const {
    Access copy = *this;
    copy.also = who;
    return copy;
  }
  Access and_services() const {
    Access copy = *this;
    copy.services_too = true;
    return copy;
  }
  Access for_operators() const {
    Access copy = *this;
    copy.operators = true;
    return copy;
  }
};

inline Access anyone() { return {Access::Rule::anyone, {}}; }
inline Access recognised() { return {Access::Rule::recognised, {}}; }
inline Access visitor() { return {Access::Rule::visitor, {}}; }
inline Access signed_in() { return {Access::Rule::signed_in, {}}; }
inline Access internal_only() { return {Access::Rule::internal, {}}; }

template <class... P>
Access needs(P... any_of) {
  Access access{Access::Rule::permission, {}};
  (access.any_of.set(static_cast<std::size_t>(any_of)), ...);
  return access;
}

// How a request came to a service.
struct Arrival {
  std::string service;    // the authenticated service that calls; empty: somebody outside
  bool operator_tool = false;  // shopctl on this machine: may use every route
  bool through_gateway = false;  // an outsider, whose address the gateway has written into X-Forwarded-For
};

// What a handler knows of its request, and says of its answer beside the body.
struct Call {
  const Request& request;
  const Context& context;
  Principal caller;
  std::string language;  // two letters
  std::string client;    // the address to which limits apply
  int status = 0;        // 0: the row's first success status
  Headers headers;

  Result<std::optional<Currency>> currency() const;  // X-Currency; nothing: the base currency
};

template <class T>
struct Query {
  T value;
  const T* operator->() const { return &value; }
};

template <class T>
struct Body {
  T value;
  const T* operator->() const { return &value; }
};

// Absent, or null, which some clients send for it: nothing.
template <class T>
struct OptionalBody {
  std::optional<T> value;
};

// A JSON answer of type T that was rendered before; shared by everybody who asks.
template <class T>
struct Rendered {
  std::shared_ptr<const std::string> json;
};

// multipart/form-data, or any body that the handler reads itself.
struct RawBody {
  std::string_view content_type;
  std::string_view bytes;
};

struct RouteInfo {
  Method method;
  std::string path;  // within the service, "/id/:id"
  Access access;
  std::string summary;
  std::vector<int> success;  // the first is the default
  std::vector<int> errors;   // beside those that follow from access, body and method
  std::size_t body_limit = 0;  // bytes; 0: takes no body
  bool raw_body = false;
  bool optional_body = false;
  bool size_is_400 = false;
  std::uint64_t bytes_at_once = 0, requests_at_once = 0;
  void (*describe)(json::object& operation, codec::Schemas& schemas, std::span<const std::string> path_parameters,
                   std::string_view success) = nullptr;
};

struct RowOptions {
  std::size_t body_limit = 100'000;
  bool size_is_400 = false;  // a body that is too large is a 400, as the image service's clients know it
  std::uint64_t bytes_at_once = 0;  // of bodies of this row in memory; who comes on top gets 503; 0: no limit
  std::uint64_t requests_at_once = 0;  // of this row with the handler, their bodies read; who comes on top gets 503; 0: as most rows
};

using PathArguments = std::vector<std::string>;

namespace detail {

template <class T>
struct IsQuery : std::false_type {};
template <class T>
struct IsQuery<Query<T>> : std::true_type {};
template <class T>
struct IsBody : std::false_type {};
template <class T>
struct IsBody<Body<T>> : std::true_type {};
template <class T>
struct IsOptionalBody : std::false_type {};
template <class T>
struct IsOptionalBody<OptionalBody<T>> : std::true_type {};
template <class T>
struct IsRendered : std::false_type {};
template <class T>
struct IsRendered<Rendered<T>> : std::true_type {
  using type = T;
};

// Fills the handler's parameters one after another; collects the faults of query and body together.
class Arguments {
 public:
  Arguments(Call& call, const PathArguments& path) : call_(call), path_(path) {}

  template <class T>
  void read(T& out) {
    if constexpr (IsQuery<T>::value) {
      keep(codec::from_query<decltype(out.value)>(call_.request.query()), out.value);
    } else if constexpr (IsBody<T>::value) {
      keep(body<decltype(out.value)>(), out.value);
    } else if constexpr (IsOptionalBody<T>::value) {
      if (const auto text = trimmed(call_.request.body); text.empty() || text == "null") return;
      keep(codec::from_json<typename decltype(out.value)::value_type>(call_.request.body), out.value);
    } else if constexpr (std::same_as<T, RawBody>) {
      out = {call_.request.headers.get("Content-Type"), call_.request.body};
    } else {
      static_assert(codec::TextLike<T>, "a path parameter is a type with parse() and text()");
      auto parsed = T::parse(path_[next_++]);
      if (parsed) out = std::move(*parsed);
      else if constexpr (requires { T::refused_as_input; }) error_ = faulty_path(parsed.error());
      else error_ = Error{Code::not_found, "There is no such object.", {}, {}, {}, {}};
    }
  }

  std::optional<Error> take_error() { return std::move(error_); }

 private:
  // What a type cannot say of itself, its service adds by `add_faults(value, call, faults)`, found beside the type: so
  // that a client learns of all faults at once.
  template <class T>
  Result<T> body() const {
    TRY(const json::value parsed, codec::parse_json(call_.request.body));
    T out{};
    codec::Faults faults;
    codec::read_value(parsed, out, faults);
    if constexpr (requires { add_faults(out, call_, faults); }) {
      if (parsed.is_object()) add_faults(out, call_, faults);
    }
    if (!faults.none()) return fail(codec::faulty(faults.take()));
    return out;
  }
  template <class T, class Out>
  void keep(Result<T> read, Out& out) {
    if (read) out = std::move(*read);
    else if (!error_) error_ = std::move(read).error();
    else if (error_->code == Code::invalid) merge(std::move(read).error());
  }
  void merge(Error more);
  static Error faulty_path(std::string rule);

  Call& call_;
  const PathArguments& path_;
  std::size_t next_ = 0;
  std::optional<Error> error_;
};

void describe_path(json::object& operation, std::span<const std::string> names, std::size_t index, json::object schema);
void describe_body(json::object& operation, json::object schema, bool required);
void describe_raw_body(json::object& operation);
void describe_answer(json::object& operation, std::string_view status, json::object schema);

template <class R, class... A>
void describe(json::object& operation, codec::Schemas& schemas, std::span<const std::string> path, std::string_view status) {
  std::size_t index = 0;
  const auto one = [&]<class T>(std::type_identity<T>) {
    if constexpr (IsQuery<T>::value) {
      for (auto& parameter : codec::query_parameters<decltype(T::value)>(schemas)) {
        operation["parameters"].as_array().emplace_back(std::move(parameter));
      }
    } else if constexpr (IsBody<T>::value) {
      describe_body(operation, schemas.of<decltype(T::value)>(codec::Direction::request), true);
    } else if constexpr (IsOptionalBody<T>::value) {
      describe_body(operation, schemas.of<typename decltype(T::value)::value_type>(codec::Direction::request), false);
    } else if constexpr (std::same_as<T, RawBody>) {
      describe_raw_body(operation);
    } else {
      describe_path(operation, path, index++, schemas.of<T>(codec::Direction::request));
    }
  };
  (one(std::type_identity<A>()), ...);
  if constexpr (IsRendered<R>::value) {
    describe_answer(operation, status, schemas.of<typename IsRendered<R>::type>(codec::Direction::response));
  } else if constexpr (!std::is_void_v<R> && !std::same_as<R, Response>) {
    describe_answer(operation, status, schemas.of<R>(codec::Direction::response));
  }
}

template <class R>
Response render(const Call& call, R&& value) {
  using T = std::remove_cvref_t<R>;
  Response response;
  if constexpr (std::same_as<T, Response>) {
    response = std::forward<R>(value);
  } else if constexpr (IsRendered<T>::value) {
    response = json_response(call.status, {});
    response.body = value.json;
  } else {
    response = json_response(call.status, codec::to_json(value));
  }
  call.headers.each([&](std::string_view name, std::string_view text) { response.headers.set(name, text); });
  return response;
}

template <class H, class R, class... A>
Task<Result<Response>> invoke(H& handlers, Task<Result<R>> (H::*member)(Call&, A...), Call& call, const PathArguments& path) {
  std::tuple<A...> arguments;
  Arguments reader(call, path);
  std::apply([&](auto&... each) { (reader.read(each), ...); }, arguments);
  if (auto error = reader.take_error()) co_return fail(std::move(*error));
  auto result = co_await std::apply([&](auto&... each) { return (handlers.*member)(call, std::move(each)...); }, arguments);
  if (!result) co_return Failure(std::move(result).error());
  if constexpr (std::is_void_v<R>) {
    co_return Response{.status = call.status, .headers = call.headers, .body = {}};
  } else {
    co_return render(call, std::move(*result));
  }
}

}  // namespace detail

using Invoke = std::function<Task<Result<Response>>(Call&, const PathArguments&)>;

template <class H>
struct Row {
  template <class R, class... A>
  Row(Method method, std::string path, Access access, Task<Result<R>> (H::*member)(Call&, A...), std::string summary,
      std::vector<int> success, std::vector<int> errors, RowOptions options = {})
      : info{method, std::move(path), access, std::move(summary), std::move(success), std::move(errors)},
        bind([member](H& handlers) -> Invoke {
          return [member, &handlers](Call& call, const PathArguments& arguments) {
            return detail::invoke(handlers, member, call, arguments);
          };
        }) {
    constexpr bool any_body = (detail::IsBody<A>::value || ...) || (detail::IsOptionalBody<A>::value || ...) ||
                              (std::same_as<A, RawBody> || ...);
    info.body_limit = any_body ? options.body_limit : 0;
    info.raw_body = (std::same_as<A, RawBody> || ...);
    info.optional_body = (detail::IsOptionalBody<A>::value || ...);
    info.size_is_400 = options.size_is_400;
    info.bytes_at_once = options.bytes_at_once;
    info.requests_at_once = options.requests_at_once;
    info.describe = &detail::describe<R, A...>;
  }

  RouteInfo info;
  std::function<Invoke(H&)> bind;
};

template <class H>
using RouteTable = std::vector<Row<H>>;

}  // namespace shop::net
