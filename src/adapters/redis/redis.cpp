#include "adapters/redis/redis.hpp"

#include <deque>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <hiredis/async.h>

#include "base/await_callback.hpp"

namespace shop {
namespace {

namespace asio = boost::asio;

using Arguments = std::vector<std::string>;

// Each change is four arguments: expected present?, expected, new present?, new, and its time to live in seconds.
constexpr const char* swap_script = R"(
for i, key in ipairs(KEYS) do
  local at = (i - 1) * 5
  local value = redis.call('GET', key)
  if ARGV[at + 1] == '1' then
    if value ~= ARGV[at + 2] then return 0 end
  elseif value then
    return 0
  end
end
for i, key in ipairs(KEYS) do
  local at = (i - 1) * 5
  if ARGV[at + 3] == '1' then
    redis.call('SET', key, ARGV[at + 4], 'EX', ARGV[at + 5])
  else
    redis.call('DEL', key)
  end
end
return 1)";

constexpr const char* increment_script = R"(
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return count)";

struct Reply {
  enum class Kind { nothing, text, integer, list, error } kind = Kind::nothing;
  std::string text;
  std::int64_t integer = 0;
  std::vector<Reply> list;
};

Reply copied(const redisReply& reply) {
  switch (reply.type) {
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS: return {Reply::Kind::text, std::string(reply.str, reply.len), 0, {}};
    case REDIS_REPLY_INTEGER: return {Reply::Kind::integer, {}, reply.integer, {}};
    case REDIS_REPLY_ERROR: return {Reply::Kind::error, std::string(reply.str, reply.len), 0, {}};
    case REDIS_REPLY_ARRAY: {
      Reply list{Reply::Kind::list, {}, 0, {}};
      for (std::size_t i = 0; i < reply.elements; ++i) list.list.push_back(copied(*reply.element[i]));
      return list;
    }
    default: return {};
  }
}

// hiredis drives the protocol; this class tells it when its socket is ready.
class Connection {
 public:
  Connection(const RedisOptions& options, asio::io_context& loop) : options_(options), loop_(loop) {}
  ~Connection() { close(); }

  bool connect() {
    close();
    context_ = redisAsyncConnect(options_.host.c_str(), options_.port);
    if (!context_ || context_->err) {
      close();
      return false;
    }
    socket_ = std::make_shared<asio::posix::stream_descriptor>(loop_, context_->c.fd);
    context_->data = this;
    context_->ev.data = this;
    context_->ev.addRead = [](void* self) { static_cast<Connection*>(self)->want_read(); };
    context_->ev.delRead = [](void* self) { static_cast<Connection*>(self)->reading_ = false; };
    context_->ev.addWrite = [](void* self) { static_cast<Connection*>(self)->want_write(); };
    context_->ev.delWrite = [](void* self) { static_cast<Connection*>(self)->writing_ = false; };
    context_->ev.cleanup = [](void* self) { static_cast<Connection*>(self)->forget_socket(); };
    redisAsyncSetDisconnectCallback(context_, [](const redisAsyncContext* c, int) { static_cast<Connection*>(c->data)->context_ = nullptr; });
    redisAsyncSetConnectCallback(context_, [](const redisAsyncContext* c, int status) {
      if (status != REDIS_OK) static_cast<Connection*>(c->data)->context_ = nullptr;
    });
    if (!options_.password.empty()) redisAsyncCommand(context_, nullptr, nullptr, "AUTH %s", options_.password.c_str());
    want_write();
    return true;
  }

  bool open() const { return context_ != nullptr; }

  // False when the connection is gone; otherwise `callback` gets the reply, or null when the connection breaks.
  bool send(const Arguments& arguments, redisCallbackFn* callback, void* data) {
    if (!context_) return false;
    std::vector<const char*> pointers;
    std::vector<std::size_t> sizes;
    for (const auto& argument : arguments) {
      pointers.push_back(argument.data());
      sizes.push_back(argument.size());
    }
    return redisAsyncCommandArgv(context_, callback, data, static_cast<int>(pointers.size()), pointers.data(), sizes.data()) == REDIS_OK;
  }

