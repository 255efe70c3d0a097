#include "runtime/batcher.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>

#include "adapters/system/system.hpp"

namespace shop {
namespace {

namespace asio = boost::asio;

using Numbers = Batcher<int, int>;

// Doubles what is even, refuses what is odd; 13 spoils the whole transaction, 99 takes the store away.
struct Store {
  explicit Store(BatchLimits limits = {})
      : batcher(clock, [this](const Context& context, const Numbers::Items& items) { return work(context, items); }, limits) {}

  Task<Result<Numbers::Answers>> work(const Context& context, const Numbers::Items& items) {
    const std::vector<int> held = values(items);  // before it waits
    most_at_once = std::max(most_at_once, ++at_once);
    co_await clock.sleep(milliseconds(2));
    --at_once;
    transactions.push_back(held);
    deadlines.push_back(context.deadline);
    if (std::ranges::count(held, 13) > 0) co_return fail(Code::conflict, "spoilt");
    if (std::ranges::count(held, 99) > 0) co_return fail(Code::unavailable, "away");
    Numbers::Answers answers;
    for (const int value : held) answers.push_back(value % 2 == 0 ? Result<int>(2 * value) : fail(Code::invalid, "odd"));
    co_return answers;
  }

  static std::vector<int> values(const Numbers::Items& items) {
    std::vector<int> all;
    for (const int* item : items) all.push_back(*item);
    return all;
  }

  Task<> send(int value, Context context) {
    told[value] = co_await batcher.run(context, value);
  }

  // All at once, from one thread: the first goes alone.
  void send_all(const std::vector<int>& wanted) {
    asio::io_context loop;
    for (const int value : wanted) asio::co_spawn(loop, send(value, unhurried), [](std::exception_ptr) {});
    loop.run();
  }

  SystemClock clock;
  Context unhurried;
  int at_once = 0, most_at_once = 0;
  std::vector<std::vector<int>> transactions;
  std::vector<Monotonic> deadlines;
  std::map<int, Result<int>> told;
  Numbers batcher;
};

using Transactions = std::vector<std::vector<int>>;

TEST(Batcher, WhoComesMeanwhileSharesTheNext) {
  Store store;
  store.send_all({2, 4, 6, 8});
  EXPECT_EQ(store.transactions, (Transactions{{2}, {4, 6, 8}}));
  for (const auto& [value, answer] : store.told) EXPECT_EQ(answer, 2 * value);
}

TEST(Batcher, ATransactionHasItsLimitAndSoHaveThoseUnderWay) {
  Store few({.items = 2, .under_way = 1});
  few.send_all({2, 4, 6, 8, 10});
  EXPECT_EQ(few.transactions, (Transactions{{2}, {4, 6}, {8, 10}}));
  EXPECT_EQ(few.most_at_once, 1);
  Store two({.items = 2, .under_way = 2});
  two.send_all({2, 4, 6, 8, 10});
  EXPECT_EQ(two.transactions.size(), 4);
  EXPECT_EQ(two.most_at_once, 2);
}

TEST(Batcher, EachIsRefusedAlone) {
  Store store;
  store.send_all({2, 3, 4});
  EXPECT_EQ(store.told.at(3).error().message, "odd");
  EXPECT_EQ(store.told.at(4), 8);
  EXPECT_EQ(store.transactions.size(), 2);
}

TEST(Batcher, OneThatSpoilsATransactionIsThenAlone) {
  Store store;
  store.send_all({2, 4, 13, 6});
  EXPECT_EQ(store.transactions, (Transactions{{2}, {4, 13, 6}, {4}, {13}, {6}}));
  EXPECT_EQ(store.told.at(4), 8);
  EXPECT_EQ(store.told.at(13).error().message, "spoilt");
  EXPECT_EQ(store.told.at(6), 12);
}

TEST(Batcher, AStoreThatIsAwayIsAwayForAll) {
  Store store;
  store.send_all({2, 4, 99, 6});
  EXPECT_EQ(store.transactions.size(), 2);
  for (const int value : {4, 99, 6}) EXPECT_EQ(store.told.at(value).error().message, "away");
}

TEST(Batcher, TheQueueIsBounded) {
  Store store({.waiting = 2});
  store.send_all({2, 4, 6, 8});
  EXPECT_EQ(store.told.at(6), 12);
  EXPECT_EQ(store.told.at(8).error().name, "BUSY");
}

TEST(Batcher, WhoseTimeIsOverIsNotWorkedOn) {
  Store store;
  asio::io_context loop;
  Context brief = store.unhurried, longer = store.unhurried;
  brief.deadline = store.clock.now() + milliseconds(1);
  longer.deadline = store.clock.now() + seconds(20);
  const auto start = [&](int value, const Context& context) { asio::co_spawn(loop, store.send(value, context), [](std::exception_ptr) {}); };
  start(2, longer);
  start(4, brief);
  start(6, longer);
  loop.run();
  EXPECT_EQ(store.transactions, (Transactions{{2}, {6}}));
  EXPECT_EQ(store.told.at(4).error().code, Code::timed_out);
  EXPECT_EQ(store.deadlines.back(), longer.deadline);
}

TEST(Batcher, FromSeveralThreadsNobodyIsForgotten) {
  Store store;
  std::atomic<int> answered{0};
  struct Caller {
    static Task<> ask(Store& store, int value, std::atomic<int>& answered) {
      const auto answer = co_await store.batcher.run(store.unhurried, value);
      if (answer == 2 * value) ++answered;
    }
  };
  asio::io_context loop;
  for (int i = 0; i < 400; ++i) asio::co_spawn(asio::make_strand(loop), Caller::ask(store, 2 * (i + 100), answered), [](std::exception_ptr) {});
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { loop.run(); });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(answered, 400);
  EXPECT_LT(store.transactions.size(), 400);
}

TEST(Batcher, WhatWaitsIsLetGoBeforeItsLoopEnds) {
  Store store;
  asio::io_context loop;
  for (const int value : {2, 4, 6}) asio::co_spawn(loop, store.send(value, store.unhurried), [](std::exception_ptr) {});
  loop.run_one_for(milliseconds(100));
  loop.poll();
  store.batcher.abandon();
  EXPECT_TRUE(store.told.empty());
}

}  // namespace
}  // namespace shop
