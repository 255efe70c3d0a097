#include "adapters/kafka/kafka.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>
#include <sys/prctl.h>

#include "base/worker_pool.hpp"

namespace shop {
namespace {

constexpr std::size_t fetched_max = 1000;  // records of a subscription that wait for their consumer

template <class T, void (*Free)(T*)>
struct Freed {
  void operator()(T* p) const { Free(p); }
};
using Conf = std::unique_ptr<rd_kafka_conf_t, Freed<rd_kafka_conf_t, rd_kafka_conf_destroy>>;
using Handle = std::unique_ptr<rd_kafka_t, Freed<rd_kafka_t, rd_kafka_destroy>>;
using Partitions = std::unique_ptr<rd_kafka_topic_partition_list_t, Freed<rd_kafka_topic_partition_list_t, rd_kafka_topic_partition_list_destroy>>;
using Message = std::unique_ptr<rd_kafka_message_t, Freed<rd_kafka_message_t, rd_kafka_message_destroy>>;

Conf configuration(const std::map<std::string, std::string>& settings) {
  Conf conf(rd_kafka_conf_new());
  std::array<char, 512> error{};
  for (const auto& [name, value] : settings) {
    if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), error.data(), error.size()) != RD_KAFKA_CONF_OK) {
      throw std::runtime_error(fmt::format("Kafka setting {}={}: {}", name, value, error.data()));
    }
  }
  return conf;
}

Handle make(rd_kafka_type_t type, Conf conf) {
  std::array<char, 512> error{};
  Handle handle(rd_kafka_new(type, conf.get(), error.data(), error.size()));
  if (!handle) throw std::runtime_error(fmt::format("Kafka client: {}", error.data()));
  (void)conf.release();  // the client owns it now
  return handle;
}

Failure kafka_failure(rd_kafka_resp_err_t code) {
  return fail(Code::unavailable, "The event log cannot be reached.", {}, rd_kafka_err2str(code));
}

// A batch whose delivery reports are awaited together.
struct Batch {
  std::atomic<std::size_t> left;
  std::atomic<rd_kafka_resp_err_t> first_error{RD_KAFKA_RESP_ERR_NO_ERROR};
  Callback<Result<void>> done;

  void one_delivered(rd_kafka_resp_err_t error) {
    if (error) {
      auto none = RD_KAFKA_RESP_ERR_NO_ERROR;
      first_error.compare_exchange_strong(none, error);
    }
    if (left.fetch_sub(1) != 1) return;
    const auto outcome = first_error.load();
    done(outcome ? Result<void>(kafka_failure(outcome)) : Result<void>());
    delete this;
  }
};

DeliveredEvent delivered(const rd_kafka_message_t& message) {
  DeliveredEvent event;
  event.partition = message.partition;
  event.offset = message.offset;
  event.record.topic = rd_kafka_topic_name(message.rkt);
  event.record.key.assign(static_cast<const char*>(message.key), message.key_len);
  event.record.value.assign(static_cast<const char*>(message.payload), message.len);
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) {
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    for (std::size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
      event.record.headers.emplace_back(name, std::string(static_cast<const char*>(value), size));
    }
  }
  return event;
}

