#include "runtime/dead_letters.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace shop {
namespace {

constexpr std::string_view replay_mark = "dlq-replayed";
constexpr std::size_t most = 200'000;  // that are looked at together

std::string header_of(const EventRecord& record, std::string_view name) {
  const auto found = std::ranges::find(record.headers, name, &std::pair<std::string, std::string>::first);
  return found == record.headers.end() ? std::string() : found->second;
}

}  // namespace

std::string dead_letter_topic(std::string service) {
  std::ranges::replace(service, '-', '_');
  return service + "_dlq";
}

Task<Result<std::vector<DeadLetter>>> DeadLetters::list(const Context& context) {
  kept_.clear();
  std::vector<std::string> topics, replayed;
  for (const auto& service : services_) topics.push_back(dead_letter_topic(service));
  CO_TRY(auto delivered, co_await log_.history(context, topics, most));
  for (auto& one : delivered) {
    if (const auto mark = header_of(one.record, replay_mark); !mark.empty()) {
      replayed.push_back(mark);
      continue;
    }
    const auto at = std::ranges::find(topics, one.record.topic) - topics.begin();
    DeadLetter letter;
    letter.id = fmt::format("{}:{}:{}", services_[static_cast<std::size_t>(at)], one.partition, one.offset);
    letter.cause = header_of(one.record, "dlq-error");
    letter.code = header_of(one.record, "dlq-code");
    letter.attempts = header_of(one.record, "dlq-attempts");
    letter.group = header_of(one.record, "dlq-group");
    letter.time = header_of(one.record, "dlq-time");
    letter.topic = header_of(one.record, "dlq-topic");
    letter.partition = header_of(one.record, "dlq-partition");
    letter.offset = header_of(one.record, "dlq-offset");
    letter.key = one.record.key;
    letter.value = one.record.value;
    kept_.push_back({std::move(letter), std::move(one.record)});
  }
  std::vector<DeadLetter> letters;
  for (auto& kept : kept_) {
    kept.letter.replayed = std::ranges::count(replayed, kept.letter.id) > 0;
    letters.push_back(kept.letter);
  }
  co_return letters;
}

Task<Result<void>> DeadLetters::replay(const Context& context, const DeadLetter& letter, bool again) {
  const auto kept = std::ranges::find(kept_, letter.id, [](const Kept& each) { return each.letter.id; });
  if (kept == kept_.end()) co_return fail(Code::not_found, fmt::format("There is no dead letter {}.", letter.id));
  if (letter.topic.empty()) co_return fail(Code::conflict, fmt::format("{} does not say which topic it came from.", letter.id));
  if (letter.replayed && !again) co_return fail(Code::conflict, fmt::format("{} was sent again before: use --again to do it once more.", letter.id));
  EventRecord event = kept->record, mark{kept->record.topic, letter.key, "{}", {{std::string(replay_mark), letter.id}}};
  event.topic = letter.topic;
  std::erase_if(event.headers, [](const auto& header) { return header.first.starts_with("dlq-"); });
  event.headers.emplace_back("replayed-from", letter.id);
  std::vector<EventRecord> records;
  records.push_back(std::move(event));
  CO_CHECK(co_await log_.publish(context, std::move(records)));
  records.assign(1, std::move(mark));
  CO_CHECK(co_await log_.publish(context, std::move(records)));
  kept->letter.replayed = true;
  co_return Result<void>();
}

}  // namespace shop
