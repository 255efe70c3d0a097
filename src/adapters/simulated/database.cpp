#include "adapters/simulated/database.hpp"

namespace shop::simulated {
namespace {

Failure unavailable() { return fail(Code::unavailable, "The database cannot be used now."); }
Failure unknown() { return fail(Code::unknown_outcome, "The commit's outcome is not known."); }
Failure late() { return fail(Code::timed_out, "The database had no time for the request."); }

}  // namespace

class FaultyDatabase::Watched final : public Transaction {
 public:
  Watched(Transaction& inner, std::uint64_t id, Meddler& meddler) : Transaction(inner.context()), inner_(inner), id_(id), meddler_(meddler) {}

  Task<Result<Rows>> run(const Query& query, Params params) override { return meddler_.run(id_, inner_, query, std::move(params)); }
  Task<Result<std::vector<Rows>>> run_each(const Query& query, std::vector<Params> sets) override {
    return meddler_.run_each(id_, inner_, query, std::move(sets));
  }
  Dialect dialect() const override { return inner_.dialect(); }
  std::vector<std::move_only_function<void()>> take_hooks() { return std::move(hooks_); }

 private:
  Transaction& inner_;
  const std::uint64_t id_;
  Meddler& meddler_;
};

bool FaultyDatabase::strikes(unsigned per_mille, std::string_view kind) {
  if (!simulation_.dice().chance(per_mille)) return false;
  simulation_.struck(kind);
  return true;
}

milliseconds FaultyDatabase::delay() {
  const bool slow = strikes(weather_.slow, "database slow");
  return simulation_.dice().between(milliseconds(0), slow ? weather_.slow_most : weather_.usual_most);
}

Task<Result<void>> FaultyDatabase::attempt(Transaction& inner, Work& work, std::uint64_t id, bool rolls_back, bool unanswered) {
  Watched tx(inner, id, meddler_);
  CO_CHECK(co_await work(tx));
  if (rolls_back) co_return unavailable();
  // A commit that is not answered may take effect long after the hooks have run, which is as if they never had.
  const bool useless = unanswered && simulation_.dice().chance(500);
  for (auto& hook : tx.take_hooks()) {
    if (!useless) inner.on_commit(std::move(hook));
  }
  co_return Result<void>();
}

Task<Result<void>> FaultyDatabase::run(const Context& context, Access access, Work work) {
  const auto planned = planned_(name_);
  if (planned == CallFault::fails) co_return unavailable();
  if (planned == CallFault::times_out) co_return late();
  const bool writes = access == Access::write;
  const auto id = simulation_.next_number();
  meddler_.begun(id, name_);
  co_await clock_.sleep(delay());
  if (strikes(weather_.refused, "database refused")) {
    meddler_.released(id);
    co_return unavailable();
  }
  if (strikes(weather_.restarted, "work run again")) {
    auto given_up = co_await store_.run(context, access, [&](Transaction& tx) { return attempt(tx, work, id, true, true); });
    meddler_.restarted(id);
  }
  const bool rolls_back = writes && strikes(weather_.rolled_back, "commit failed");
  const bool unanswered = writes && !rolls_back && (planned == CallFault::unanswered || strikes(weather_.unanswered, "commit unanswered"));
  auto outcome = co_await store_.run(context, access, [&](Transaction& tx) { return attempt(tx, work, id, rolls_back, unanswered); });
  const bool flush_failed = !outcome && outcome.error().code == Code::unknown_outcome;
  meddler_.ended(id, outcome ? Ending::committed : flush_failed ? Ending::unknown : Ending::rolled_back);
  if (flush_failed) simulation_.struck("flush failed");
  simulation_.trace(static_cast<std::uint64_t>(outcome ? 0 : static_cast<int>(outcome.error().code) + 1));
  co_await clock_.sleep(delay());
  meddler_.released(id);
  if (unanswered && outcome) co_return unknown();
  if (planned == CallFault::unanswered && outcome) co_return unavailable();
  co_return outcome;
}

}  // namespace shop::simulated
