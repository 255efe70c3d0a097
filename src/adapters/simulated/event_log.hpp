// An event log on a host of its own, as its clients see it: publishing takes its time, is done in part, twice, or without an
// answer; what was read and not committed is read again, and so is what was.
#pragma once

#include "adapters/simulated/database.hpp"
#include "adapters/simulated/network.hpp"
#include "ports/event_log.hpp"

namespace shop::simulated {

// Per mille of calls.
struct EventWeather {
  unsigned partly = 0;     // some of the records were kept, the rest failed
  unsigned twice = 0;      // the records were kept twice
  unsigned again = 0;      // a fetch begins at the committed position once more
  unsigned doubled = 0;    // a fetch hands the same records out twice
  unsigned not_committed = 0;
};

// The log's own process: the real log, and who reads in it.
struct Broker {
  HostId host = nobody;
  EventLog* log = nullptr;
  std::map<std::uint64_t, std::unique_ptr<Subscription>> readers;
};

class RemoteEventLog final : public EventLog {
 public:
  RemoteEventLog(Simulation& simulation, Network& network, HostId host, Broker& broker, const EventWeather& weather,
                 std::function<CallFault(std::string_view)> planned)
      : simulation_(simulation), network_(network), host_(host), broker_(broker), weather_(weather), planned_(std::move(planned)) {}

  Task<Result<void>> publish(const Context& context, std::vector<EventRecord> records) override;
  std::unique_ptr<Subscription> subscribe(std::string group, std::vector<std::string> topics) override;
  Task<Result<std::vector<DeliveredEvent>>> history(const Context& context, std::vector<std::string> topics, std::size_t most) override;
  Task<Result<void>> ping(const Context&) override { co_return Result<void>(); }

 private:
  class Reader;
  bool strikes(unsigned per_mille, std::string_view kind);

  Simulation& simulation_;
  Network& network_;
  const HostId host_;
  Broker& broker_;
  const EventWeather& weather_;
  const std::function<CallFault(std::string_view)> planned_;
};

}  // namespace shop::simulated
