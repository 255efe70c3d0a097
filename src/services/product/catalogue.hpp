// The catalogue as it is read: bounded copies in memory, dropped the moment a change of theirs has committed, so that
// nobody reads older than their own write.
//
// Where other replicas write to the same store (`Limits::shared`) a copy is used only after the store has said that it still holds
// (store::Stamp: one short statement for all products of a request), a list only while the store counts no further change (store::changes);
// what depends on stock is asked anew. Whoever wrote through one replica reads it through every other, and an order gets the price that holds.
//
// A copy that was being loaded while its product changed is not kept: every product has a stamp (shared by hash) that a
// change counts up, and a load keeps its result only if the stamp still is what it was before.
#pragma once

#include <memory>
#include <mutex>

#include "base/generation_cache.hpp"
#include "ports/clock.hpp"
#include "services/product/store.hpp"

namespace shop::product {

using SnapshotPtr = std::shared_ptr<const Snapshot>;

struct CurrencyTable {
  Currency base;
  std::map<Currency, CurrencyRow> rows;
};

class Catalogue {
 public:
  struct Limits {
    std::size_t products = 20'000;   // snapshots, some kilobytes each
    std::size_t fragments = 40'000;  // rendered products
    std::size_t lists = 2'000;       // results of queries: ids only
    milliseconds currency_age{1000};
    bool shared = false;             // other processes change the store too
  };

  Catalogue(Database& database, Clock& clock, Limits limits);

  // details: whoever asks does not look at stock, so that a copy serves of which it alone has changed.
  using Of = store::Change;

  Task<Result<SnapshotPtr>> product(const Context& context, const ProductId& id);  // not_found
  // Those that exist, in order.
  Task<Result<std::vector<SnapshotPtr>>> products(const Context& context, const std::vector<ProductId>& ids, Of of = Of::stock);
  Task<Result<std::shared_ptr<const store::Found>>> find(const Context& context, const ProductQuery& query, bool staff,
                                                         const std::string& language, const std::string& key);
  Task<Result<std::shared_ptr<const CurrencyTable>>> currencies(const Context& context);

  // A product of a list as JSON; kept as long as the snapshot is.
  std::shared_ptr<const std::string> list_fragment(const SnapshotPtr& snapshot, const View& view);

  // To be called from on_commit.
  void product_changed(const ProductId& id);  // anything but stock
  void stock_changed(const ProductId& id);
  void published(const ProductId& id);        // whatever it was that changed

  // What a transaction has read, for readers after its commit: `adopt` keeps it unless the product has changed since `marks`.
  std::vector<std::uint64_t> marks(const std::vector<Snapshot>& read);
  void adopt(std::vector<Snapshot> read, const std::vector<std::uint64_t>& marks);  // nothing when shared: the store alone vouches for copies
  void everything_changed();                  // categories: they stand in every product
  void currencies_changed();

 private:
  struct Fragment {
    SnapshotPtr of;
    std::shared_ptr<const std::string> json;
  };
  struct List {
    std::uint64_t epoch = 0;  // when shared: the store's count of changes
    std::shared_ptr<const store::Found> found;
  };

  struct Kept {
    SnapshotPtr snapshot;
    store::Stamp as_of;       // when shared
    bool stock_holds = true;
  };
  using Stamps = std::map<ProductId, store::Stamp>;

  Task<Result<std::shared_ptr<const store::Found>>> find_shared(const Context& context, const ProductQuery& query, bool staff,
                                                                const std::string& language, const std::string& key);  // empty: not to be kept
  Task<Result<Stamps>> present_stamps(const Context& context, const std::vector<ProductId>& ids, Of of);
  std::uint64_t stamp(const ProductId& id);
  void keep(const ProductId& id, std::uint64_t stamp_before, Kept kept);
  void forget(const ProductId& id);

  Database& database_;
  Clock& clock_;
  const Limits limits_;

  std::mutex mutex_;
  std::array<std::uint64_t, 1024> stamps_{};
  GenerationCache<ProductId, Kept> snapshots_;
  GenerationCache<std::string, Fragment> fragments_;
  GenerationCache<std::string, List> lists_;
  std::atomic<std::uint64_t> epoch_{1}, stock_epoch_{1};
  std::shared_ptr<const CurrencyTable> currencies_;
  Monotonic currencies_loaded_;
  std::uint64_t currency_epoch_ = 0;
};

}  // namespace shop::product
