#include "adapters/simulated/event_log.hpp"

namespace shop::simulated {
namespace {

constexpr milliseconds call_limit{5000};
using Events = std::vector<DeliveredEvent>;

Failure away() { return fail(Code::unavailable, "The event log cannot be reached."); }

Task<Result<bool>> publish_at(Broker& broker, const Context& context, std::vector<EventRecord> records, bool twice) {
  if (twice) CO_CHECK(co_await broker.log->publish(context, records));
  CO_CHECK(co_await broker.log->publish(context, std::move(records)));
  co_return true;
}

Task<Result<Events>> fetch_at(Broker& broker, std::uint64_t id, std::string group, std::vector<std::string> topics, std::size_t max,
                              milliseconds wait) {
  auto& reader = broker.readers[id];
  if (!reader) reader = broker.log->subscribe(std::move(group), std::move(topics));
  co_return co_await reader->fetch(max, wait);
}

Task<Result<bool>> commit_at(Broker& broker, std::uint64_t id, std::string group, std::vector<std::string> topics, DeliveredEvent event) {
  auto& reader = broker.readers[id];
  if (!reader) reader = broker.log->subscribe(std::move(group), std::move(topics));
  CO_CHECK(co_await reader->commit(event));
  co_return true;
}

}  // namespace

class RemoteEventLog::Reader final : public Subscription {
 public:
  Reader(RemoteEventLog& log, std::string group, std::vector<std::string> topics)
      : log_(log), group_(std::move(group)), topics_(std::move(topics)), id_(log_.simulation_.next_number()) {}

  Task<Result<Events>> fetch(std::size_t max, milliseconds wait) override {
    const auto planned = log_.planned_("events");
    if (planned == CallFault::fails || planned == CallFault::times_out) co_return away();
    if (again_ || log_.strikes(log_.weather_.again, "events read again")) id_ = log_.simulation_.next_number();
    again_ = true;  // unless the answer comes: what it held would be skipped
    Context context;
    context.deadline = log_.simulation_.now() + wait + call_limit;
    // By value: the broker may still be at it when this reader's host is gone.
    CO_TRY(auto events, co_await log_.network_.call<Events>(
                            log_.host_, log_.broker_.host, context,
                            [&broker = log_.broker_, id = id_, group = group_, topics = topics_, max, wait](const Context&) {
                              return fetch_at(broker, id, group, topics, max, wait);
                            }));
    if (planned == CallFault::unanswered) co_return away();
    again_ = false;
    if (!events.empty() && log_.strikes(log_.weather_.doubled, "events doubled")) {
      const auto first = events.size();
      for (std::size_t i = 0; i < first; ++i) events.push_back(events[i]);
    }
    co_return events;
  }

  Task<Result<void>> commit(const DeliveredEvent& event) override {
    const auto planned = log_.planned_("events");
    if (planned == CallFault::fails || planned == CallFault::times_out) co_return away();
    if (log_.strikes(log_.weather_.not_committed, "position not committed")) co_return away();
    Context context;
    context.deadline = log_.simulation_.now() + call_limit;
    CO_CHECK(co_await log_.network_.call<bool>(log_.host_, log_.broker_.host, context,
                                               [&broker = log_.broker_, id = id_, group = group_, topics = topics_, event](const Context&) {
                                                 return commit_at(broker, id, group, topics, event);
                                               }));
    if (planned == CallFault::unanswered) co_return away();
    co_return Result<void>();
  }

  std::int64_t lag() const override { return -1; }

 private:
  RemoteEventLog& log_;
  const std::string group_;
  const std::vector<std::string> topics_;
  std::uint64_t id_;
  bool again_ = false;
};

bool RemoteEventLog::strikes(unsigned per_mille, std::string_view kind) {
  if (!simulation_.dice().chance(per_mille)) return false;
  simulation_.struck(kind);
  return true;
}

Task<Result<void>> RemoteEventLog::publish(const Context& given, std::vector<EventRecord> records) {
  const auto planned = planned_("events");
  if (planned == CallFault::fails) co_return away();
  if (planned == CallFault::times_out) co_return fail(Code::timed_out, "The event log did not answer in time.");
  Context context = given;
  context.deadline = std::min(context.deadline, simulation_.now() + call_limit);
  const bool partly = records.size() > 1 && strikes(weather_.partly, "events kept in part");
  if (partly) records.resize(1 + simulation_.dice().below(records.size() - 1));
  const bool twice = !partly && strikes(weather_.twice, "events kept twice");
  CO_CHECK(co_await network_.call<bool>(host_, broker_.host, context, [&broker = broker_, records, twice](const Context& there) {
    return publish_at(broker, there, records, twice);
  }));
  if (partly || planned == CallFault::unanswered) co_return away();
  co_return Result<void>();
}

Task<Result<Events>> RemoteEventLog::history(const Context& context, std::vector<std::string> topics, std::size_t most) {
  co_return co_await network_.call<Events>(host_, broker_.host, context, [&broker = broker_, topics = std::move(topics), most](const Context& there) {
    return broker.log->history(there, topics, most);
  });
}

std::unique_ptr<Subscription> RemoteEventLog::subscribe(std::string group, std::vector<std::string> topics) {
  return std::make_unique<Reader>(*this, std::move(group), std::move(topics));
}

}  // namespace shop::simulated