class KafkaSubscription final : public Subscription {
 public:
  KafkaSubscription(const KafkaOptions& options, const std::string& group, const std::vector<std::string>& topics, Clock& clock)
      : clock_(clock), alarm_(clock.alarm()) {
    auto conf = configuration({{"bootstrap.servers", options.brokers},
                               {"client.id", options.client_id},
                               {"group.id", group},
                               {"enable.auto.commit", "false"},
                               {"enable.auto.offset.store", "false"},
                               {"auto.offset.reset", "earliest"},
                               {"session.timeout.ms", "6000"},
                               {"heartbeat.interval.ms", "1000"},
                               {"fetch.wait.max.ms", "50"},
                               {"topic.metadata.refresh.interval.ms", "10000"},
                               {"allow.auto.create.topics", "false"},
                               {"reconnect.backoff.max.ms", "1000"},  // a broker that is back is used within a second
                               {"log_level", "0"}});
    rd_kafka_conf_set_opaque(conf.get(), this);
    rd_kafka_conf_set_rebalance_cb(conf.get(), [](rd_kafka_t* client, rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t* parts, void* self) {
      static_cast<KafkaSubscription*>(self)->rebalance(client, what, parts);
    });
    consumer_ = make(RD_KAFKA_CONSUMER, std::move(conf));
    rd_kafka_poll_set_consumer(consumer_.get());
    const Partitions wanted(rd_kafka_topic_partition_list_new(static_cast<int>(topics.size())));
    for (const auto& topic : topics) rd_kafka_topic_partition_list_add(wanted.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
    rd_kafka_subscribe(consumer_.get(), wanted.get());
    thread_ = std::thread([this] { poll(); });
  }

  ~KafkaSubscription() override {
    stopping_ = true;
    thread_.join();
    rd_kafka_consumer_close(consumer_.get());
  }

  Task<Result<std::vector<DeliveredEvent>>> fetch(std::size_t max, milliseconds wait) override {
    auto taken = take(max);
    if (taken.empty()) {
      co_await alarm_->wait_until(clock_.now() + wait);
      taken = take(max);
    }
    co_return taken;
  }

  Task<Result<void>> commit(const DeliveredEvent& event) override {
    {
      const std::lock_guard lock(mutex_);
      const auto mine = committed_.find({event.record.topic, event.partition});
      if (mine == committed_.end()) co_return Result<void>();  // another member has it now, and will hear of it again
      mine->second = event.offset + 1;
    }
    const Partitions done(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(done.get(), event.record.topic.c_str(), event.partition)->offset = event.offset + 1;
    // Asynchronous: a commit that is lost means that some events come again, which their inbox knows.
    const auto error = rd_kafka_commit(consumer_.get(), done.get(), 1);
    if (error && error != RD_KAFKA_RESP_ERR__NO_OFFSET) co_return kafka_failure(error);
    co_return Result<void>();
  }

  std::int64_t lag() const override {
    const std::lock_guard lock(mutex_);
    std::int64_t total = 0;
    for (const auto& [where, offset] : committed_) {
      std::int64_t low = 0, high = 0;
      if (rd_kafka_get_watermark_offsets(consumer_.get(), where.first.c_str(), where.second, &low, &high) != RD_KAFKA_RESP_ERR_NO_ERROR || high < 0) {
        return -1;
      }
      total += std::max<std::int64_t>(0, high - std::max(offset, low));
    }
    return committed_.empty() ? -1 : total;
  }

 private:
  void poll() {
    ::prctl(PR_SET_NAME, "kafka-consume");
    while (!stopping_) {
      pause_or_resume();
      const Message message(rd_kafka_consumer_poll(consumer_.get(), 100));
      if (!message || message->err) continue;  // errors pass: the client reconnects by itself
      {
        const std::lock_guard lock(mutex_);
        fetched_.push_back(delivered(*message));
      }
      alarm_->wake();
    }
  }

  // A consumer that is stuck must not stop the polling, by which the group shares out its partitions: it stops the fetching.
  void pause_or_resume() {
    {
      const std::lock_guard lock(mutex_);
      if (paused_ ? fetched_.size() > fetched_max / 2 : fetched_.size() < fetched_max) return;
    }
    rd_kafka_topic_partition_list_t* list = nullptr;
    if (rd_kafka_assignment(consumer_.get(), &list)) return;
    const Partitions owned(list);
    paused_ ? rd_kafka_resume_partitions(consumer_.get(), owned.get()) : rd_kafka_pause_partitions(consumer_.get(), owned.get());
    paused_ = !paused_;
  }

  std::vector<DeliveredEvent> take(std::size_t max) {
    const std::lock_guard lock(mutex_);
    std::vector<DeliveredEvent> taken;
    while (!fetched_.empty() && taken.size() < max) {
      taken.push_back(std::move(fetched_.front()));
      fetched_.pop_front();
    }
    return taken;
  }

  // Runs on the polling thread. What was fetched of a partition that goes to another member is forgotten.
  void rebalance(rd_kafka_t* client, rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t* parts) {
    const bool given = what == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
    if (given) (void)rd_kafka_committed(client, parts, 2000);  // into `parts`: where to go on, and how far behind that is
    {
      const std::lock_guard lock(mutex_);
      fetched_.clear();
      committed_.clear();
      paused_ = false;
      for (int i = 0; given && i < parts->cnt; ++i) {
        const auto& part = parts->elems[i];
        committed_[{part.topic, part.partition}] = std::max<std::int64_t>(part.offset, 0);
      }
    }
    rd_kafka_assign(client, given ? parts : nullptr);
    if (given) (void)rd_kafka_resume_partitions(client, parts);
  }

  Clock& clock_;
  const std::unique_ptr<Alarm> alarm_;
  Handle consumer_;
  mutable std::mutex mutex_;
  std::deque<DeliveredEvent> fetched_;
  std::map<std::pair<std::string, int>, std::int64_t> committed_;  // of the partitions that this member has
  bool paused_ = false;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

// Reads topics from their beginning to where they ended when it was asked, as nobody's group. Blocks.
class History {
 public:
  History(const KafkaOptions& options, Clock& clock, Monotonic deadline) : clock_(clock), deadline_(deadline) {
    consumer_ = make(RD_KAFKA_CONSUMER, configuration({{"bootstrap.servers", options.brokers},
                                                       {"client.id", options.client_id},
                                                       {"group.id", options.client_id + "-history"},  // the library wants one; it is not joined
                                                       {"enable.auto.commit", "false"},
                                                       {"enable.auto.offset.store", "false"},
                                                       {"enable.partition.eof", "true"},
                                                       {"fetch.wait.max.ms", "50"},
                                                       {"allow.auto.create.topics", "false"},
                                                       {"reconnect.backoff.max.ms", "1000"},
                                                       {"log_level", "0"}}));
    rd_kafka_poll_set_consumer(consumer_.get());
  }

  Result<std::vector<DeliveredEvent>> of(const std::vector<std::string>& topics, std::size_t most) {
    TRY(const auto total, look_for_ends(topics));
    if (total > static_cast<std::int64_t>(most)) return fail(Code::too_large, fmt::format("There are more than {} records.", most));
    std::vector<DeliveredEvent> all;
    const Partitions from(rd_kafka_topic_partition_list_new(static_cast<int>(ends_.size())));
    for (const auto& [where, range] : ends_) rd_kafka_topic_partition_list_add(from.get(), where.first.c_str(), where.second)->offset = range.first;
    if (const auto error = rd_kafka_assign(consumer_.get(), from.get())) return kafka_failure(error);
    while (!ends_.empty()) {
      if (clock_.now() >= deadline_) return fail(Code::timed_out, "The event log did not give its records in time.");
      const Message message(rd_kafka_consumer_poll(consumer_.get(), 100));
      if (!message || !message->rkt) continue;
      const auto at = ends_.find({rd_kafka_topic_name(message->rkt), message->partition});
      if (at == ends_.end()) continue;  // what came after its end
      // The end of a partition: the last numbers before it may be nobody's (a compacted log, a transaction's marks).
      if (message->err && message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) continue;  // passes: the client reconnects by itself
      const auto end = at->second.second;
      if (!message->err && message->offset < end) all.push_back(delivered(*message));
      if (message->err || message->offset + 1 >= end) ends_.erase(at);
    }
    return all;
  }

 private:
  int patience_ms() const { return static_cast<int>(std::clamp<std::int64_t>(std::chrono::ceil<milliseconds>(deadline_ - clock_.now()).count(), 1, 5000)); }

  // How many records there are at most.
  Result<std::int64_t> look_for_ends(const std::vector<std::string>& topics) {
    const rd_kafka_metadata_t* metadata = nullptr;
    // Of all topics: asking for one by name could make it.
    if (const auto error = rd_kafka_metadata(consumer_.get(), 1, nullptr, &metadata, patience_ms())) return kafka_failure(error);
    const std::unique_ptr<const rd_kafka_metadata_t, void (*)(const rd_kafka_metadata_t*)> owned(metadata, rd_kafka_metadata_destroy);
    std::int64_t total = 0;
    for (int i = 0; i < metadata->topic_cnt; ++i) {
      const auto& topic = metadata->topics[i];
      if (std::ranges::count(topics, std::string_view(topic.topic)) == 0) continue;
      for (int p = 0; p < topic.partition_cnt; ++p) {
        std::int64_t low = 0, high = 0;
        const auto number = topic.partitions[p].id;
        if (const auto error = rd_kafka_query_watermark_offsets(consumer_.get(), topic.topic, number, &low, &high, patience_ms())) return kafka_failure(error);
        if (high <= low) continue;
        ends_[{topic.topic, number}] = {low, high};
        total += high - low;
      }
    }
    return total;
  }

  Clock& clock_;
  const Monotonic deadline_;
  Handle consumer_;
  std::map<std::pair<std::string, int>, std::pair<std::int64_t, std::int64_t>> ends_;  // of the partitions that are not read yet: first, one behind the last
};

// A client that produces, and the thread that hears what became of it.
class Producer {
 public:
  explicit Producer(const KafkaOptions& options) {
    auto conf = configuration({{"bootstrap.servers", options.brokers},
                               {"client.id", options.client_id},
                               {"enable.idempotence", "true"},
                               {"acks", "all"},
                               {"linger.ms", "2"},
                               {"delivery.timeout.ms", std::to_string(options.delivery_limit.count())},
                               {"partitioner", "murmur2_random"},
                               {"compression.type", "none"},
                               {"allow.auto.create.topics", "false"},
                               {"reconnect.backoff.max.ms", "1000"},  // a broker that is back is used within a second
                               {"log_level", "0"}});
    rd_kafka_conf_set_dr_msg_cb(conf.get(), [](rd_kafka_t*, const rd_kafka_message_t* message, void*) {
      static_cast<Batch*>(message->_private)->one_delivered(message->err);
    });
    handle_ = make(RD_KAFKA_PRODUCER, std::move(conf));
    thread_ = std::thread([this] {
      ::prctl(PR_SET_NAME, "kafka-produce");
      while (!stopping_) rd_kafka_poll(handle_.get(), 100);
    });
  }

  ~Producer() {
    rd_kafka_flush(handle_.get(), 2000);
    rd_kafka_purge(handle_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_poll(handle_.get(), 100);  // whoever still waits is told
    stopping_ = true;
    thread_.join();
  }

  rd_kafka_t* get() const { return handle_.get(); }

 private:
  Handle handle_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

class KafkaLog final : public EventLog {
 public:
  KafkaLog(KafkaOptions options, Clock& clock) : options_(std::move(options)), clock_(clock), producer_(std::make_shared<Producer>(options_)) {}

  Task<Result<void>> publish(const Context& context, std::vector<EventRecord> records) override {
    if (records.empty()) co_return Result<void>();
    std::set<std::string> topics;
    for (const auto& record : records) topics.insert(record.topic);
    for (const auto& topic : topics) CO_CHECK(co_await ensure_topic(context, topic));
    const auto client = producer();
    const auto outcome = co_await await_callback<Result<void>>([&](Callback<Result<void>> done) {
      auto* batch = new Batch{records.size(), RD_KAFKA_RESP_ERR_NO_ERROR, std::move(done)};
      for (const auto& record : records) produce(*client, record, *batch);
    });
    if (!outcome) begin_anew(client);
    co_return outcome;
  }

  std::unique_ptr<Subscription> subscribe(std::string group, std::vector<std::string> topics) override {
    // A consumer of a topic that nobody has made yet would find it only at the next look at the metadata.
    (void)workers_.post([this, topics] {
      for (const auto& topic : topics) (void)create_topic(topic);
    });
    return std::make_unique<KafkaSubscription>(options_, group, topics, clock_);
  }

  Task<Result<std::vector<DeliveredEvent>>> history(const Context& context, std::vector<std::string> topics, std::size_t most) override {
    co_return co_await workers_.run(context, [this, topics = std::move(topics), most, deadline = context.deadline] {
      return History(options_, clock_, deadline).of(topics, most);
    });
  }

  Task<Result<void>> ping(const Context& context) override {
    co_return co_await workers_.run(context, [this]() -> Result<void> {
      const rd_kafka_metadata_t* metadata = nullptr;
      const auto error = rd_kafka_metadata(producer()->get(), 0, nullptr, &metadata, 900);
      if (metadata) rd_kafka_metadata_destroy(metadata);
      return error ? Result<void>(kafka_failure(error)) : Result<void>();
    });
  }

 private:
  std::shared_ptr<Producer> producer() {
    const std::lock_guard lock(mutex_);
    return producer_;
  }

  // An idempotent producer that lost a message to the clock may refuse all that follow, for good; and a topic may have been
  // deleted. So after a failure the next batch gets a new client, and looks for its topics.
  void begin_anew(std::shared_ptr<Producer> failed) {
    {
      const std::lock_guard lock(mutex_);
      known_topics_.clear();
      if (producer_ != failed) return;
      producer_ = std::make_shared<Producer>(options_);
    }
    (void)workers_.post([old = std::move(failed)] {});  // its end waits
  }

  static void produce(const Producer& client, const EventRecord& record, Batch& batch) {
    rd_kafka_headers_t* headers = rd_kafka_headers_new(record.headers.size());
    for (const auto& [name, value] : record.headers) {
      rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()), value.data(), static_cast<ssize_t>(value.size()));
    }
    const auto error = rd_kafka_producev(
        client.get(), RD_KAFKA_V_TOPIC(record.topic.c_str()), RD_KAFKA_V_KEY(record.key.data(), record.key.size()),
        RD_KAFKA_V_VALUE(const_cast<char*>(record.value.data()), record.value.size()), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE(&batch), RD_KAFKA_V_END);
    if (!error) return;
    rd_kafka_headers_destroy(headers);
    batch.one_delivered(error);
  }

  Task<Result<void>> ensure_topic(const Context& context, std::string topic) {
    {
      const std::lock_guard lock(mutex_);
      if (known_topics_.contains(topic)) co_return Result<void>();
    }
    CO_CHECK(co_await workers_.run(context, [this, topic] { return create_topic(topic); }));
    const std::lock_guard lock(mutex_);
    known_topics_.insert(std::move(topic));
    co_return Result<void>();
  }

  // Whether it is there: any broker knows, where making one is for the controller, which may have other worries.
  static Result<bool> topic_exists(const Producer& client, const std::string& topic) {
    const rd_kafka_metadata_t* metadata = nullptr;
    if (const auto error = rd_kafka_metadata(client.get(), 1, nullptr, &metadata, 3000)) return kafka_failure(error);
    bool found = false;
    for (int i = 0; i < metadata->topic_cnt; ++i) found = found || (metadata->topics[i].topic == topic && metadata->topics[i].partition_cnt > 0);
    rd_kafka_metadata_destroy(metadata);
    return found;
  }

  Result<void> create_topic(const std::string& topic) {
    using NewTopic = std::unique_ptr<rd_kafka_NewTopic_t, Freed<rd_kafka_NewTopic_t, rd_kafka_NewTopic_destroy>>;
    using Queue = std::unique_ptr<rd_kafka_queue_t, Freed<rd_kafka_queue_t, rd_kafka_queue_destroy>>;
    using Event = std::unique_ptr<rd_kafka_event_t, Freed<rd_kafka_event_t, rd_kafka_event_destroy>>;
    std::array<char, 256> error{};
    const bool dead_letters = topic.ends_with("_dlq");
    const NewTopic wanted(rd_kafka_NewTopic_new(topic.c_str(), dead_letters ? 1 : options_.partitions, options_.replication, error.data(), error.size()));
    if (!wanted) return fail(Code::internal, "A topic cannot be made.", {}, error.data());
    const auto client = producer();
    TRY(const bool exists, topic_exists(*client, topic));
    if (exists) return {};
    const Queue queue(rd_kafka_queue_new(client->get()));
    rd_kafka_NewTopic_t* list[] = {wanted.get()};
    rd_kafka_CreateTopics(client->get(), list, 1, nullptr, queue.get());
    const Event event(rd_kafka_queue_poll(queue.get(), 5000));
    if (!event) return kafka_failure(RD_KAFKA_RESP_ERR__TIMED_OUT);
    if (rd_kafka_event_error(event.get())) return kafka_failure(rd_kafka_event_error(event.get()));
    std::size_t count = 0;
    const auto** results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
    const auto code = count == 1 ? rd_kafka_topic_result_error(results[0]) : RD_KAFKA_RESP_ERR_UNKNOWN;
    if (code && code != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) return kafka_failure(code);
    return {};
  }

  const KafkaOptions options_;
  Clock& clock_;
  std::mutex mutex_;
  std::shared_ptr<Producer> producer_;
  std::set<std::string> known_topics_;
  WorkerPool workers_{"kafka", 3, 64};  // last: its jobs use the rest
};

}  // namespace

std::unique_ptr<EventLog> open_kafka(KafkaOptions options, Clock& clock) {
  return std::make_unique<KafkaLog>(std::move(options), clock);
}

}  // namespace shop
