#include "runtime/idempotency.hpp"

#include <gtest/gtest.h>

#include "adapters/memory_kv/memory_kv.hpp"
#include "adapters/system/system.hpp"
#include "base/run_to_end.hpp"

namespace shop {
namespace {

const IdempotencyKey of_somebody{"user 1", "key", "hash"};

struct Station {
  SystemClock clock;
  MemoryKeyValue store;
  Rendezvous rendezvous{store, clock};

  explicit Station(std::size_t room = 10) : store(clock, room) {}

  std::string agree(const IdempotencyKey& key, std::string proposal) { return run_to_end(rendezvous.agree({}, key, std::move(proposal))); }
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
