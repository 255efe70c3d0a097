// One service as a process of its own: settings, stores by URL, peers by discovery or fixed address, life from start to drain.
//
// The process listens at once and answers 503 until what it needs is there: services start in any order. It registers with
// Consul when it is ready, and at SIGTERM it withdraws, finishes what runs, flushes and exits 0.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "apps/settings.hpp"
#include "base/worker_pool.hpp"
#include "net/client.hpp"
#include "net/io_threads.hpp"
#include "ports/key_value.hpp"
#include "runtime/service.hpp"

namespace shop {

class PasswordHasher;
class SearchIndex;
class BlobStore;

// What a service's factory may ask for. Each is made on first use, from the setting named; a missing one stops the start.
class ProcessResources {
 public:
  virtual ~ProcessResources() = default;

  virtual const ServiceWorld& world() = 0;
  virtual Database& database() = 0;          // DATABASE_URL
  virtual KeyValueStore& key_values() = 0;   // REDIS_URL, or REDIS_HOST and REDIS_PORT
  virtual SearchIndex& search_index() = 0;   // SEARCH, or ELASTICSEARCH_NODE
  virtual BlobStore& blobs() = 0;            // UPLOAD_DIR
  virtual PasswordHasher& hasher() = 0;
  virtual WorkerPool& workers() = 0;
  virtual ServiceCaller& operator_caller() = 0;  // calls peers with an operator's rights
  virtual std::string text(std::string_view variable) const = 0;  // one of ServiceProgram::settings
  virtual bool flag(std::string_view variable) const = 0;            // one whose format is yes_or_no()
  virtual std::int64_t number(std::string_view variable) const = 0;  // one whose format is whole()
};

struct ProgramSetting {
  std::string option, variable, description, fallback;
  Format format = format::text();
  bool is_secret = false;
};

struct ServiceProgram {
  std::string name;             // "product-service"
  std::uint16_t port = 3000;
  std::string description;
  bool uses_database = false, uses_key_values = false, uses_events = false, uses_search = false, uses_blobs = false;
  bool key_values_optional = false;  // without REDIS_URL they live in this process: enough for limits
  std::vector<std::string> peers;          // services that it calls
  std::vector<std::string> callers;        // services that call it; with TLS nobody else may, unless TLS_ALLOW says so
  std::vector<std::string> operators;      // of those, who may use every route beside shopctl
  std::string_view slashes_below;          // a path of it, the rest of which may hold encoded slashes: "/sku/"
  std::vector<ProgramSetting> settings;    // its own
  std::function<std::unique_ptr<Service>(ProcessResources&)> make;
};

int run_service(int argc, char** argv, const ServiceProgram& program);

// The gateway: no stores, every service a peer.
int run_gateway(int argc, char** argv);

}  // namespace shop