  void close() {
    if (context_) redisAsyncFree(std::exchange(context_, nullptr));
    forget_socket();
  }

 private:
  void forget_socket() {
    reading_ = writing_ = false;
    if (socket_) socket_->release();
    socket_.reset();
  }

  void want_read() {
    reading_ = true;
    if (std::exchange(read_waiting_, true)) return;
    socket_->async_wait(socket_->wait_read, [this, held = socket_](boost::system::error_code error) {
      read_waiting_ = false;
      if (error || held != socket_ || !context_) return;
      if (reading_) redisAsyncHandleRead(context_);
      if (reading_ && socket_) want_read();
    });
  }

  void want_write() {
    writing_ = true;
    if (std::exchange(write_waiting_, true)) return;
    socket_->async_wait(socket_->wait_write, [this, held = socket_](boost::system::error_code error) {
      write_waiting_ = false;
      if (error || held != socket_ || !context_) return;
      if (writing_) redisAsyncHandleWrite(context_);
      if (writing_ && socket_) want_write();
    });
  }

  const RedisOptions& options_;
  asio::io_context& loop_;
  redisAsyncContext* context_ = nullptr;
  std::shared_ptr<asio::posix::stream_descriptor> socket_;
  bool reading_ = false, writing_ = false, read_waiting_ = false, write_waiting_ = false;
};

class RedisKeyValue final : public KeyValueStore {
 public:
  RedisKeyValue(RedisOptions options, asio::io_context& loop, Clock& clock)
      : options_(std::move(options)), loop_(loop), clock_(clock), connection_(options_, loop) {}

  Task<Result<std::vector<std::optional<std::string>>>> get(const Context& context, std::vector<std::string> keys,
                                                            seconds refresh) override {
    std::vector<std::optional<std::string>> values;
    if (refresh > seconds(0) && keys.size() == 1) {
      CO_TRY(auto reply, co_await ask(context, {"GETEX", keys.front(), "EX", std::to_string(refresh.count())}, Code::unavailable));
      values.push_back(text_or_nothing(std::move(reply)));
      co_return values;
    }
    if (refresh > seconds(0)) {
      for (auto& key : keys) {
        std::vector<std::string> one{std::move(key)};
        CO_TRY(auto found, co_await get(context, std::move(one), refresh));
        values.push_back(std::move(found.front()));
      }
      co_return values;
    }
    Arguments arguments{"MGET"};
    arguments.insert(arguments.end(), keys.begin(), keys.end());
    CO_TRY(auto reply, co_await ask(context, std::move(arguments), Code::unavailable));
    for (auto& element : reply.list) values.push_back(text_or_nothing(std::move(element)));
    co_return values;
  }

  Task<Result<bool>> swap(const Context& context, std::vector<Change> changes) override {
    Arguments arguments{"EVAL", swap_script, std::to_string(changes.size())};
    for (const auto& change : changes) arguments.push_back(change.key);
    for (const auto& change : changes) {
      arguments.push_back(change.expected ? "1" : "0");
      arguments.push_back(change.expected.value_or(""));
      arguments.push_back(change.value ? "1" : "0");
      arguments.push_back(change.value.value_or(""));
      arguments.push_back(std::to_string(std::max<std::int64_t>(1, change.ttl.count())));
    }
    CO_TRY(const auto reply, co_await ask(context, std::move(arguments), Code::unknown_outcome));
    co_return reply.integer == 1;
  }

  Task<Result<std::int64_t>> increment(const Context& context, std::string key, seconds ttl) override {
    CO_TRY(const auto reply, co_await ask(context, {"EVAL", increment_script, "1", std::move(key), std::to_string(ttl.count())},
                                          Code::unknown_outcome));
    co_return reply.integer;
  }

  Task<Result<void>> ping(const Context& context) override {
    CO_CHECK(co_await ask(context, {"PING"}, Code::unavailable));
    co_return Result<void>();
  }

 private:
  // A command under way. It outlives its asker, who may have stopped waiting.
  struct Pending {
    RedisKeyValue* owner;
    Callback<Result<Reply>> done;  // empty once answered
    Monotonic deadline, silent_after;
    Code if_lost;
  };

