#include "runtime/idempotency.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>

#include "adapters/memory_kv/memory_kv.hpp"
#include "adapters/system/system.hpp"

namespace shop {
namespace {

namespace asio = boost::asio;

const IdempotencyKey of_somebody{"user 1", "key", "hash"};

struct Station {
  SystemClock clock;
  MemoryKeyValue store;
  Rendezvous rendezvous{store, clock};

  explicit Station(std::size_t room = 10) : store(clock, room) {}

  std::string agree(const IdempotencyKey& key, std::string proposal) {
    asio::io_context loop;
    const Context context;
    std::string agreed;
    asio::co_spawn(loop, rendezvous.agree(context, key, std::move(proposal)), [&](std::exception_ptr, std::string text) { agreed = std::move(text); });
    loop.run();
    return agreed;
  }
};

TEST(Rendezvous, WhoeverComesFirstIsFollowed) {
  Station at;
  EXPECT_EQ(at.agree(of_somebody, "first"), "first");
  EXPECT_EQ(at.agree(of_somebody, "second"), "first");
}

TEST(Rendezvous, OthersAndOtherRequestsDoNotMeet) {
  Station at;
  EXPECT_EQ(at.agree(of_somebody, "first"), "first");
  EXPECT_EQ(at.agree({"user 2", "key", "hash"}, "second"), "second");
  EXPECT_EQ(at.agree({"user 1", "another key", "hash"}, "third"), "third");
  EXPECT_EQ(at.agree({"user 1", "key", "another request"}, "fourth"), "fourth");
}

TEST(Rendezvous, WithoutAStoreEverybodyGoesHisOwnWay) {
  Station full(0);
  EXPECT_EQ(full.agree(of_somebody, "first"), "first");
  EXPECT_EQ(full.agree(of_somebody, "second"), "second");
}

}  // namespace
}  // namespace shop
