#include "adapters/xapian/xapian_index.hpp"

#include <fstream>
#include <stdexcept>

#include <fmt/format.h>

#include "adapters/xapian/generation.hpp"
#include "adapters/xapian/layout.hpp"
#include "base/worker_pool.hpp"

namespace shop {
namespace {

namespace fs = std::filesystem;
using xapian::Generation;

std::string first_line(const fs::path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

// Whole or not at all.
void write_line(const fs::path& file, const std::string& line) {
  const auto draft = file.string() + ".new";
  std::ofstream out(draft);
  out << line << '\n';
  out.close();
  if (!out) throw std::runtime_error(fmt::format("{} cannot be written: is the disk full, or the folder read-only?", draft));
  fs::rename(draft, file);
}

std::string this_boot() { return first_line("/proc/sys/kernel/random/boot_id"); }

Failure failure_of(const Xapian::Error& error) {
  if (error.get_type() == std::string_view("InvalidArgumentError")) {
    return fail(Code::invalid, "The search index cannot hold the product.", {}, error.get_description());
  }
  return fail(Code::unavailable, "The search index cannot be used at the moment.", {}, error.get_description());
}

bool is_damage(const Xapian::Error& error) {
  const std::string_view type = error.get_type();
  return type == "DatabaseCorruptError" || type == "DatabaseOpeningError" || type == "DatabaseNotFoundError" || type == "DatabaseVersionError";
}

class XapianIndex final : public SearchIndex {
 public:
  explicit XapianIndex(XapianOptions options)
      : folder_(std::move(options.folder)), queue_(options.queue), searching_("search", options.readers, options.queue), writing_("search-write", 1, 64) {
    fs::create_directories(folder_);
    open_live();
    begin_use();
    remove_leftovers();
  }

  ~XapianIndex() override {
    (void)writing_.post([this] { end_use(); });
  }

  Task<Result<void>> apply(const Context& context, std::vector<Write> writes) override {
    co_return co_await await_callback<Result<void>>([&](Callback<Result<void>> done) {
      submit({context.deadline, std::move(writes), std::move(done)});
    });
  }

  Task<Result<SearchResult>> search(const Context& context, SearchQuery query) override {
    co_return co_await searching_.run(context, [this, query = std::move(query)]() -> Result<SearchResult> {
      return guarded<SearchResult>([&](Generation& live) { return live.search(query); });
    });
  }

  Task<Result<void>> begin_rebuild(const Context& context) override {
    co_return co_await writing_.run(context, [this]() -> Result<void> {
      if (next_) return fail(Code::conflict, "The search index is being rebuilt already.", "REBUILD_RUNNING");
      return guarded_write(nullptr, [&] { next_ = make_generation(); });
    });
  }

  // In small parts, so that live writes are not held up.
  Task<Result<void>> feed_rebuild(const Context& context, std::vector<Write> writes) override {
    constexpr std::size_t part = 50;
    for (std::size_t from = 0; from < writes.size(); from += part) {
      const auto some = std::span(writes).subspan(from, std::min(part, writes.size() - from));
      CO_CHECK(co_await writing_.run(context, [this, some]() -> Result<void> { return feed(some); }));
    }
    co_return Result<void>();
  }

  Task<Result<void>> finish_rebuild(const Context& context, bool keep) override {
    co_return co_await writing_.run(context, [this, keep]() -> Result<void> {
      if (!next_) return fail(Code::conflict, "No rebuild of the search index is running.", "NO_REBUILD");
      const auto next = std::exchange(next_, nullptr);
      next->remove_at_end();
      if (!keep) return {};
      return guarded_write(nullptr, [&] {
        next->mark_complete();
        write_line(folder_ / "live", next->folder().filename());
        next->remove_at_end(false);
        replace_live(next);
        write_line(folder_ / "in-use", this_boot());
      });
    });
  }

  Task<Result<SearchState>> state(const Context& context) override {
    co_return co_await searching_.run(context, [this]() -> Result<SearchState> {
      if (damaged_) return SearchState{};
      return guarded<SearchState>([&](Generation& live) { return SearchState{live.complete() && !outlived_, live.products()}; });
    });
  }

  Task<Result<void>> ping(const Context& context) override {
    CO_CHECK(co_await searching_.run(context, [this]() -> Result<std::int64_t> {
      return guarded<std::int64_t>([](Generation& live) { return live.products(); });
    }));
    co_return Result<void>();
  }

 private:
  struct Job {
    Monotonic deadline;
    std::vector<Write> writes;
    Callback<Result<void>> done;
  };

  // --- generations

  std::shared_ptr<Generation> make_generation() {
    for (;;) {
      const auto folder = folder_ / fmt::format("generation-{}", ++last_number_);
      if (!fs::exists(folder)) return std::make_shared<Generation>(folder, Generation::Open::made_new);
    }
  }

  void open_live() {
    const auto name = first_line(folder_ / "live");
    if (name.starts_with("generation-") && name.find('/') == name.npos) {
      try {
        live_ = std::make_shared<Generation>(folder_ / name, Generation::Open::as_it_is);
        return;
      } catch (const Xapian::DatabaseLockError&) {
        throw std::runtime_error(fmt::format("The search index in {} is in use by another process.", folder_.string()));
      } catch (const Xapian::Error&) {  // damaged, or another program's: it is derived, so a new one takes its place
      }
    }
    try {
      live_ = make_generation();
    } catch (const Xapian::Error& error) {
      throw std::runtime_error(fmt::format("The search index in {} cannot be made: {}.", folder_.string(), error.get_description()));
    }
    write_line(folder_ / "live", live_->folder().filename());
  }

  void remove_leftovers() {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      const auto name = entry.path().filename().string();
      if (name.starts_with("generation-") && entry.path() != live_->folder()) fs::remove_all(entry.path(), ignored);
    }
  }

  std::shared_ptr<Generation> live() {
    const std::lock_guard lock(mutex_);
    return live_;
  }

  // Whoever still searches the old one keeps it; the last removes it.
  void replace_live(std::shared_ptr<Generation> next) {
    const std::lock_guard lock(mutex_);
    live_->remove_at_end();
    live_ = std::move(next);
    damaged_ = outlived_ = false;
  }

  // --- what a crash of the machine may have lost

  // An older mark stays until a rebuild has made up for it.
  void begin_use() {
    const auto mark = folder_ / "in-use";
    outlived_ = fs::exists(mark) && first_line(mark) != this_boot();
    if (!outlived_) write_line(mark, this_boot());
  }

  void end_use() {
    try {
      if (damaged_ || outlived_) return;
      live_->flush();
      fs::remove(folder_ / "in-use");
    } catch (const std::exception&) {  // the mark stays
    } catch (const Xapian::Error&) {
    }
  }

  // --- writing, on its one thread

  void submit(Job job) {
    {
      const std::lock_guard lock(mutex_);
      if (waiting_.size() < queue_) {
        waiting_.push_back(std::move(job));
        if (waiting_.size() > 1 || writing_.post([this] { write_waiting(); })) return;
        job = std::move(waiting_.back());
        waiting_.pop_back();
      }
    }
    job.done(fail(busy("Too many writes wait for the search index.")));
  }

  void write_waiting() {
    std::vector<Job> jobs;
    {
      const std::lock_guard lock(mutex_);
      jobs.swap(waiting_);
    }
    const auto now = std::chrono::steady_clock::now();
    std::erase_if(jobs, [&](Job& job) {
      if (now < job.deadline) return false;
      job.done(fail(Code::timed_out, "The search index had no time for the write."));
      return true;
    });
    const auto outcome = guarded_write(live_.get(), [&] {
      for (const auto& job : jobs) {
        for (const auto& write : job.writes) live_->write(write);
      }
      live_->commit();
    });
    if (outcome && next_) feed_all(jobs);
    for (auto& job : jobs) job.done(outcome);
  }

  // A rebuild that missed a live write must not become the live one.
  void feed_all(const std::vector<Job>& jobs) {
    for (const auto& job : jobs) {
      if (next_ && !feed(job.writes)) drop_next();
    }
  }

  Result<void> feed(std::span<const Write> writes) {
    if (!next_) return fail(Code::conflict, "No rebuild of the search index is running.", "NO_REBUILD");
    constexpr std::size_t most_uncommitted = 500;
    return guarded_write(nullptr, [&] {
      for (const auto& write : writes) next_->write(write);
      uncommitted_ += writes.size();
      if (uncommitted_ < most_uncommitted) return;
      next_->commit();
      uncommitted_ = 0;
    });
  }

  void drop_next() {
    next_->remove_at_end();
    next_.reset();
  }

  // After a failure `live` stands as of its last commit. A rebuild that failed is not kept, so it needs no such care.
  template <class Work>
  Result<void> guarded_write(Generation* live, Work work) {
    try {
      work();
      return {};
    } catch (const Xapian::Error& error) {
      if (live) recover(*live, error);
      return failure_of(error);
    } catch (const std::exception& error) {
      return fail(Code::unavailable, "The search index cannot be written at the moment.", {}, error.what());
    }
  }

  void recover(Generation& live, const Xapian::Error& error) {
    if (is_damage(error)) damaged_ = true;
    try {
      live.roll_back();
    } catch (const Xapian::Error&) {
      damaged_ = true;
    }
  }

  template <class T, class Work>
  Result<T> guarded(Work work) {
    try {
      return work(*live());
    } catch (const Xapian::Error& error) {
      if (is_damage(error)) damaged_ = true;
      return failure_of(error);
    }
  }

  const fs::path folder_;
  const std::size_t queue_;
  std::mutex mutex_;
  std::shared_ptr<Generation> live_, next_;  // next_: the writing thread's alone
  std::vector<Job> waiting_;
  std::size_t uncommitted_ = 0;
  int last_number_ = 0;
  std::atomic<bool> damaged_{false}, outlived_{false};
  WorkerPool searching_;
  WorkerPool writing_;  // last: what waits in it uses all of the above
};

// Opens what is live anew for each page; who commits or replaces it meanwhile makes it begin the page again.
class XapianListing final : public SearchListing {
 public:
  explicit XapianListing(fs::path folder) : folder_(std::move(folder)) {}

