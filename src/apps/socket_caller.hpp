// Calls into a shop that runs on a data folder, over its control socket.
#pragma once

#include "net/client.hpp"
#include "ports/service_caller.hpp"

namespace shop {

class SocketCaller final : public ServiceCaller {
 public:
  explicit SocketCaller(std::string socket) : endpoint_{.host = {}, .port = 0, .unix_socket = std::move(socket)} {}

  Task<Result<Response>> call(const Context& context, std::string_view service, Request request) override {
    request.target.insert(0, "/" + std::string(service));
    co_return co_await pool_.send(context, endpoint_, request);
  }

 private:
  const net::Endpoint endpoint_;
  net::ClientPool pool_;
};

}  // namespace shop
