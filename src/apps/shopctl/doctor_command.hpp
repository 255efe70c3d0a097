// `shopctl doctor`: opens the stores, examines them, prints what was found.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>

#include "ports/service_caller.hpp"

namespace shop {

struct DoctorCommand {
  std::string auth_url, product_url, order_url;  // postgres://…; all empty: the data folder
  std::string elasticsearch_node, kafka_brokers;
  std::string acknowledged_file;
  int patience_s = -1;  // -1: 10 beside a shop that may run, 0 otherwise
  bool mend = false, json = false;

  void declare(CLI::App& app);
  bool distributed() const { return !auth_url.empty() || !product_url.empty() || !order_url.empty(); }
};

// What mending needs: services to talk to, and the loop on which to do so.
struct OperatorAccess {
  ServiceCaller& caller;
  boost::asio::io_context& loop;
};

// `with_shop` runs its argument with access to the shop on the data folder: the one that runs, or one opened for the time.
// 0: all invariants hold. 1: something was found that was not mended. Throws std::runtime_error when the stores cannot be read.
int run_doctor(const DoctorCommand& command, const std::string& data,
               const std::function<void(const std::function<void(OperatorAccess)>&)>& with_shop);

}  // namespace shop
