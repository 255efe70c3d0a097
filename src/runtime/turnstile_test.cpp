#include "runtime/turnstile.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/strand.hpp>

#include "adapters/system/system.hpp"

namespace shop {
namespace {

namespace asio = boost::asio;

struct Room {
  SystemClock clock;
  Turnstile turns{clock, 50};
  Context context;
  std::atomic<int> inside{0}, most{0}, entered{0}, refused{0}, late{0};
};

Task<> visit(Room& room, std::string key, Context context) {
  auto turn = co_await room.turns.enter(context, key);
  if (!turn) {
    ++(turn.error().code == Code::timed_out ? room.late : room.refused);
    co_return;
  }
  const int now = ++room.inside;
  if (now > room.most) room.most = now;
  co_await room.clock.sleep(milliseconds(1));
  --room.inside;
  ++room.entered;
}

TEST(Turnstile, OneAtATimeAndNobodyIsForgotten) {
  Room room;
  asio::io_context loop;
  for (int i = 0; i < 40; ++i) asio::co_spawn(asio::make_strand(loop), visit(room, "a", room.context), [](std::exception_ptr) {});
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { loop.run(); });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(room.entered, 40);
  EXPECT_EQ(room.most, 1);
  EXPECT_EQ(room.turns.keys(), 0);
}

TEST(Turnstile, KeysDoNotWaitForEachOther) {
  Room room;
  asio::io_context loop;
  for (const auto* key : {"a", "b", "c"}) asio::co_spawn(loop, visit(room, key, room.context), [](std::exception_ptr) {});
  loop.run();
  EXPECT_EQ(room.most, 3);
}

TEST(Turnstile, TheQueueIsBoundedAndALateTurnIsNone) {
  Room room;
  asio::io_context loop;
  Context short_of_time;
  short_of_time.deadline = room.clock.now() - milliseconds(1);
  asio::co_spawn(loop, visit(room, "a", room.context), [](std::exception_ptr) {});
  for (int i = 0; i < 55; ++i) asio::co_spawn(loop, visit(room, "a", short_of_time), [](std::exception_ptr) {});
  loop.run();
  EXPECT_EQ(room.entered, 1);
  EXPECT_EQ(room.refused, 5);
  EXPECT_EQ(room.late, 50);
  EXPECT_EQ(room.turns.keys(), 0);
}

TEST(Turnstile, WhoWaitsAtTheEndIsForgottenBeforeItsLoop) {
  Room room;
  {
    asio::io_context loop;
    for (int i = 0; i < 20; ++i) asio::co_spawn(loop, visit(room, "a", room.context), [](std::exception_ptr) {});
    loop.poll();
    EXPECT_EQ(room.turns.keys(), 1);
    room.turns.abandon();
    EXPECT_EQ(room.turns.keys(), 0);
  }
  EXPECT_LT(room.entered, 20);
  EXPECT_EQ(room.turns.keys(), 0);
}

}  // namespace
}  // namespace shop