  Task<Result<std::vector<ListedProduct>>> list(const Context&, const std::optional<ProductId>& after, std::size_t limit) override {
    constexpr int tries = 20;
    for (int attempt = 1;; ++attempt) {
      try {
        co_return page(Xapian::Database(folder_ / first_line(folder_ / "live")), after, limit);
      } catch (const Xapian::Error& error) {
        if (attempt == tries) co_return failure_of(error);
      }
    }
  }

 private:
  static std::vector<ListedProduct> page(const Xapian::Database& index, const std::optional<ProductId>& after, std::size_t limit) {
    const auto prefix = xapian::term::id({}).substr(0, 1);
    std::vector<ListedProduct> products;
    auto term = index.allterms_begin(prefix);
    if (after) term.skip_to(xapian::term::id(*after));
    for (; term != index.allterms_end(prefix) && products.size() < limit; ++term) {
      ListedProduct product;
      std::memcpy(product.id.uuid.bytes.data(), (*term).data() + prefix.size(), product.id.uuid.bytes.size());
      if (product.id == after) continue;
      const auto document = index.get_document(*index.postlist_begin(*term));
      product.version = static_cast<std::int64_t>(xapian::number_of(document.get_value(xapian::Slot::version)));
      if (auto source = document.get_data(); !source.empty()) product.source = std::move(source);
      products.push_back(std::move(product));
    }
    return products;
  }

  const fs::path folder_;
};

}  // namespace

std::unique_ptr<SearchListing> list_xapian(std::filesystem::path folder) { return std::make_unique<XapianListing>(std::move(folder)); }

std::unique_ptr<SearchIndex> open_xapian(XapianOptions options) { return std::make_unique<XapianIndex>(std::move(options)); }

}  // namespace shop
