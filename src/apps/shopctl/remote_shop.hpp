// A distributed shop as shopctl reaches it: services by Consul or fixed address, with the internal credential, as an operator.
#pragma once

#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>

#include "apps/settings.hpp"
#include "ports/service_caller.hpp"

namespace shop {

struct RemoteSettings {
  std::string consul_host, internal_token;
  std::uint16_t consul_port = 8500;
  TlsSettings tls;
  std::map<std::string, std::string> urls;  // service -> address

  void declare(CLI::App& app);
  bool given() const;  // otherwise commands work on a data folder
};

class RemoteShop {
 public:
  // Asks Consul once who runs where. Throws std::runtime_error with a sentence.
  explicit RemoteShop(const RemoteSettings& settings);
  ~RemoteShop();

  // From now on one instance of the service, which knows what became of what it was asked.
  void stay_with_one(const std::string& service);

  ServiceCaller& caller();
  boost::asio::io_context& loop();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace shop
