#include "services/product/catalogue.hpp"

namespace shop::product {
namespace {

Task<Result<CurrencyTable>> table_in(Transaction& tx) {
  CO_TRY(const auto rows, co_await store::currencies(tx));
  CurrencyTable table;
  for (const auto& row : rows) {
    table.rows.emplace(row.code, row);
    if (row.isBase) table.base = row.code;
  }
  co_return table;
}

// Both of one moment.
Task<Result<std::pair<std::int64_t, store::Found>>> dated_list_in(Transaction& tx, const ProductQuery& query, bool staff, const std::string& language) {
  CO_TRY(const auto changes, co_await store::changes(tx));
  CO_TRY(auto found, co_await store::find_products(tx, query, staff, language));
  co_return std::pair{changes, std::move(found)};
}

}  // namespace

Catalogue::Catalogue(Database& database, Clock& clock, Limits limits)
    : database_(database),
      clock_(clock),
      limits_(limits),
      snapshots_(limits.products),
      fragments_(limits.fragments),
      lists_(limits.lists) {}

std::uint64_t Catalogue::stamp(const ProductId& id) {
  const std::lock_guard lock(mutex_);
  return stamps_[std::hash<ProductId>()(id) % stamps_.size()];
}

void Catalogue::keep(const ProductId& id, std::uint64_t stamp_before, Kept kept) {
  const std::lock_guard lock(mutex_);
  if (stamps_[std::hash<ProductId>()(id) % stamps_.size()] == stamp_before) snapshots_.put(id, std::move(kept));
}

void Catalogue::forget(const ProductId& id) {
  const std::lock_guard lock(mutex_);
  ++stamps_[std::hash<ProductId>()(id) % stamps_.size()];
  snapshots_.erase(id);
}

// Asked before what it vouches for is read: a change in between makes the copy newer than its stamp, never older.
Task<Result<Catalogue::Stamps>> Catalogue::present_stamps(const Context& context, const std::vector<ProductId>& ids, Of of) {
  Stamps present;
  if (!limits_.shared || ids.empty()) co_return present;
  CO_TRY(const auto stamps, co_await read(database_, context, store::stamps, ids, of));
  for (const auto& stamp : stamps) present[stamp.product_id] = stamp;
  co_return present;
}

Task<Result<std::vector<SnapshotPtr>>> Catalogue::products(const Context& context, const std::vector<ProductId>& ids, Of of) {
  std::map<ProductId, SnapshotPtr> found;
  std::vector<ProductId> missing;
  std::vector<std::uint64_t> stamps;
  CO_TRY(const auto present, co_await present_stamps(context, ids, of));
  const auto as_of = [&](const ProductId& id) {
    const auto at = present.find(id);
    return at == present.end() ? store::Stamp{} : at->second;
  };
  for (const auto& id : ids) {
    const auto kept = snapshots_.get(id);
    const bool holds = kept && (of == Of::stock ? kept->stock_holds && kept->as_of.same(as_of(id)) : kept->as_of.same_details(as_of(id)));
    if (holds) {
      found[id] = kept->snapshot;
    } else {
      missing.push_back(id);
      stamps.push_back(stamp(id));
    }
  }
  if (!missing.empty()) {
    CO_TRY(auto loaded, co_await read(database_, context, store::snapshots, missing));
    for (auto& snapshot : loaded) {
      const auto id = snapshot.product.id;
      const auto at = static_cast<std::size_t>(std::ranges::find(missing, id) - missing.begin());
      found[id] = std::make_shared<const Snapshot>(std::move(snapshot));
      keep(id, stamps[at], {found[id], as_of(id)});
    }
  }
  std::vector<SnapshotPtr> in_order;
  for (const auto& id : ids) {
    if (auto it = found.find(id); it != found.end()) in_order.push_back(it->second);
  }
  co_return in_order;
}

Task<Result<SnapshotPtr>> Catalogue::product(const Context& context, const ProductId& id) {
  const std::vector<ProductId> one{id};
  CO_TRY(auto found, co_await products(context, one));
  if (found.empty()) co_return fail(Code::not_found, "Product not found.");
  co_return std::move(found.front());
}

Task<Result<std::shared_ptr<const store::Found>>> Catalogue::find(const Context& context, const ProductQuery& query, bool staff,
                                                                  const std::string& language, const std::string& key) {
  const bool by_stock = query.inStock.value_or(false);
  if (limits_.shared) co_return co_await find_shared(context, query, staff, language, by_stock ? std::string() : key);
  const auto now = [&] { return epoch_.load() + (by_stock ? stock_epoch_.load() : 0); };
  const auto epoch = now();
  if (const auto known = lists_.get(key); known && known->epoch == epoch) co_return known->found;
  CO_TRY(auto found, co_await read(database_, context, store::find_products, query, staff, language));
  auto shared = std::make_shared<const store::Found>(std::move(found));
  lists_.put(key, {epoch, shared});
  co_return shared;
}

Task<Result<std::shared_ptr<const store::Found>>> Catalogue::find_shared(const Context& context, const ProductQuery& query, bool staff,
                                                                         const std::string& language, const std::string& key) {
  const auto known = key.empty() ? std::nullopt : lists_.get(key);
  if (known) {
    CO_TRY(const auto changes, co_await read(database_, context, store::changes));
    if (static_cast<std::int64_t>(known->epoch) == changes) co_return known->found;
  }
  CO_TRY(auto dated, co_await read(database_, context, dated_list_in, query, staff, language));
  auto found = std::make_shared<const store::Found>(std::move(dated.second));
  if (!key.empty()) lists_.put(key, {static_cast<std::uint64_t>(dated.first), found});
  co_return found;
}

Task<Result<std::shared_ptr<const CurrencyTable>>> Catalogue::currencies(const Context& context) {
  std::uint64_t epoch;
  {
    const std::lock_guard lock(mutex_);
    if (currencies_ && clock_.now() - currencies_loaded_ < limits_.currency_age) co_return currencies_;
    epoch = currency_epoch_;
  }
  CO_TRY(auto table, co_await read(database_, context, table_in));
  auto shared = std::make_shared<const CurrencyTable>(std::move(table));
  const std::lock_guard lock(mutex_);
  if (epoch == currency_epoch_) {
    currencies_ = shared;
    currencies_loaded_ = clock_.now();
  }
  co_return shared;
}

std::shared_ptr<const std::string> Catalogue::list_fragment(const SnapshotPtr& snapshot, const View& view) {
  const auto& id = snapshot->product.id.uuid.bytes;
  std::string key(reinterpret_cast<const char*>(id.data()), id.size());
  key += view.staff ? '!' : '.';
  key.append(view.currency.letters.data(), 3).append(view.language);
  if (view.converts()) key += std::to_string(view.rate.micros);
  if (const auto known = fragments_.get(key); known && known->of == snapshot) return known->json;
  auto json = std::make_shared<const std::string>(codec::to_json(list_product(*snapshot, view)));
  fragments_.put(key, {snapshot, json});
  return json;
}

void Catalogue::product_changed(const ProductId& id) {
  forget(id);
  epoch_.fetch_add(1);
}

void Catalogue::stock_changed(const ProductId& id) {
  {
    const std::lock_guard lock(mutex_);
    ++stamps_[std::hash<ProductId>()(id) % stamps_.size()];
    if (auto kept = snapshots_.get(id); kept && std::exchange(kept->stock_holds, false)) snapshots_.put(id, std::move(*kept));
  }
  stock_epoch_.fetch_add(1);
}

void Catalogue::published(const ProductId& id) {
  forget(id);
  stock_epoch_.fetch_add(1);
}

std::vector<std::uint64_t> Catalogue::marks(const std::vector<Snapshot>& read) {
  std::vector<std::uint64_t> marks;
  for (const auto& snapshot : read) marks.push_back(stamp(snapshot.product.id));
  return marks;
}

void Catalogue::adopt(std::vector<Snapshot> read, const std::vector<std::uint64_t>& marks) {
  if (limits_.shared) return;
  for (std::size_t i = 0; i < read.size(); ++i) {
    const auto id = read[i].product.id;
    keep(id, marks[i], {std::make_shared<const Snapshot>(std::move(read[i])), {}});
  }
}

void Catalogue::everything_changed() {
  {
    const std::lock_guard lock(mutex_);
    for (auto& stamp : stamps_) ++stamp;
    snapshots_.clear();
  }
  epoch_.fetch_add(1);
}

void Catalogue::currencies_changed() {
  const std::lock_guard lock(mutex_);
  currencies_.reset();
  ++currency_epoch_;
}

}  // namespace shop::product
