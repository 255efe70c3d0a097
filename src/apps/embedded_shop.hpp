// The whole shop in one process on embedded stores: every service, constructed in order of dependence. Used by `shop`, and by
// `shopctl` when no shop runs on the folder.
#pragma once

#include <memory>

#include "apps/data_folder.hpp"
#include "net/io_threads.hpp"
#include "ports/service_caller.hpp"
#include "runtime/edge.hpp"

namespace shop {

struct EmbeddedOptions {
  std::size_t io_threads = 2;
  std::string image_base_url = "http://localhost:3000";
  std::int64_t uploads_per_minute = 50;  // from one address, like the other limits
  std::int64_t registrations_per_minute = 120, logins_per_minute = 1200, order_lookups_per_minute = 120;
  std::int64_t login_failures_per_minute = 50;  // on one account from one address
  bool allow_order_backdating = false;          // for load tests
  bool demo = false;
  std::vector<std::string> origins{"*"};      // that browsers may call from
  std::vector<std::string> metrics_addresses;  // that may read /metrics; none: every one
};

class EmbeddedShop {
 public:
  // Throws std::runtime_error with a sentence when the stores cannot be used.
  EmbeddedShop(DataFolder folder, EmbeddedOptions options);
  ~EmbeddedShop();

  // Schema, what is always present, demo data if wanted, background work. Throws like the constructor.
  void start();

  // Background work ends, what waits is flushed, then the I/O threads end; false when something was still running at `deadline`.
  bool stop(Monotonic deadline);

  void not_ready();  // before a stop: /health/ready says so

  Application& gateway();
  Application& control();            // every service under its prefix, internal routes too; for the control socket
  ServiceCaller& operator_caller();  // with shopctl's rights
  net::IoThreads& threads();
  Clock& clock();
  Random& random();
  Metrics& metrics();
  bool has_users();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace shop
