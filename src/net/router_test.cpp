#include "net/router.hpp"

#include <gtest/gtest.h>

#include "base/await_callback.hpp"
#include "base/run_to_end.hpp"
#include "codec/forms.hpp"

namespace shop::net {
namespace {

struct Thing {
  std::string from;
  std::string id;
};
BOOST_DESCRIBE_STRUCT(Thing, (), (from, id))

struct NewThing {
  Text<2, 5> name;
  codec::Bounded<1, 9> count;
};
BOOST_DESCRIBE_STRUCT(NewThing, (), (name, count))

struct Handlers {
  // Answered when `open` is called; several may wait.
  Task<Result<Thing>> slow(Call&) {
    (void)co_await await_callback<bool>([this](Callback<bool> done) { waiting.push_back(std::move(done)); });
    co_return Thing{"slow", {}};
  }
  void open() {
    for (auto& done : std::exchange(waiting, {})) done(true);
  }
  std::vector<Callback<bool>> waiting;

  Task<Result<Thing>> newest(Call&) { co_return Thing{"newest", {}}; }
  Task<Result<Thing>> one(Call&, VariantId id) { co_return Thing{"one", id.text()}; }
  Task<Result<Thing>> parts(Call&, VariantId id) { co_return Thing{"parts", id.text()}; }
  Task<Result<Thing>> create(Call&, Body<NewThing> given) { co_return Thing{given->name.value, {}}; }
  Task<Result<void>> remove(Call&, VariantId) { co_return Result<void>(); }
  Task<Result<Thing>> secret(Call& call) { co_return Thing{call.caller.service, {}}; }
};

const RouteTable<Handlers> table{
    {Method::get, "/slow", anyone(), &Handlers::slow, "Takes its time", {200}, {}, {.requests_at_once = 2}},
    {Method::get, "/newest", anyone(), &Handlers::newest, "The newest", {200}, {}},
    {Method::get, "/:id", anyone(), &Handlers::one, "One", {200}, {404}},
    {Method::get, "/:id/parts", anyone(), &Handlers::parts, "Its parts", {200}, {404}},
    {Method::post, "/", needs(Permission::create_product), &Handlers::create, "Create", {201}, {}, {.body_limit = 200}},
    {Method::del, "/:id", needs(Permission::delete_product), &Handlers::remove, "Remove", {204}, {}},
    {Method::post, "/internal/secret", internal_only(), &Handlers::secret, "For services", {200}, {}},
};

// "creator" may create; nobody else is known.
struct Tokens final : Authenticator {
  Task<Result<Principal>> authenticate(const Context&, std::string token) override {
    if (token != "creator") co_return fail(Code::unauthenticated, "unknown token");
    Principal caller;
    caller.kind = Principal::Kind::user;
    caller.permissions.set(static_cast<std::size_t>(Permission::create_product));
    co_return caller;
  }
};

class RouterTest : public testing::Test {
 protected:
  RouterTest() { router_.mount(table, handlers_); }

  Response ask(Method method, std::string target, std::string body = {}, std::string token = {}, Arrival arrival = {}) {
    Request request;
    request.method = method;
    request.target = std::move(target);
    request.body = std::move(body);
    if (!token.empty()) request.headers.add("Authorization", "Bearer " + token);
    return ask(std::move(request), arrival);
  }

  Response ask(Request request, const Arrival& arrival = {}) {
    WholeBody whole;
    answered_ = {};
    return run_to_end(router_.answer(context_, arrival, request, whole, answered_));
  }

  static std::string from(const Response& response) {
    const auto thing = codec::from_json<Thing>(response.text());
    return thing ? thing->from : std::string(response.text());
  }

