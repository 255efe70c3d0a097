#include "adapters/xapian/generation.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "adapters/xapian/layout.hpp"
#include "adapters/xapian/searcher.hpp"

namespace shop::xapian {
namespace {

constexpr int tries = 4;

std::string name_key(std::uint32_t number) { return "name" + ordered(number); }

}  // namespace

Generation::Generation(std::filesystem::path folder, Open how) : folder_(std::move(folder)) {
  if (how == Open::made_new) {
    writer_ = Xapian::WritableDatabase(folder_, Xapian::DB_CREATE_OR_OVERWRITE | Xapian::DB_NO_SYNC);
    writer_.set_metadata("format", std::string(format));
    writer_.commit();
  } else {
    open();
    if (writer_.get_metadata("format") != format) throw Xapian::DatabaseVersionError("of another format");
    load();
  }
}

Generation::~Generation() {
  idle_.clear();
  try {
    writer_.close();
  } catch (const Xapian::Error&) {  // what it had not committed, nobody was told of
  }
  std::error_code ignored;
  if (remove_) std::filesystem::remove_all(folder_, ignored);
}

void Generation::open() { writer_ = Xapian::WritableDatabase(folder_, Xapian::DB_OPEN | Xapian::DB_NO_SYNC); }

void Generation::load() {
  complete_ = writer_.get_metadata("complete") == "yes";
  for (auto key = writer_.metadata_keys_begin("name"); key != writer_.metadata_keys_end("name"); ++key) {
    bool made = false;
    names_.add(writer_.get_metadata(*key), made);  // keys come in the order of their numbers
  }
  const auto prefix = term::anywhere("");
  for (auto word = writer_.allterms_begin(prefix); word != writer_.allterms_end(prefix); ++word) words_.add((*word).substr(prefix.size()));
}

void Generation::write(const SearchIndex::Write& write) {
  const auto id = term::id(write.id);
  const auto remember = [&](std::uint32_t number, const std::string& name) { writer_.set_metadata(name_key(number), name); };
  if (const auto at = writer_.postlist_begin(id); at != writer_.postlist_end(id)) {
    auto kept = writer_.get_document(*at);
    if (static_cast<std::uint64_t>(write.version) <= number_of(kept.get_value(Slot::version))) return;
    if (const auto mark = terms_mark(write); !mark.empty() && kept.get_value(Slot::terms) == mark) {
      renew(kept, write, names_, remember);
      writer_.replace_document(*at, kept);  // of the document it gave last, Xapian writes what was changed
      return;
    }
  }
  writer_.replace_document(id, document_of(write, names_, words_, remember));
}

void Generation::commit() {
  const std::unique_lock lock(committing_);
  writer_.commit();
  commits_.fetch_add(1);
}

// Names that were numbered since the last commit keep their numbers, so all are written down again.
void Generation::roll_back() {
  writer_.close();
  open();
  for (std::uint32_t number = 0; number < names_.size(); ++number) writer_.set_metadata(name_key(number), names_.text(number));
}

void Generation::mark_complete() {
  writer_.set_metadata("complete", "yes");
  commit();
  complete_ = true;
}

void Generation::flush() {
  commit();
  for (const auto& file : std::filesystem::directory_iterator(folder_)) {
    const int descriptor = ::open(file.path().c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) continue;
    ::fsync(descriptor);
    ::close(descriptor);
  }
}

Generation::Reader Generation::take_reader() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      auto reader = std::move(idle_.back());
      idle_.pop_back();
      return reader;
    }
  }
  const auto commits = commits_.load();
  return {Xapian::Database(folder_), commits};
}

void Generation::give_back(Reader reader) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(reader));
}

// Xapian keeps the last two commits: who reads while more follow is told, and begins again; at last it holds them up.
template <class Use>
auto Generation::read(Use use) {
  auto reader = take_reader();
  for (int attempt = 1;; ++attempt) {
    std::shared_lock held(committing_, std::defer_lock);
    if (attempt == tries) held.lock();
    try {
      if (const auto commits = commits_.load(); commits != reader.commits) {
        reader.database.reopen();
        reader.commits = commits;
      }
      auto result = use(reader.database);
      give_back(std::move(reader));
      return result;
    } catch (const Xapian::DatabaseModifiedError&) {
      if (attempt == tries) throw;
      reader.commits = ~std::uint64_t{0};
    }
  }
}

SearchResult Generation::search(const SearchQuery& query) {
  return read([&](Xapian::Database& database) { return xapian::search(database, names_, words_, query); });
}

std::int64_t Generation::products() {
  return read([](Xapian::Database& database) { return static_cast<std::int64_t>(database.get_termfreq(term::active)); });
}

}  // namespace shop::xapian