  static std::optional<std::string> text_or_nothing(Reply reply) {
    return reply.kind == Reply::Kind::text ? std::optional(std::move(reply.text)) : std::nullopt;
  }

  Task<Result<Reply>> ask(const Context& context, Arguments arguments, Code if_lost) {
    CO_TRY(auto reply, co_await asio::co_spawn(loop_, ask_here(context, std::move(arguments), if_lost), asio::use_awaitable));
    if (reply.kind != Reply::Kind::error) co_return reply;
    const bool passing = reply.text.starts_with("LOADING") || reply.text.starts_with("OOM") || reply.text.starts_with("READONLY") ||
                         reply.text.starts_with("BUSY") || reply.text.starts_with("MISCONF");
    co_return fail(passing ? Code::unavailable : Code::internal, "The key-value store refused a command.", {}, reply.text);
  }

  Task<Result<Reply>> ask_here(const Context& context, Arguments arguments, Code if_lost) {
    if (!connection_.open() && !reconnect()) co_return down();
    if (pending_.size() >= options_.pending_max) {
      co_return fail(busy("Too many requests wait for the key-value store."));
    }
    co_return co_await await_callback<Result<Reply>>([&](Callback<Result<Reply>> done) {
      const auto now = clock_.now();
      auto pending = std::make_unique<Pending>(Pending{this, std::move(done), context.deadline, now + options_.reply_limit, if_lost});
      auto* raw = pending.get();
      pending_.push_back(std::move(pending));
      if (!connection_.send(arguments, on_reply, raw)) {
        finish(raw, down());
        return;
      }
      watch();
    });
  }

  static Failure down() { return fail(Code::unavailable, "The key-value store cannot be reached."); }

  bool reconnect() {
    const auto now = clock_.now();
    if (now < next_attempt_) return false;
    next_attempt_ = now + milliseconds(200);
    return connection_.connect();
  }

  static void on_reply(redisAsyncContext*, void* raw_reply, void* raw_pending) {
    auto* pending = static_cast<Pending*>(raw_pending);
    const auto* reply = static_cast<const redisReply*>(raw_reply);
    if (reply) return pending->owner->finish(pending, copied(*reply));
    pending->owner->finish(pending, pending->if_lost == Code::unknown_outcome
                                        ? fail(Code::unknown_outcome, "The connection to the key-value store broke.")
                                        : down());
  }

  void finish(Pending* pending, Result<Reply> outcome) {
    if (pending->done) std::exchange(pending->done, {})(std::move(outcome));
    if (pending_.front().get() == pending) pending_.pop_front();  // answers come in order
    else std::erase_if(pending_, [&](const auto& each) { return each.get() == pending; });
  }

  // Answers those whose time is over, and gives a silent server up; runs only while something is pending.
  void watch() {
    if (std::exchange(watching_, true)) return;
    asio::co_spawn(loop_, watch_pending(), [](std::exception_ptr thrown) {
      if (thrown) std::rethrow_exception(thrown);
    });
  }

  Task<> watch_pending() {
    while (!pending_.empty()) {
      co_await clock_.sleep(milliseconds(20));
      const auto now = clock_.now();
      bool silent = false;
      for (auto& pending : pending_) {
        if (pending->done && now >= pending->deadline) {
          std::exchange(pending->done, {})(fail(pending->if_lost == Code::unknown_outcome ? Code::unknown_outcome : Code::timed_out,
                                                "The key-value store did not answer in time."));
        }
        silent = silent || now >= pending->silent_after;
      }
      if (silent) connection_.close();  // its callbacks end what is pending
    }
    watching_ = false;
  }

  const RedisOptions options_;
  asio::io_context& loop_;
  Clock& clock_;
  std::deque<std::unique_ptr<Pending>> pending_;
  Monotonic next_attempt_{};
  bool watching_ = false;
  Connection connection_;  // last: its end calls back
};

}  // namespace

std::unique_ptr<KeyValueStore> open_redis(RedisOptions options, asio::io_context& loop, Clock& clock) {
  return std::make_unique<RedisKeyValue>(std::move(options), loop, clock);
}

}  // namespace shop