  Handlers handlers_;
  Tokens tokens_;
  Router router_{"things", "/things", tokens_};
  Context context_;
  Answered answered_;
  const std::string id_ = "7d0c1b0e-2f6e-4f0f-9a3b-4b7a7d5d9a10";
};

TEST_F(RouterTest, ARowTakesSoManyAtOnce) {
  boost::asio::io_context loop;
  std::vector<int> statuses;
  std::string retry_after;
  const auto one = [&](Answered& answered, Request& request, WholeBody& whole) -> Task<> {
    const auto response = co_await router_.answer(context_, {}, request, whole, answered);
    statuses.push_back(response.status);
    if (response.status == 503) retry_after = response.headers.get("Retry-After");
  };
  Request request;
  request.target = "/slow";
  std::vector<Request> requests(4, request);
  std::vector<WholeBody> bodies(4);
  std::vector<Answered> answered(4);
  const auto begin = [&](std::size_t i) {
    boost::asio::co_spawn(loop, one(answered[i], requests[i], bodies[i]), boost::asio::use_future);
    loop.restart();
    loop.poll();
  };
  for (std::size_t i = 0; i < 3; ++i) begin(i);
  EXPECT_EQ(statuses, std::vector<int>{503});  // at once, while two are at work
  EXPECT_TRUE(answered[2].crowded_out);        // which the metrics count
  EXPECT_EQ(retry_after, "1");
  EXPECT_EQ(ask(Method::get, "/newest").status, 200);  // another row has places of its own
  handlers_.open();
  loop.restart();
  loop.poll();
  EXPECT_EQ(statuses, (std::vector<int>{503, 200, 200}));
  EXPECT_FALSE(answered[0].crowded_out || answered[1].crowded_out);
  begin(3);
  handlers_.open();
  loop.restart();
  loop.poll();
  EXPECT_EQ(statuses, (std::vector<int>{503, 200, 200, 200}));
}

TEST_F(RouterTest, FixedSegmentsWinOverParameters) {
  EXPECT_EQ(from(ask(Method::get, "/newest")), "newest");
  EXPECT_EQ(from(ask(Method::get, "/" + id_)), "one");
  EXPECT_EQ(from(ask(Method::get, "/" + id_ + "/parts?x=1")), "parts");
  EXPECT_EQ(from(ask(Method::get, "/newest/")), "newest") << "one slash at the end is the same path";
}

TEST_F(RouterTest, WhatIsNoPathIsNotFoundAndNamed) {
  for (const std::string& path : {"/" + id_ + "/nothing", std::string("//newest"), std::string("/not-an-id/parts"), std::string("/internal/secret")}) {
    const auto response = ask(Method::get, path);
    EXPECT_EQ(response.status, 404) << path;
    EXPECT_EQ(response.headers.get("Content-Type"), "application/problem+json; charset=utf-8") << path;
  }
  EXPECT_NE(ask(Method::get, "/a/b/c").text().find("/things/a/b/c"), std::string::npos) << "the path as the client knows it";
  EXPECT_EQ(answered_.route, nullptr);
}

TEST_F(RouterTest, AnUnknownMethodIsToldWhichThereAre) {
  const auto response = ask(Method::put, "/" + id_);
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.headers.get("Allow"), "GET, HEAD, DELETE");
  EXPECT_EQ(ask(Method::put, "/internal/secret").status, 404) << "what only services may know is not betrayed by its methods";
}

TEST_F(RouterTest, AnEtagSavesTheBody) {
  const auto first = ask(Method::get, "/newest");
  const std::string etag(first.headers.get("ETag"));
  ASSERT_TRUE(etag.starts_with("W/\""));
  Request again;
  again.target = "/newest";
  again.headers.add("If-None-Match", "\"other\", " + etag);
  const auto second = ask(std::move(again));
  EXPECT_EQ(second.status, 304);
  EXPECT_EQ(second.body_size(), 0U);
  EXPECT_EQ(second.headers.get("ETag"), etag);
}

TEST_F(RouterTest, WhoMayIsAskedBeforeWhatIsSent) {
  EXPECT_EQ(ask(Method::post, "/", "{").status, 401);
  EXPECT_EQ(ask(Method::post, "/", "{", "stranger").status, 401);
  EXPECT_EQ(ask(Method::del, "/" + id_, {}, "creator").status, 403);
  EXPECT_EQ(ask(Method::post, "/", "{", "creator").status, 400);
  EXPECT_EQ(ask(Method::post, "/", R"({"name":"lamp","count":3})", "creator").status, 201);
}

TEST_F(RouterTest, EveryFaultAtOnceWithItsPath) {
  const auto response = ask(Method::post, "/", R"({"name":"x","count":10})", "creator");
  EXPECT_EQ(response.status, 400);
  EXPECT_NE(response.text().find(R"("path":"name")"), std::string::npos) << response.text();
  EXPECT_NE(response.text().find(R"("path":"count")"), std::string::npos) << response.text();
}

TEST_F(RouterTest, BodiesOfAnotherKindOrSizeAreRefused) {
  Request request;
  request.method = Method::post;
  request.body = "name=lamp";
  request.headers.add("Authorization", "Bearer creator");
  request.headers.add("Content-Type", "application/x-www-form-urlencoded");
  EXPECT_EQ(ask(std::move(request)).status, 415);
  EXPECT_EQ(ask(Method::post, "/", std::string(201, ' '), "creator").status, 413);
}

TEST_F(RouterTest, TwoAuthorizationsAreNone) {
  Request request;
  request.method = Method::post;
  request.headers.add("Authorization", "Bearer creator");
  request.headers.add("Authorization", "Bearer creator");
  EXPECT_EQ(ask(std::move(request)).status, 401);
}

TEST_F(RouterTest, InternalRoutesAreForServices) {
  EXPECT_EQ(ask(Method::post, "/internal/secret").status, 404);
  EXPECT_EQ(ask(Method::post, "/internal/secret", {}, {}, {.through_gateway = true}).status, 404);
  EXPECT_EQ(from(ask(Method::post, "/internal/secret", {}, {}, {.service = "order-service"})), "order-service");
}

TEST(RouterTable, ARowThatContradictsAnotherEndsTheStart) {
  Handlers handlers;
  Tokens tokens;
  const auto mount = [&](RouteTable<Handlers> rows) {
    Router router("things", "/things", tokens);
    router.mount(rows, handlers);
  };
  EXPECT_THROW(mount({{Method::get, "/:id", anyone(), &Handlers::one, "One", {200}, {}},
                      {Method::get, "/:other", anyone(), &Handlers::parts, "Two", {200}, {}}}),
               std::logic_error);
  EXPECT_THROW(mount({{Method::get, "/newest", anyone(), &Handlers::newest, "", {200}, {}}}), std::logic_error);
  EXPECT_THROW(mount({{Method::get, "/newest", needs(), &Handlers::newest, "Nobody", {200}, {}}}), std::logic_error);
}

TEST(Etag, ListsAndStarsMatchWeakly) {
  EXPECT_TRUE(none_match(R"(W/"a", "b")", R"(W/"b")"));
  EXPECT_TRUE(none_match("*", R"(W/"b")"));
  EXPECT_FALSE(none_match(R"("a")", R"(W/"b")"));
  EXPECT_FALSE(none_match("", R"(W/"b")"));
}

}  // namespace
}  // namespace shop::net
