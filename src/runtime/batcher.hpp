// Group commit: what comes while transactions of its kind are under way shares the next one, and its commit (DeWitt et al., "Implementation
// Techniques for Main Memory Database Systems", SIGMOD 1984). Who comes alone goes at once: nobody waits for company.
//
// Each item fails alone: by an answer of its own, or, when the whole transaction failed and one of several may be the reason, since each is
// then worked on by itself. Only what concerns all of them is everybody's error: the store is away, had no time, or left the outcome open.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>

#include "base/await_callback.hpp"
#include "base/context.hpp"
#include "base/result.hpp"
#include "ports/clock.hpp"

namespace shop {

struct BatchLimits {
  std::size_t items = 32;      // in a transaction
  std::size_t under_way = 1;   // transactions at once
  std::size_t waiting = 1000;  // items; one more is refused as unavailable
};

template <class Item, class Answer>
class Batcher {
 public:
  using Items = std::vector<const Item*>;
  using Answers = std::vector<Result<Answer>>;  // one for each item, in their order

  // The context is of whoever came first, with the time of whoever has most.
  using Work = std::function<Task<Result<Answers>>(const Context&, const Items&)>;

  Batcher(Clock& clock, Work work, BatchLimits limits = {}) : clock_(clock), work_(std::move(work)), limits_(limits) {}

  // timed_out when its turn came after the deadline: nothing was done.
  Task<Result<Answer>> run(const Context& context, Item item) {
    const auto executor = co_await boost::asio::this_coro::executor;
    co_return co_await await_callback<Result<Answer>>([&](Callback<Result<Answer>> done) {
      Member member{context, std::move(item), std::move(done)};
      if (auto* batch = enter(member)) boost::asio::co_spawn(executor, work_off(*batch), rethrow);
      else if (member.done) member.done(fail(busy("Too many requests wait for this.")));
    });
  }

  // Forgets whoever waits. Before the loops end to which the waiting belong, after their threads and the store's have.
  void abandon() {
    std::deque<Member> waiting;  // end outside the lock
    std::list<Batch> under_way;
    const std::lock_guard lock(mutex_);
    waiting.swap(waiting_);
    under_way.swap(under_way_);
  }

 private:
  struct Member {
    Context context;
    Item item;
    Callback<Result<Answer>> done;
  };
  using Batch = std::vector<Member>;

  static void rethrow(std::exception_ptr thrown) {
    if (thrown) std::rethrow_exception(thrown);
  }

  // Takes the member, unless too many wait. A batch when somebody has to work it off.
  Batch* enter(Member& member) {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() == limits_.waiting) return nullptr;
    waiting_.push_back(std::move(member));
    return under_way_.size() < limits_.under_way ? &under_way_.emplace_back() : nullptr;
  }

  Task<> work_off(Batch& batch) {
    while (next(batch)) co_await serve(batch);
  }

  // False when nobody waits any more: then the batch is gone.
  bool next(Batch& batch) {
    Batch late;
    bool found = false;
    {
      const std::lock_guard lock(mutex_);
      batch.clear();
      for (const auto now = clock_.now(); !waiting_.empty() && batch.size() < limits_.items; waiting_.pop_front()) {
        (waiting_.front().context.deadline > now ? batch : late).push_back(std::move(waiting_.front()));
      }
      found = !batch.empty();
      if (!found) under_way_.remove_if([&](const Batch& each) { return &each == &batch; });
    }
    for (auto& member : late) member.done(fail(Code::timed_out, "There was no time left for the request."));
    return found;
  }

  Task<> serve(Batch& batch) {
    Context context = batch.front().context;
    Items items;
    for (const auto& member : batch) {
      items.push_back(&member.item);
      context.deadline = std::max(context.deadline, member.context.deadline);
    }
    auto answers = co_await work_(context, items);
    const bool together = answers || batch.size() == 1 || concerns_all(answers.error().code);
    for (std::size_t i = 0; i < batch.size(); ++i) {
      auto& member = batch[i];
      if (together) member.done(answers ? std::move((*answers)[i]) : Result<Answer>(Failure(answers.error())));
      else member.done(co_await alone(member));
    }
  }

  Task<Result<Answer>> alone(const Member& member) {
    const Items items{&member.item};
    CO_TRY(auto answers, co_await work_(member.context, items));
    co_return std::move(answers.front());
  }

  static bool concerns_all(Code code) { return code == Code::unavailable || code == Code::timed_out || code == Code::unknown_outcome; }

  Clock& clock_;
  const Work work_;
  const BatchLimits limits_;
  std::mutex mutex_;
  std::deque<Member> waiting_;
  std::list<Batch> under_way_;
};

}  // namespace shop
