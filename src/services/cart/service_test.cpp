#include "services/cart/service.hpp"

#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_future.hpp>

#include "adapters/memory_kv/memory_kv.hpp"
#include "adapters/system/system.hpp"

namespace shop::cart {
namespace {

namespace asio = boost::asio;

// product-service as a cart sees it: one variant for 10.00, or nobody at home.
class Catalogue final : public ServiceCaller {
 public:
  std::atomic<bool> away{false};
  std::atomic<int> calls{0};
  std::map<std::string, product::VariantDetails> variants;

  Task<Result<Response>> call(const Context&, std::string_view, Request request) override {
    ++calls;
    if (away) co_return fail(Code::unavailable, "nobody");
    Response response;
    if (request.path() == "/internal/variant-details") {
      response.body = codec::to_json(variants);
    } else if (request.path() == "/currencies/internal/rates/EUR") {
      response.body = codec::to_json(product::CurrencyRow{*Currency::parse("EUR"), *Rate::parse("0.92"), false, {}});
    } else {
      response.status = 404;
      response.body = R"({"message":"no","code":"NOT_FOUND","errors":[]})";
    }
    co_return response;
  }
};

class CartServiceTest : public testing::Test {
 protected:
  CartServiceTest() {
    item_.productId = random_.id<ProductId>({});
    item_.variantId = random_.id<VariantId>({});
    item_.quantity = {1};
    item_.price = {{1}};
    product::VariantDetails details;
    details.price = {1000};
    details.productId = item_.productId;
    details.productName = {{"en", "Lamp"}};
    catalogue_.variants[item_.variantId.text()] = details;
    user_.kind = Principal::Kind::user;
    user_.id = random_.id<UserId>({});
    for (int i = 0; i < 4; ++i) threads_.emplace_back([this] { loop_.run(); });
  }

  ~CartServiceTest() override {
    work_.reset();
    for (auto& thread : threads_) thread.join();
  }

  template <class T>
  T run(Task<T> task) {
    return asio::co_spawn(asio::make_strand(loop_), std::move(task), asio::use_future).get();
  }

  template <class T>
  std::future<T> start(Task<T> task) {
    return asio::co_spawn(asio::make_strand(loop_), std::move(task), asio::use_future);
  }

  CartService::Adding adding(NewItem item, std::optional<std::string> key = {}, std::string hash = "h") {
    return {std::move(item), std::nullopt, "en", std::move(key), std::move(hash)};
  }

  Cart read(const std::string& json) { return *codec::from_json<Cart>(json); }
  Cart cart(const CartId& id, const Principal& caller = {}) { return read(run(service_.open(context_, id, caller))->json); }
  CartId fresh() { return cart_id(run(service_.open(context_, std::nullopt, {}))->json); }
  CartId cart_id(const std::string& json) { return read(json).id; }

