#include "simulation/witness.hpp"

#include <charconv>

namespace shop::simulation {
namespace {

constexpr Query stock_of{"bug_stock_of", "SELECT id, stock_quantity FROM variants"};
constexpr Query stock_write{"bug_stock_write",
                            "UPDATE variants SET stock_quantity = $2, updated_at = $3 WHERE id = $1 RETURNING product_id, price, cost_price"};

const std::string& text(const Params& params, std::size_t i) { return std::get<std::string>(params.at(i)); }
std::int64_t number(const Params& params, std::size_t i) { return std::get<std::int64_t>(params.at(i)); }

Rows one_row_changed() {
  Rows rows;
  rows.affected = 1;
  return rows;
}

std::uint64_t hash_of(std::string_view bytes) {
  std::uint64_t h = 0xcbf29ce484222325ULL;
  for (const char c : bytes) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return h;
}

}  // namespace

Witness::Statement Witness::Statement::of(const Query& query) {
  Statement s;
  s.name = hash_of(query.name);
  const std::string_view sql = query.sqlite.empty() ? query.sql : query.sqlite;
  const auto word_after = [&](std::string_view lead) {
    const auto rest = sql.substr(lead.size());
    return std::string(rest.substr(0, rest.find(' ')));
  };
  if (sql.starts_with("INSERT INTO ")) {
    s.table = word_after("INSERT INTO ");
    // Rows that only this transaction can ever meet lock nobody.
    if (s.table == "changed_products" || s.table == "outbox" || s.table == "order_items" || s.table == "reservation_lines" ||
        s.table == "stock_movements" || s.table == "variant_attributes" || s.table == "product_images") {
      s.table.clear();
      return s;
    }
    s.keys = {0};
    if (s.table == "idempotency_keys") s.keys = {0, 1};
    return s;
  }
  const std::string_view lead = sql.starts_with("UPDATE ") ? "UPDATE " : sql.starts_with("DELETE FROM ") ? "DELETE FROM " : "";
  const auto where = sql.find(" WHERE ");
  if (lead.empty() || where == sql.npos) return s;
  s.table = word_after(lead);
  if (s.table == "outbox" || s.table == "changed_products") {  // whoever publishes deletes many, in the order of numbers
    s.table.clear();
    return s;
  }
  for (auto at = where; (at = sql.find(" = $", at)) != sql.npos; at += 4) {
    const auto before = sql.substr(0, at);
    const auto column = before.substr(before.find_last_of(" .(") + 1);
    if (column == "status") continue;
    std::size_t parameter = 0;
    std::from_chars(sql.data() + at + 4, sql.data() + sql.size(), parameter);
    if (parameter > 0) s.keys.push_back(parameter - 1);
  }
  if (s.keys.empty()) s.table.clear();
  return s;
}

const Witness::Statement& Witness::known(const Query& query) {
  if (const auto it = statements_.find(query.name); it != statements_.end()) return it->second;
  return statements_.emplace(query.name, Statement::of(query)).first->second;
}

void Witness::begun(std::uint64_t id, std::string_view store) {
  auto& open = open_[id];
  open.store = store;
  if (bug_ != Bug::absolute_stock || store != "product") return;
  const auto rows = world_->rows("product", stock_of.sql);
  for (std::size_t i = 0; i < rows.count(); ++i) {
    open.stock_before[std::get<std::string>(rows.row(i)[0])] = std::get<std::int64_t>(rows.row(i)[1]);
  }
}

void Witness::restarted(std::uint64_t id) {
  auto& open = open_[id];
  open.locks.clear();
  open.steps.clear();
  open.ratings.clear();
  open.events.clear();
}

Task<Result<Rows>> Witness::run(std::uint64_t id, Transaction& tx, const Query& query, Params params) {
  auto& open = open_[id];
  const auto& statement = known(query);
  lock(open, statement, params);
  CO_TRY(auto rows, co_await (bug_ == Bug::none ? tx.run(query, params) : faulty(open, tx, query, params)));
  note(open, query, statement, params, rows);
  co_return rows;
}

Task<Result<std::vector<Rows>>> Witness::run_each(std::uint64_t id, Transaction& tx, const Query& query, std::vector<Params> sets) {
  auto& open = open_[id];
  const auto& statement = known(query);
  std::vector<std::size_t> order(sets.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  // As the customer wrote them: any order, here one that depends on the first.
  if (bug_ == Bug::locks_unordered && query.name == "stock_take" && number(sets.front(), 1) % 2 == 0) std::reverse(order.begin(), order.end());
  std::vector<Rows> all(sets.size());
  for (const auto i : order) {
    lock(open, statement, sets[i]);
    CO_TRY(all[i], co_await (bug_ == Bug::none ? tx.run(query, sets[i]) : faulty(open, tx, query, sets[i])));
    note(open, query, statement, sets[i], all[i]);
  }
  co_return all;
}

void Witness::lock(Open& open, const Statement& statement, const Params& params) {
  if (statement.table.empty() || open.store == "auth" || open.store == "cart") return;
  std::string row = open.store + "." + statement.table;
  for (const auto key : statement.keys) {
    row += ' ';
    if (const auto* words = std::get_if<std::string>(&params.at(key))) row += *words;
    else if (const auto* digits = std::get_if<std::int64_t>(&params.at(key))) row += std::to_string(*digits);
  }
  const auto hash = hash_of(row);
  if (std::ranges::find(open.locks, hash) != open.locks.end()) return;
  open.locks.push_back(hash);
  row_names_.try_emplace(hash, std::move(row));
}

// Two transactions that lock the same two rows in opposite orders wait for each other when they meet; that they did not meet
// this time is luck.
void Witness::check_locks(const Open& open) {
  for (std::size_t i = 0; i < open.locks.size(); ++i) {
    for (std::size_t j = i + 1; j < open.locks.size(); ++j) {
      const auto a = open.locks[i], b = open.locks[j];
      orders_of_locks_.insert(a * 31 + b);
      if (orders_of_locks_.contains(b * 31 + a)) {
        lock_faults_.insert(std::min(row_names_[a], row_names_[b]) + " and " + std::max(row_names_[a], row_names_[b]));
      }
    }
  }
}

void Witness::note(Open& open, const Query& query, const Statement& statement, const Params& params, const Rows& rows) {
  world_->simulation().trace(statement.name ^ static_cast<std::uint64_t>(rows.affected) ^ (rows.cells.size() << 20));
  if (query.name == "product_rating" && rows.affected > 0) open.ratings.push_back(text(params, 0));
  if (open.store == "order" || open.store == "product") note_step(open, query.name, params, rows);
}

// The statements of a transaction are told apart by their names and by what they found. Steps that change nothing and that nobody
// is told of (a second RELEASE, a second CONFIRM) are none.
void Witness::note_step(Open& open, std::string_view name, const Params& params, const Rows& rows) {
  const bool changed = rows.affected > 0;
  auto& steps = open.steps;
  const auto step = [&](std::string action, std::string answer) { steps.push_back({text(params, 0), std::move(action), std::move(answer)}); };
  const auto last = [&](std::string_view action) { return !steps.empty() && steps.back().action == action; };
  const auto found = [&](std::size_t column) { return std::get<std::string>(rows.row(0)[column]); };
  const auto of = [&](const std::string& order) { return std::ranges::find(steps, order, &Step::order); };
  if (name == "reservation_hold") {
    step("RESERVE", "HELD");
  } else if (name == "reservation_drop") {
    of(text(params, 0))->answer = "REFUSED";
  } else if (name == "reservation_find" && rows.count() > 0) {
    step("RESERVE", found(0) == "RELEASED" ? "RELEASED" : "AGAIN");
  } else if (name == "reservation_insert" && changed) {
    step("RELEASE", "NONE");
  } else if (name == "reservation_set" && changed) {
    if (text(params, 2) == "CONFIRMED") step("CONFIRM", "CONFIRMED");
    else step("RELEASE", text(params, 1));
  } else if (name == "outcome_place") {
    step("COMMIT", "PLACED");
  } else if (name == "claim_fresh") {
    of(text(params, 3))->key = text(params, 0) + " " + text(params, 1);
  } else if (name == "outcome_insert") {
    if (text(params, 1) == "PLACED") step("COMMIT", "PLACED");
    else step("GIVE_UP", "ABANDONED");
  } else if (name == "outcome_find" && rows.count() > 0) {
    if (last("COMMIT") && found(0) == "ABANDONED") steps.back().answer = "CONFLICT";
    if (last("GIVE_UP")) steps.back().answer = found(0);
  } else if (name == "claim_insert" && open.store == "order") {
    auto key = text(params, 0) + " " + text(params, 1);
    if (last("COMMIT")) steps.back().key = std::move(key);
    else steps.push_back({text(params, 3), "CLAIM", "CLAIMED", std::move(key)});
  } else if (name == "claim_find" && open.store == "order" && rows.count() > 0) {
    const bool answered = std::get<std::int64_t>(rows.row(0)[2]) != 0;
    if (last("COMMIT") && found(1) != steps.back().order) steps.back().answer = "CONFLICT";
    else if (last("COMMIT") && answered) steps.back().answer = "ANSWERED";
    else if (last("CLAIM")) steps.back() = {found(1), "CLAIM", answered ? "ANSWERED" : "CLAIMED", steps.back().key};
  } else if (name == "claim_release" && changed && !last("GIVE_UP")) {
    step("RELEASE_CLAIM", "NONE");
  } else if (name == "order_status" && changed && (text(params, 2) == "CANCELLED" || text(params, 2) == "FAILED")) {
    step("CANCEL", "CANCELLED");
  }
}

void Witness::ended(std::uint64_t id, simulated::Ending ending) {
  const auto it = open_.find(id);
  if (it == open_.end()) return;
  auto& open = it->second;
  check_locks(open);
  // All refused is why it was rolled back. When something else was, nobody was told of those that were refused.
  const bool refused = std::ranges::all_of(open.steps, [](const Step& step) {
    return step.answer == "REFUSED" || step.answer == "RELEASED" || step.answer == "CONFLICT";
  });
  const auto placing = [](const Step& step) { return step.answer == "HELD" || (step.action == "COMMIT" && step.answer == "PLACED"); };
  if (ending == simulated::Ending::committed && std::ranges::count_if(open.steps, placing) > 1) ++together_;
  for (auto& step : open.steps) {
    if (ending == simulated::Ending::rolled_back && !refused) continue;
    step.unsure = ending == simulated::Ending::unknown;
    steps_.push_back(std::move(step));
  }
  if (ending != simulated::Ending::committed) return;
  for (const auto& product : open.ratings) ++ratings_[product];
  if (!open.events.empty()) {
    // Sent by the process that committed: when it dies, or the log does not answer, nobody sends them again.
    world_->send_from(open.store, std::move(open.events));
  }
}

// The store as a shop uses it that has this bug.
Task<Result<Rows>> Witness::faulty(Open& open, Transaction& tx, const Query& query, Params params) {
  const auto name = query.name;
  switch (bug_) {
    case Bug::no_key:
      if (name == "claim_insert" || name == "claim_fresh") co_return one_row_changed();
      break;
    case Bug::event_after_commit:
      if (name == "outbox_insert") {
        open.events.push_back({text(params, 1), text(params, 2), text(params, 3), {{"traceparent", text(params, 4)}, {"eventId", text(params, 0)}}});
        co_return one_row_changed();
      }
      break;
    case Bug::no_expiry:
      if (name == "reservation_expired") {
        Rows nothing;
        nothing.columns = 1;
        co_return nothing;
      }
      break;
    case Bug::absolute_stock:
      if (name == "stock_take") {
        const auto before = open.stock_before[text(params, 0)];
        if (before < number(params, 1)) break;
        co_return co_await tx.run(stock_write, {params[0], before - number(params, 1), params[2]});
      }
      break;
    case Bug::no_inbox:
      if (name == "inbox_record") co_return one_row_changed();
      if (name == "reservation_set" && text(params, 2) == "RELEASED") {
        CO_CHECK(co_await tx.run(query, params));
        co_return one_row_changed();
      }
      break;
    case Bug::key_passed:
      if (name == "claim_find" && !open.steps.empty() && open.steps.back().action == "COMMIT") {
        CO_TRY(auto rows, co_await tx.run(query, params));
        const auto& own = open.steps.back().order;
        if (rows.count() > 0 && std::get<std::string>(rows.cells[1]) != own) {
          rows.cells[1] = own;
          rows.cells[2] = std::int64_t{0};
        }
        co_return rows;
      }
      break;
    default: break;
  }
  co_return co_await tx.run(query, std::move(params));
}

}  // namespace shop::simulation
