// The search engine of a simulated world: the index as its port describes it (tests/contract/search_model.hpp), which outlives
// search-service, behind weather of its own.
#pragma once

#include "adapters/simulated/database.hpp"
#include "contract/search_model.hpp"

namespace shop::simulation {

using simulated::CallFault;

// Per mille of calls.
struct IndexWeather {
  unsigned refused = 0;     // before anything was done
  unsigned partly = 0;      // some of the writes were kept, and the rest failed
  unsigned unanswered = 0;  // all were kept, and it is not known
};

struct Engine {
  test::SearchModel live;
  bool complete = false;

  // A power failure where the index lies on the service's own disk: it is noticed, and must be built anew.
  void damage() { *this = {}; }
};

class FaultyIndex final : public SearchIndex {
 public:
  // `forgets`: the planted fault of an index that takes a refused write for done.
  FaultyIndex(simulated::Simulation& simulation, simulated::HostId host, Engine& engine, const IndexWeather& weather,
              std::function<CallFault(std::string_view)> planned, bool forgets)
      : simulation_(simulation), clock_(simulation, host), engine_(engine), weather_(weather), planned_(std::move(planned)), forgets_(forgets) {}

  Task<Result<void>> apply(const Context& context, std::vector<Write> writes) override;
  Task<Result<SearchResult>> search(const Context& context, SearchQuery query) override;
  Task<Result<void>> begin_rebuild(const Context& context) override;
  Task<Result<void>> feed_rebuild(const Context& context, std::vector<Write> writes) override;
  Task<Result<void>> finish_rebuild(const Context& context, bool keep) override;
  Task<Result<SearchState>> state(const Context& context) override;
  Task<Result<void>> ping(const Context&) override { co_return Result<void>(); }

 private:
  Task<Result<CallFault>> reached();
  Result<void> answered(CallFault planned);
  bool strikes(unsigned per_mille, std::string_view kind);

  simulated::Simulation& simulation_;
  simulated::SimulatedClock clock_;
  Engine& engine_;
  const IndexWeather& weather_;
  const std::function<CallFault(std::string_view)> planned_;
  const bool forgets_;
  std::optional<test::SearchModel> next_;  // a rebuild ends with the service that makes it
};

}  // namespace shop::simulation
