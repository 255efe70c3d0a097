// Typed calls to another service, the same in one process and over HTTP. Each service's clients.hpp holds its peers' calls.
#pragma once

#include <fmt/format.h>

#include "codec/json_reader.hpp"
#include "ports/service_caller.hpp"

namespace shop {

class Peer {
 public:
  Peer(ServiceCaller& caller, std::string service) : caller_(caller), service_(std::move(service)) {}

  template <class T>
  Task<Result<T>> get(const Context& context, std::string target) const {
    return answer<T>(context, Request{.method = Method::get, .target = std::move(target), .headers = {}, .body = {}, .remote = {}});
  }

  // POST without a body.
  template <class T>
  Task<Result<T>> command(const Context& context, std::string target) const {
    return answer<T>(context, Request{.method = Method::post, .target = std::move(target), .headers = {}, .body = {}, .remote = {}});
  }

  template <class T, class B>
  Task<Result<T>> post(const Context& context, std::string target, const B& body) const {
    return send<T>(context, Method::post, std::move(target), body);
  }

  template <class T, class B>
  Task<Result<T>> put(const Context& context, std::string target, const B& body) const {
    return send<T>(context, Method::put, std::move(target), body);
  }

  template <class T, class B>
  Task<Result<T>> send(const Context& context, Method method, std::string target, const B& body) const {
    Request request{.method = method, .target = std::move(target), .headers = {}, .body = codec::to_json(body), .remote = {}};
    request.headers.add("Content-Type", "application/json");
    return answer<T>(context, std::move(request));
  }

  template <class T>
  Task<Result<T>> answer(const Context& context, Request request) const {
    CO_TRY(const Response response, co_await caller_.call(context, service_, std::move(request)));
    if (response.status >= 300) co_return fail(error_of(response));
    if constexpr (std::is_void_v<T>) {
      co_return Result<void>();
    } else {
      auto read = codec::from_json<T>(response.text());
      if (!read) {
        co_return fail(Code::bad_upstream, fmt::format("{} gave an answer that cannot be read.", service_), {}, read.error().message);
      }
      co_return std::move(*read);
    }
  }

 private:
  Error error_of(const Response& response) const;

  ServiceCaller& caller_;
  const std::string service_;
};

}  // namespace shop