  asio::io_context loop_;
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work_{asio::make_work_guard(loop_)};
  SystemClock clock_;
  SystemRandom random_;
  MemoryKeyValue store_{clock_};
  Catalogue catalogue_;
  CartService service_{{}, store_, CataloguePeer(catalogue_), clock_, random_};
  CartService replica_{{}, store_, CataloguePeer(catalogue_), clock_, random_};  // another process, as the store sees it
  Context context_;
  NewItem item_;
  Principal user_;
  const Principal nobody_;
  std::vector<std::thread> threads_;
};

TEST_F(CartServiceTest, OpensUnderAGivenIdOrAnUnguessableOne) {
  const auto first = run(service_.open(context_, std::nullopt, {}));
  ASSERT_TRUE(first && first->created);
  const auto id = cart_id(first->json);
  EXPECT_EQ(id.text()[14], '4');
  EXPECT_FALSE(run(service_.open(context_, id, {}))->created);
  const CartId wanted{random_.uuid4()};
  const auto made = run(service_.open(context_, wanted, {}));
  EXPECT_TRUE(made->created);
  EXPECT_EQ(cart_id(made->json), wanted);
  EXPECT_EQ(run(service_.add(context_, CartId{random_.uuid4()}, {}, adding(item_))).error().code, Code::not_found);
}

TEST_F(CartServiceTest, ParallelAddsOfOneVariantAddUp) {
  const auto id = fresh();
  const auto more = adding(item_);
  std::vector<std::future<Result<std::string>>> running;
  for (int i = 0; i < 100; ++i) running.push_back(start((i % 2 ? service_ : replica_).add(context_, id, nobody_, more)));
  for (auto& each : running) EXPECT_TRUE(each.get());
  ASSERT_EQ(cart(id).items.size(), 1);
  EXPECT_EQ(cart(id).items.front().quantity, 100);
}

TEST_F(CartServiceTest, NoLineIsLostWhileTheCartIsAssociated) {
  Principal caller = user_;
  const auto old = fresh();
  ASSERT_TRUE(run(service_.add(context_, old, caller, adding(item_))));
  ASSERT_TRUE(run(service_.associate(context_, old, caller)));
  const auto id = fresh();
  catalogue_.away = true;
  std::vector<CartService::Adding> lines;
  for (int i = 0; i < 64; ++i) {
    auto line = item_;
    line.variantId = random_.id<VariantId>({});
    lines.push_back(adding(line));
  }
  std::vector<std::future<Result<std::string>>> running;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    running.push_back(start((i % 2 ? service_ : replica_).add(context_, id, caller, lines[i])));
    if (i == 32) ASSERT_TRUE(run(replica_.associate(context_, id, caller)));
  }
  for (auto& each : running) EXPECT_TRUE(each.get());
  EXPECT_EQ(cart(id, caller).items.size(), 65) << "64 of this cart, one of the cart before";
  EXPECT_EQ(cart(id, caller).userId, user_.id);
  EXPECT_EQ(run(service_.open(context_, id, {})).error().code, Code::not_found);
  EXPECT_TRUE(run(service_.open(context_, old, {}))->created) << "the cart before is gone";
}

TEST_F(CartServiceTest, OneKeyOneEffect) {
  const auto id = fresh();
  const auto once = adding(item_, "key", "same");
  std::vector<std::future<Result<std::string>>> running;
  for (int i = 0; i < 30; ++i) running.push_back(start((i % 2 ? service_ : replica_).add(context_, id, nobody_, once)));
  std::set<std::string> answers;
  for (auto& each : running) answers.insert(each.get().value());
  EXPECT_EQ(answers.size(), 1);
  EXPECT_EQ(cart(id).items.front().quantity, 1);
  EXPECT_EQ(run(service_.add(context_, id, {}, adding(item_, "key", "other"))).error().code, Code::unprocessable);
  EXPECT_TRUE(run(service_.add(context_, id, {}, adding(item_, "key 2", "same"))));
  EXPECT_EQ(cart(id).items.front().quantity, 2);
}

TEST_F(CartServiceTest, OneKeyOneEffectInALargeCart) {
  const auto id = fresh();
  catalogue_.away = true;
  for (int i = 0; i < 250; ++i) {
    auto line = item_;
    line.variantId = random_.id<VariantId>({});
    line.name = Text<0, 200>{std::string(200, 'x')};
    ASSERT_TRUE(run(service_.add(context_, id, nobody_, adding(line))));
  }
  const auto first = run(service_.add(context_, id, nobody_, adding(item_, "key")));
  ASSERT_TRUE(first && first->size() > 64 * 1024);
  EXPECT_EQ(*run(service_.add(context_, id, nobody_, adding(item_, "key"))), *first);
  EXPECT_EQ(cart(id).items.back().quantity, 1);
}

TEST_F(CartServiceTest, TheCataloguePricesAndTheRequestOnlyWhenItIsAway) {
  const auto id = fresh();
  EXPECT_EQ(read(*run(service_.add(context_, id, {}, adding(item_)))).items.front().price, ShownPrice{1000});
  auto euros = adding(item_);
  euros.currency = *Currency::parse("EUR");
  EXPECT_EQ(read(*run(service_.add(context_, id, {}, euros))).items.front().price, ShownPrice{920});
  euros.currency = *Currency::parse("ZZZ");
  EXPECT_EQ(run(service_.add(context_, id, {}, euros)).error().name, "UNKNOWN_CURRENCY");
  catalogue_.away = true;
  EXPECT_EQ(read(*run(service_.add(context_, id, {}, adding(item_)))).items.front().price, ShownPrice{1});
  catalogue_.away = false;
  auto unknown = item_;
  unknown.variantId = random_.id<VariantId>({});
  EXPECT_EQ(run(service_.add(context_, id, {}, adding(unknown))).error().code, Code::not_found);
  EXPECT_EQ(cart(id).items.front().quantity, 3);
}

TEST_F(CartServiceTest, AssociationIsTheUsersAlone) {
  Principal other = user_;
  other.id = random_.id<UserId>({});
  const auto id = fresh();
  ASSERT_EQ((*run(service_.associate(context_, id, user_)))->userId, user_.id);
  ASSERT_EQ((*run(service_.associate(context_, id, user_)))->userId, user_.id);
  EXPECT_EQ(run(service_.associate(context_, id, other)).error().code, Code::not_found);
  EXPECT_FALSE(*run(service_.associate(context_, CartId{random_.uuid4()}, user_)));
  for (const auto& who : {other, Principal{}}) {
    EXPECT_EQ(run(service_.add(context_, id, who, adding(item_))).error().code, Code::not_found);
    EXPECT_EQ(run(service_.clear(context_, id, who)).error().code, Code::not_found);
    EXPECT_EQ(run(service_.remove(context_, id, who)).error().code, Code::not_found);
  }
  ASSERT_TRUE(run(service_.remove(context_, id, user_)));
  EXPECT_EQ(run(service_.remove(context_, id, user_)).error().code, Code::not_found);
  const auto next = fresh();
  EXPECT_TRUE((*run(service_.associate(context_, next, user_)))->items.empty());
}

TEST_F(CartServiceTest, LinesChangeAndGo) {
  const auto id = fresh();
  const auto item = read(*run(service_.add(context_, id, {}, adding(item_)))).items.front().itemId;
  EXPECT_EQ(read(*run(service_.set_quantity(context_, id, {}, item, 9))).items.front().quantity, 9);
  EXPECT_EQ(run(service_.set_quantity(context_, id, {}, CartItemId{random_.uuid4()}, 9)).error().code, Code::not_found);
  EXPECT_TRUE(read(*run(service_.remove_line(context_, id, {}, item))).items.empty());
  EXPECT_EQ(run(service_.remove_line(context_, id, {}, item)).error().code, Code::not_found);
  ASSERT_TRUE(run(service_.add(context_, id, {}, adding(item_))));
  EXPECT_TRUE(read(*run(service_.clear(context_, id, {}))).items.empty());
}

}  // namespace
}  // namespace shop::cart
