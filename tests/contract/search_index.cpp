// One suite for every search engine: Xapian, Elasticsearch, OpenSearch. The servers' addresses come as host:port in
// SHOP_TEST_ELASTICSEARCH and SHOP_TEST_OPENSEARCH.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "adapters/elasticsearch/elasticsearch_index.hpp"
#include "adapters/system/system.hpp"
#include "adapters/xapian/xapian_index.hpp"
#include "apps/blocking.hpp"
#include "net/io_threads.hpp"
#include "contract/search_model.hpp"

namespace shop::test {
namespace {

using Write = SearchIndex::Write;
using std::chrono::steady_clock;

Context within(milliseconds limit) {
  Context context;
  context.deadline = steady_clock::now() + limit;
  return context;
}

// A search engine to test: `open` gives another instance on the same data.
class Engine {
 public:
  virtual ~Engine() = default;
  virtual std::unique_ptr<SearchIndex> open() = 0;
  virtual std::unique_ptr<SearchListing> listing() = 0;
  virtual bool shared() const = 0;  // several instances at a time
};

class XapianEngine final : public Engine {
 public:
  XapianEngine() {
    std::string pattern = (std::filesystem::temp_directory_path() / "search-test-XXXXXX").string();
    folder = ::mkdtemp(pattern.data());
  }
  ~XapianEngine() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }
  std::unique_ptr<SearchIndex> open() override { return open_xapian({.folder = folder / "index"}); }
  std::unique_ptr<SearchListing> listing() override { return list_xapian(folder / "index"); }
  bool shared() const override { return false; }

  std::filesystem::path folder;
};

class HttpEngine final : public Engine {
 public:
  HttpEngine(net::Endpoint server, net::IoThreads& threads) : server_(std::move(server)), threads_(threads) {
    index_ = fmt::format("test-{}-{}", ::getpid(), SystemRandom().token().substr(0, 8));
  }
  ~HttpEngine() override {
    for (int number = 1; number < 20; ++number) {
      const Request request{Method::del, fmt::format("/{}-v{}", index_, number), {}, {}, {}};
      const auto context = within(seconds(10));
      (void)run_blocking(threads_.first(), pool_.send(context, server_, request));
    }
  }
  std::unique_ptr<SearchIndex> open() override { return open_elasticsearch({.nodes = {server_}, .index = index_}, pool_, clock_); }
  std::unique_ptr<SearchListing> listing() override { return list_elasticsearch({.nodes = {server_}, .index = index_}, pool_, clock_); }
  bool shared() const override { return true; }

 private:
  const net::Endpoint server_;
  net::IoThreads& threads_;
  net::ClientPool pool_;
  SystemClock clock_;
  std::string index_;
};

std::optional<net::Endpoint> server_in(const char* variable) {
  const char* address = std::getenv(variable);
  const std::string text = address ? address : "";
  const auto colon = text.rfind(':');
  if (colon == text.npos) return std::nullopt;
  return net::Endpoint{text.substr(0, colon), static_cast<std::uint16_t>(std::atoi(text.c_str() + colon + 1)), {}};
}

class SearchIndexContract : public testing::TestWithParam<std::string> {
 protected:
  template <class Ask>
  auto attempt(Ask ask) {
    const auto context = within(seconds(30));
    return run_blocking(threads_.first(), ask(context));
  }

  // The value, or a failed test.
  template <class Ask>
  auto run(Ask ask) {
    auto result = attempt(ask);
    if (!result) {
      ADD_FAILURE() << result.error().message << " " << result.error().detail;
      throw std::runtime_error(result.error().message);
    }
    if constexpr (!std::is_void_v<typename decltype(result)::value_type>) return std::move(*result);
  }

  void SetUp() override {
    if (GetParam() == "Xapian") {
      engine_ = std::make_unique<XapianEngine>();
    } else {
      const auto variable = GetParam() == "Elasticsearch" ? "SHOP_TEST_ELASTICSEARCH" : "SHOP_TEST_OPENSEARCH";
      const auto server = server_in(variable);
      if (!server) FAIL() << variable << " is missing: it names a running " << GetParam() << " as host:port.";
      engine_ = std::make_unique<HttpEngine>(*server, threads_);
    }
    index_ = engine_->open();
    const auto state = run([&](const Context& context) { return index_->state(context); });
    ASSERT_FALSE(state.complete);
  }

  void apply(std::vector<Write> writes) {
    run([&](const Context& context) { return index_->apply(context, std::move(writes)); });
  }
  SearchResult search(const SearchQuery& query) {
    return run([&](const Context& context) { return index_->search(context, query); });
  }
  std::vector<std::string> found(std::string text, std::string language = "en") {
    return search({.text = std::move(text), .language = std::move(language)}).sources;
  }

  void rebuild(const std::vector<Write>& writes) {
    run([&](const Context& context) { return index_->begin_rebuild(context); });
    run([&](const Context& context) { return index_->feed_rebuild(context, writes); });
    run([&](const Context& context) { return index_->finish_rebuild(context, true); });
  }

  net::IoThreads threads_{2};
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<SearchIndex> index_;
};

using Sources = std::vector<std::string>;

ProductId product_id(int number) {
  ProductId id;
  id.uuid.bytes[14] = static_cast<std::uint8_t>(number >> 8);
  id.uuid.bytes[15] = static_cast<std::uint8_t>(number);
  id.uuid.bytes[6] = 0x70;
  id.uuid.bytes[8] = 0x80;
  return id;
}

// A product whose source is its name.
Write product(int number, std::string name, std::int64_t version = 1) {
  SearchDocument document;
  document.id = product_id(number);
  document.sku = fmt::format("SKU-{}", number);
  document.name = {{"en", name}};
  document.created_at = {number * 1000};
  document.source = std::move(name);
  return {document.id, version, std::move(document)};
}

TEST_P(SearchIndexContract, FindsWordsWithoutCaseAccentsAndSpelling) {
  auto write = product(1, "Café «Noël» iPhone-15");
  auto& document = *write.document;
  document.name["fr"] = "L'Été d'une œuvre";
  document.name["ar"] = "دراجة هوائيّة";
  document.description = {{"fr", "Roue avant, 27.5 pouces"}, {"en", "Front wheel"}, {"ar", "عجلة أمامية مؤقتة"}};
  document.category_names = {{{"en", "Wheels & Tyres"}, {"fr", "Roues"}}};
  document.sku = "SM-S928B_256";
  document.variants = {{{}, {{"Color", "Titanium Gray"}, {"Size: inner", "a:b"}}, {100}, 1}};
  apply({write});
  const Sources hit{"Café «Noël» iPhone-15"};
  for (const auto* text : {"cafe", "CAFÉ", "noel", "iphone", "15", "ete", "été", "l'été", "oeuvre", "ŒUVRE", "دراجة", "دراجه",
                           "هوائية", "roue", "ROUE avant", "27.5", "27,5", "wheel", "عجلة امامية", "موقتة", "wheels", "roues", "sm-s928b", "S928B", "256",
                           "SM-S928B_256", "titanium gray", "color", "a:b", "inner", "front roue دراجة", "  cafe  ", "cafe cafe"}) {
    for (const auto* language : {"en", "fr", "ar", "de"}) EXPECT_EQ(found(text, language), hit) << text << " in " << language;
  }
  for (const auto* text : {"lamp", "cafe lamp", "!?", "-", "iphone 14", "12345"}) EXPECT_EQ(found(text), Sources{}) << text;
  EXPECT_EQ(found(""), hit);
  EXPECT_EQ(found("   "), hit);
}

TEST_P(SearchIndexContract, ToleratesTyposByTheLengthOfTheWord) {
  apply({product(1, "galaxy"), product(2, "tv"), product(3, "lamp"), product(4, "keyboard")});
  for (const auto* text : {"galaxy", "galxy", "gallaxy", "galaxi", "glaaxy", "ggalaxyy", "xalaxx"}) EXPECT_EQ(found(text), Sources{"galaxy"}) << text;
  for (const auto* text : {"tz", "t", "v", "tvs", "tvv"}) EXPECT_EQ(found(text).empty(), std::string_view(text).size() < 3) << text;
  for (const auto* text : {"lamb", "lam", "lmap", "llamp"}) EXPECT_EQ(found(text), Sources{"lamp"}) << text;
  for (const auto* text : {"la", "lmpa", "lump1", "glxy", "galaxies", "kbrd"}) EXPECT_EQ(found(text), Sources{}) << text;
  EXPECT_EQ(found("keybaord"), Sources{"keyboard"});
}

TEST_P(SearchIndexContract, WeighsFieldsAsTheContractSays) {
  std::vector<Write> writes;
  for (int i = 1; i <= 9; ++i) writes.push_back(product(i, "w" + std::to_string(i) + " some other words here"));
  writes[0].document->name["fr"] = "a rather long name with sprocket in it and more";
  writes[1].document->category_names = {{{"fr", "Sprocket"}}};
  writes[2].document->sku = "X-SPROCKET-1";
  writes[3].document->name["en"] += " sprocket";
  writes[4].document->description["fr"] = "sprocket";
  writes[5].document->variants = {{{}, {{"Kind", "sprocket"}}, {100}, 1}};
  writes[6].document->name["de"] = "sprocket";
  writes[7].document->name["fr"] = "sprockot";
  writes[8].document->description["fr"] = "sprockot";
  apply(writes);
  auto hits = found("sprocket", "fr");
  for (auto& hit : hits) hit = hit.substr(0, 2);
  EXPECT_EQ(hits, (Sources{"w1", "w2", "w3", "w4", "w5", "w6", "w7", "w8", "w9"}));
}

TEST_P(SearchIndexContract, FiltersHoldForOneVariant) {
  auto mixed = product(1, "mixed"), plain = product(2, "plain"), bare = product(3, "bare");
  mixed.document->variants = {{{}, {{"Color", "Red"}, {"Size", "M"}}, {3000}, 0}, {{}, {{"Color", "Blue"}, {"Size", "L"}}, {30000}, 7}};
  plain.document->variants = {{{}, {{"Color", "Red"}, {"Size", "L"}}, {4000}, 3}};
  mixed.document->category_slugs = {"frames"};
  mixed.document->ancestor_slugs = {"parts"};
  apply({mixed, plain, bare});
  const auto sorted = [&](SearchQuery query) {
    auto result = search(query);
    EXPECT_EQ(result.total, static_cast<std::int64_t>(result.sources.size()));
    std::ranges::sort(result.sources);
    return result.sources;
  };
  EXPECT_EQ(sorted({}), (Sources{"bare", "mixed", "plain"}));
  EXPECT_EQ(sorted({.attributes = {{"Color", {"Red"}}}}), (Sources{"mixed", "plain"}));
  EXPECT_EQ(sorted({.attributes = {{"Color", {"Red"}}, {"Size", {"L"}}}}), (Sources{"plain"}));
  EXPECT_EQ(sorted({.attributes = {{"Color", {"Red", "Blue", "Green"}}, {"Size", {"L"}}}}), (Sources{"mixed", "plain"}));
  EXPECT_EQ(sorted({.attributes = {{"Color", {"Green"}}}}), Sources{});
  EXPECT_EQ(sorted({.attributes = {{"color", {"Red"}}}}), Sources{});
  EXPECT_EQ(sorted({.in_stock = true}), (Sources{"mixed", "plain"}));
  EXPECT_EQ(sorted({.in_stock = true, .attributes = {{"Color", {"Red"}}}}), (Sources{"plain"}));
  EXPECT_EQ(sorted({.min_price = Price{4000}, .max_price = Price{4000}}), (Sources{"plain"}));
  EXPECT_EQ(sorted({.min_price = Price{3001}, .max_price = Price{29999}}), (Sources{"plain"}));
  EXPECT_EQ(sorted({.min_price = Price{5000}, .attributes = {{"Color", {"Red"}}}}), Sources{});
  EXPECT_EQ(sorted({.max_price = Price{3500}, .in_stock = true}), Sources{});
  EXPECT_EQ(sorted({.category = "frames"}), (Sources{"mixed"}));
  EXPECT_EQ(sorted({.category = "parts"}), (Sources{"mixed"}));
  EXPECT_EQ(sorted({.category = "part"}), Sources{});
}

TEST_P(SearchIndexContract, IgnoresStaleAndDoubledWrites) {
  apply({product(1, "second", 2)});
  apply({product(1, "first", 1)});
  apply({product(1, "again", 2)});
  EXPECT_EQ(found(""), Sources{"second"});
  apply({{product_id(1), 3, {}}});
  EXPECT_EQ(found(""), Sources{});
  apply({product(1, "second", 2), product(1, "third", 3)});
  EXPECT_EQ(found(""), Sources{});
  apply({{product_id(1), 4, {}}, product(1, "fifth", 5), product(1, "fourth", 4)});
  EXPECT_EQ(found(""), Sources{"fifth"});
  auto hidden = product(1, "hidden", 6);
  hidden.document->active = false;
  apply({hidden});
  EXPECT_EQ(found(""), Sources{});
  apply({product(1, "shown", 7), {product_id(2), 1, {}}, product(2, "never", 1)});
  EXPECT_EQ(found(""), Sources{"shown"});
  EXPECT_EQ(run([&](const Context& context) { return index_->state(context); }).products, 1);
}

TEST_P(SearchIndexContract, ListsWhatItHolds) {
  const auto listing = engine_->listing();
  const auto listed = [&](const std::optional<ProductId>& after, std::size_t limit) {
    std::string text;
    for (const auto& each : run([&](const Context& context) { return listing->list(context, after, limit); })) {
      text += fmt::format("{} {} {};", each.id.uuid.bytes[15], each.version, each.source.value_or("none"));
    }
    return text;
  };
  EXPECT_EQ(listed({}, 10), "");
  auto hidden = product(3, "hidden", 4);
  hidden.document->active = false;
  apply({product(5, "last", 9), product(1, "first"), hidden, {product_id(2), 7, {}}});
  EXPECT_EQ(listed({}, 10), "1 1 first;2 7 none;3 4 none;5 9 last;");
  EXPECT_EQ(listed({}, 2), "1 1 first;2 7 none;");
  EXPECT_EQ(listed(product_id(2), 2), "3 4 none;5 9 last;");
  EXPECT_EQ(listed(product_id(4), 2), "5 9 last;");
  EXPECT_EQ(listed(product_id(5), 2), "");
  for (int version = 2; version < 9; ++version) apply({product(1, fmt::format("first {}", version), version)});
  EXPECT_EQ(listed({}, 1), "1 8 first 8;");
  rebuild({product(4, "only", 3)});
  EXPECT_EQ(listed({}, 10), "4 3 only;");
}

TEST_P(SearchIndexContract, IsVisibleWhenApplyReturns) {
  for (int i = 1; i <= 20; ++i) {
    apply({product(i, fmt::format("thing{}q", i * 1'000'003))});
    ASSERT_EQ(search({.order = SearchOrder::created_at, .limit = 1}).sources, Sources{fmt::format("thing{}q", i * 1'000'003)});
    ASSERT_EQ(search({}).total, i);
  }
}

TEST_P(SearchIndexContract, PagesCoverEverythingOnce) {
  std::vector<Write> writes;
  for (int i = 1; i <= 103; ++i) writes.push_back(product(i, fmt::format("n{}", i)));
  apply(writes);
  for (const auto order : {SearchOrder::relevance, SearchOrder::price, SearchOrder::created_at, SearchOrder::rating}) {
    for (const bool descending : {true, false}) {
      std::set<std::string> seen;
      for (std::size_t offset = 0; offset < 120; offset += 10) {
        const auto page = search({.order = order, .descending = descending, .offset = offset, .limit = 10});
        EXPECT_EQ(page.total, 103);
        EXPECT_EQ(page.sources.size(), offset > 103 ? 0 : std::min<std::size_t>(10, 103 - offset));
        seen.insert(page.sources.begin(), page.sources.end());
      }
      EXPECT_EQ(seen.size(), 103u);
    }
  }
  EXPECT_EQ(search({.offset = search_window - 100, .limit = 100}).total, 103);
}

TEST_P(SearchIndexContract, FacetsAreCutToTheMostFrequent) {
  std::vector<Write> writes;
  for (int i = 1; i <= 150; ++i) {
    auto write = product(i, fmt::format("n{}", i));
    write.document->category_slugs = {fmt::format("c-{:03}", i % 75)};
    write.document->variants = {{{}, {{"A", fmt::format("v{:03}", i % 120)}}, {i * 500}, 1}};
    writes.push_back(std::move(write));
  }
  SearchModel model;
  for (const auto& write : writes) model.apply(write);
  apply(writes);
  const auto result = search({}), expected = model.search({});
  EXPECT_EQ(result.categories, expected.categories);
  EXPECT_EQ(result.attributes, expected.attributes);
  EXPECT_EQ(result.price_ranges, expected.price_ranges);
  EXPECT_EQ(result.categories.size(), max_category_facets);
  EXPECT_EQ(result.attributes.size(), max_attribute_facets);
}

// Products and queries out of a small world, in which much is near to much else.
class World {
 public:
  explicit World(std::uint32_t seed) : random_(seed) {}

  Write any_product(int number) {
    auto write = product(number, "");
    auto& d = *write.document;
    d.source = fmt::format("p{}", number);
    d.sku = fmt::format("{}-{}", word(), below(50));
    d.name = texts(1, 4);
    d.description = texts(0, 9);
    d.rating_hundredths = below(6) * 100;
    d.created_at = {1'600'000'000'000 + below(40) * 1000};
    d.active = below(12) > 0;
    for (auto left = below(3); left > 0; --left) {
      const auto category = below(8);
      d.category_slugs.push_back(fmt::format("c{}", category));
      d.ancestor_slugs.push_back(fmt::format("top{}", category % 2));
      d.category_names.push_back({{"en", words_[static_cast<std::size_t>(category)]}, {"fr", words_[static_cast<std::size_t>(category) + 3]}});
    }
    for (auto left = below(4); left > 0; --left) {
      d.variants.push_back({{}, {{"Color", color()}, {"Size", size()}}, {below(70) * 1000}, below(3)});
      if (below(4) == 0) d.variants.back().attributes.erase("Size");
    }
    return write;
  }

  SearchQuery any_query() {
    SearchQuery query;
    for (auto left = below(4); left > 0; --left) (query.text += below(3) == 0 ? misspelt(word()) : word()) += ' ';
    query.language = std::array{"en", "fr", "ar", "de"}[static_cast<std::size_t>(below(4))];
    if (below(5) == 0) query.category = below(2) ? fmt::format("c{}", below(8)) : fmt::format("top{}", below(2));
    if (below(5) == 0) query.min_price = Price{below(40) * 1000};
    if (below(5) == 0) query.max_price = Price{below(70) * 1000};
    query.in_stock = below(4) == 0;
    if (below(4) == 0) query.attributes["Color"] = {color(), color()};
    if (below(6) == 0) query.attributes["Size"] = {size()};
    query.order = static_cast<SearchOrder>(below(6) > 3 ? below(4) : 0);
    query.descending = below(4) > 0;
    query.offset = static_cast<std::size_t>(below(4) == 0 ? below(20) : 0);
    query.limit = static_cast<std::size_t>(1 + below(40));
    return query;
  }

 private:
  std::int64_t below(std::int64_t bound) { return static_cast<std::int64_t>(random_() % static_cast<std::uint32_t>(bound)); }
  std::string word() { return words_[static_cast<std::size_t>(below(static_cast<std::int64_t>(words_.size())))]; }
  std::string color() { return std::array{"Red", "Blue", "Green", "Rouge vif"}[static_cast<std::size_t>(below(4))]; }
  std::string size() { return std::array{"S", "M", "L"}[static_cast<std::size_t>(below(3))]; }

  std::string misspelt(std::string text) {
    auto letters = letters_of(text);
    const auto at = static_cast<std::size_t>(below(static_cast<std::int64_t>(letters.size())));
    switch (below(3)) {
      case 0: letters.erase(at, 1); break;
      case 1: letters.insert(at, 1, U'x'); break;
      default: if (at > 0) std::swap(letters[at], letters[at - 1]);
    }
    std::string out;
    for (const auto letter : letters) {
      if (letter < 0x80) {
        out += static_cast<char>(letter);
      } else {
        out += static_cast<char>(0xC0 | (letter >> 6));
        out += static_cast<char>(0x80 | (letter & 0x3F));
      }
    }
    return out;
  }

  Texts texts(std::int64_t least, std::int64_t most) {
    Texts out;
    for (const auto* language : {"en", "fr", "ar", "de"}) {
      std::string text;
      for (auto left = least + below(most - least + 1); left > 0; --left) (text += word()) += below(5) == 0 ? ", " : " ";
      if (!text.empty() && (below(3) > 0 || std::string_view(language) == "en")) out[language] = text;
    }
    return out;
  }

  std::mt19937 random_;
  const std::vector<std::string> words_{"wheel", "wheels", "Steel", "roue", "roues", "Rouge", "été", "cadre", "cadres", "frame", "Frames", "bike",
                                        "bikes", "like", "tv", "tx", "a", "دراجة", "دراجات", "عجلة", "أحمر", "احمد", "S928B", "256", "255", "helmet",
                                        "helmets", "casque", "casquette", "œuvre", "l'oeuf", "lampe", "lamp", "clamp", "camp", "straße", "strasse"};
};

TEST_P(SearchIndexContract, AnswersAsTheModelDoes) {
  World world(20'261'124);
  SearchModel model;
  std::vector<Write> writes;
  for (int i = 1; i <= 300; ++i) writes.push_back(world.any_product(i));
  for (const auto& write : writes) model.apply(write);
  apply(writes);
  int with_hits = 0;
  for (int i = 0; i < 250; ++i) {
    const auto query = world.any_query();
    const auto result = search(query), expected = model.search(query);
    with_hits += expected.total > 0;
    ASSERT_EQ(result.total, expected.total) << i << ": " << query.text << " in " << query.language;
    ASSERT_EQ(result.sources, expected.sources) << i << ": " << query.text << " in " << query.language << " by " << static_cast<int>(query.order);
    ASSERT_EQ(result.categories, expected.categories) << i;
    ASSERT_EQ(result.attributes, expected.attributes) << i;
    ASSERT_EQ(result.price_ranges, expected.price_ranges) << i;
  }
  EXPECT_GT(with_hits, 120);
}

TEST_P(SearchIndexContract, RebuildsBesideTheLiveIndex) {
  apply({product(1, "one"), product(2, "two"), product(3, "three", 5), product(4, "ghost")});
  run([&](const Context& context) { return index_->begin_rebuild(context); });
  EXPECT_EQ(attempt([&](const Context& context) { return index_->begin_rebuild(context); }).error().code, Code::conflict);
  if (engine_->shared()) {
    const auto other = engine_->open();
    EXPECT_EQ(attempt([&](const Context& context) { return other->begin_rebuild(context); }).error().code, Code::conflict);
    run([&](const Context& context) { return other->apply(context, {product(6, "six")}); });
  } else {
    apply({product(6, "six")});
  }
  apply({product(3, "newer", 6), {product_id(2), 9, {}}, product(5, "five")});
  run([&](const Context& context) { return index_->feed_rebuild(context, {product(1, "one"), product(2, "two", 8), product(3, "three", 5)}); });
  EXPECT_EQ(search({}).total, 5);
  run([&](const Context& context) { return index_->finish_rebuild(context, true); });
  auto all = found("");
  std::ranges::sort(all);
  EXPECT_EQ(all, (Sources{"five", "newer", "one", "six"}));
  EXPECT_TRUE(run([&](const Context& context) { return index_->state(context); }).complete);
  apply({product(7, "seven"), product(3, "older", 5)});
  EXPECT_EQ(search({}).total, 5);
  EXPECT_EQ(attempt([&](const Context& context) { return index_->finish_rebuild(context, true); }).error().code, Code::conflict);
  EXPECT_EQ(attempt([&](const Context& context) { return index_->feed_rebuild(context, {product(8, "x")}); }).error().code, Code::conflict);
}

TEST_P(SearchIndexContract, AGivenUpRebuildChangesNothing) {
  apply({product(1, "one")});
  run([&](const Context& context) { return index_->begin_rebuild(context); });
  run([&](const Context& context) { return index_->feed_rebuild(context, {product(2, "two")}); });
  apply({product(3, "three")});
  run([&](const Context& context) { return index_->finish_rebuild(context, false); });
  EXPECT_EQ(search({}).total, 2);
  EXPECT_FALSE(run([&](const Context& context) { return index_->state(context); }).complete);
  rebuild({product(4, "four")});
  EXPECT_EQ(found(""), Sources{"four"});
}

// Searches never fail and are never empty while index after index is built and swapped, and no live write is lost.
TEST_P(SearchIndexContract, NobodyNoticesARebuild) {
  constexpr int products = 400, rebuilds = 2;
  std::vector<Write> all;
  for (int i = 1; i <= products; ++i) all.push_back(product(i, fmt::format("common n{}", i)));
  rebuild(all);
  std::atomic<bool> stop{false};
  std::atomic<int> searches{0}, failed{0}, empty{0};
  std::vector<std::thread> visitors;
  for (int v = 0; v < 2; ++v) {
    visitors.emplace_back([&] {
      while (!stop) {
        const auto context = within(seconds(20));
        const auto result = run_blocking(threads_.first(), index_->search(context, {.text = "common", .language = "en"}));
        ++searches;
        if (!result) {
          if (failed++ == 0) ADD_FAILURE() << result.error().message << " " << result.error().detail;
        } else if (result->total < products) {
          if (empty++ == 0) ADD_FAILURE() << "only " << result->total;
        }
      }
    });
  }
  std::atomic<int> live{0};
  std::thread writer([&] {
    while (!stop) {
      const auto context = within(seconds(20));
      const int number = products + 1 + live;
      if (!run_blocking(threads_.first(), index_->apply(context, {product(number, fmt::format("common n{}", number))}))) {
        ADD_FAILURE() << "a live write failed";
        return;
      }
      ++live;
    }
  });
  const auto searching = [&](int more) {
    const auto until = searches + more;
    for (int i = 0; i < 1000 && searches < until; ++i) std::this_thread::sleep_for(milliseconds(10));
  };
  try {
    for (int r = 0; r < rebuilds; ++r) {
      run([&](const Context& context) { return index_->begin_rebuild(context); });
      const int written_before = live;
      for (int from = 0; from < products; from += 100) {
        run([&](const Context& context) { return index_->feed_rebuild(context, std::vector(all.begin() + from, all.begin() + from + 100)); });
      }
      std::vector<Write> earlier;
      for (int i = 0; i <= written_before; ++i) earlier.push_back(product(products + 1 + i, fmt::format("common n{}", products + 1 + i)));
      run([&](const Context& context) { return index_->feed_rebuild(context, earlier); });
      run([&](const Context& context) { return index_->finish_rebuild(context, true); });
      searching(10);
      run([&](const Context& context) { return index_->state(context); });
    }
  } catch (const std::exception&) {  // reported already
  }
  stop = true;
  for (auto& visitor : visitors) visitor.join();
  writer.join();
  EXPECT_GT(searches, 20);
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(empty, 0);
  const auto total = search({.limit = 1}).total;
  EXPECT_TRUE(total == products + live || total == products + live + 1) << total << " of " << products + live;
}

TEST_P(SearchIndexContract, KeepsUpWithFiveThousandProducts) {
  World world(5000);
  run([&](const Context& context) { return index_->begin_rebuild(context); });
  const auto begun = steady_clock::now();
  for (int from = 1; from <= 5000; from += 500) {
    std::vector<Write> page;
    for (int i = from; i < from + 500; ++i) page.push_back(world.any_product(i));
    run([&](const Context& context) { return index_->feed_rebuild(context, page); });
  }
  run([&](const Context& context) { return index_->finish_rebuild(context, true); });
  const auto built = steady_clock::now();
  std::vector<double> took, written;
  for (int i = 0; i < 100; ++i) {
    const auto query = world.any_query();
    const auto from = steady_clock::now();
    (void)search(query);
    took.push_back(std::chrono::duration<double, std::milli>(steady_clock::now() - from).count());
  }
  for (int i = 0; i < 50; ++i) {
    const auto from = steady_clock::now();
    apply({product(6000 + i, "new")});
    written.push_back(std::chrono::duration<double, std::milli>(steady_clock::now() - from).count());
  }
  std::ranges::sort(took);
  std::ranges::sort(written);
  const auto build_s = std::chrono::duration<double>(built - begun).count();
  std::printf("%s: 5000 products in %.2f s; a search %.2f ms in the median, 95 %% %.2f ms; a write visible after %.2f ms, 98 %% %.2f ms\n",
              GetParam().c_str(), build_s, took[50], took[95], written[25], written[49]);
  EXPECT_LT(build_s, 60);
  EXPECT_LT(took[50], 1000);
  EXPECT_LT(written[25], 1000);
}

INSTANTIATE_TEST_SUITE_P(Engines, SearchIndexContract, testing::Values("Xapian", "Elasticsearch", "OpenSearch"),
                         [](const auto& info) { return info.param; });

// --- what only one of them has

class XapianFolder : public testing::Test {
 protected:
  template <class T>
  T run(Task<Result<T>> task) {
    auto result = run_blocking(threads_.first(), std::move(task));
    if (!result) throw std::runtime_error(result.error().message + " " + result.error().detail);
    if constexpr (!std::is_void_v<T>) return std::move(*result);
  }
  std::size_t generations() const {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(engine_.folder / "index")) {
      count += entry.path().filename().string().starts_with("generation-");
    }
    return count;
  }
  std::filesystem::path live() const {
    std::string name;
    std::ifstream(engine_.folder / "index" / "live") >> name;
    return engine_.folder / "index" / name;
  }
  void fill() {
    const auto index = engine_.open();
    run(index->begin_rebuild(context_));
    run(index->feed_rebuild(context_, {product(1, "one")}));
    run(index->finish_rebuild(context_, true));
    run(index->apply(context_, {product(2, "two")}));
  }
  SearchState state() { return run(engine_.open()->state(context_)); }

  net::IoThreads threads_{1};
  XapianEngine engine_;
  const Context context_ = within(seconds(30));
};

TEST_F(XapianFolder, KeepsEverythingOverARestart) {
  fill();
  const auto index = engine_.open();
  EXPECT_TRUE(run(index->state(context_)).complete);
  EXPECT_EQ(run(index->search(context_, {.text = "tvo", .language = "en"})).sources, Sources{"two"});
  EXPECT_EQ(generations(), 1u);
  run(index->apply(context_, {product(2, "stale")}));
  EXPECT_EQ(run(index->search(context_, {})).total, 2);
}

TEST_F(XapianFolder, AsksForARebuildWhenItIsDamagedOrOld) {
  for (const auto* file : {"iamglass", "postlist.glass", "docdata.glass", "termlist.glass"}) {
    fill();
    std::ofstream(live() / file, std::ios::binary | std::ios::trunc) << "rubbish";
    EXPECT_FALSE([&] {
      const auto index = engine_.open();
      (void)run_blocking(threads_.first(), index->search(context_, {}));
      return run(index->state(context_)).complete;
    }()) << file;
    fill();
    EXPECT_TRUE(state().complete) << file;
  }
}

TEST_F(XapianFolder, AsksForARebuildWhenTheMachineWentDownMeanwhile) {
  fill();
  EXPECT_TRUE(state().complete);
  std::ofstream(engine_.folder / "index" / "in-use") << "another boot\n";
  EXPECT_FALSE(state().complete);
  EXPECT_FALSE(state().complete);
  fill();
  EXPECT_TRUE(state().complete);
}

TEST_F(XapianFolder, RemovesWhatACrashLeft) {
  fill();
  std::filesystem::copy(live(), engine_.folder / "index" / "generation-77", std::filesystem::copy_options::recursive);
  EXPECT_TRUE(state().complete);
  EXPECT_EQ(generations(), 1u);
}

TEST_F(XapianFolder, BelongsToOneProcess) {
  fill();
  const auto first = engine_.open();
  EXPECT_THROW(engine_.open(), std::runtime_error);
}

TEST_F(XapianFolder, RefusesWhatDoesNotFitIntoItsQueue) {
  const auto index = open_xapian({.folder = engine_.folder / "small", .readers = 1, .queue = 2});
  std::vector<Write> many;
  for (int i = 1; i <= 3000; ++i) many.push_back(product(i, fmt::format("common words {}", i)));
  run(index->apply(context_, many));
  std::vector<std::future<Result<SearchResult>>> asked;
  for (int i = 0; i < 50; ++i) {
    asked.push_back(boost::asio::co_spawn(threads_.first(), index->search(context_, {.text = "common", .language = "en"}), boost::asio::use_future));
  }
  int answered = 0, refused = 0;
  for (auto& one : asked) {
    const auto result = one.get();
    if (result) ++answered;
    else if (result.error().code == Code::unavailable) ++refused;
  }
  EXPECT_EQ(answered + refused, 50);
  EXPECT_GT(answered, 0);
  EXPECT_GT(refused, 0);
}

// A server that says one thing to everybody, or nothing.
class FalseEngine {
 public:
  explicit FalseEngine(std::string answer) : answer_(std::move(answer)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    ::listen(listener_, 16);
    socklen_t size = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    endpoint = {"127.0.0.1", ntohs(address.sin_port), {}};
    thread_ = std::thread([this] {
      for (int one; (one = ::accept(listener_, nullptr, nullptr)) >= 0;) {
        char buffer[65536];
        (void)::recv(one, buffer, sizeof buffer, 0);
        if (!answer_.empty()) (void)::send(one, answer_.data(), answer_.size(), MSG_NOSIGNAL);
        if (answer_.empty()) held_.push_back(one);
        else ::close(one);
      }
    });
  }
  ~FalseEngine() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
    for (const int one : held_) ::close(one);
  }

  net::Endpoint endpoint;

 private:
  const std::string answer_;
  int listener_;
  std::vector<int> held_;
  std::thread thread_;
};

TEST(ElasticsearchIsSick, EveryIllnessHasItsCode) {
  const auto http = [](std::string_view status, std::string_view body) {
    return fmt::format("HTTP/1.1 {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}", status, body.size(), body);
  };
  struct Case {
    std::string answer;
    Code code;
  };
  net::IoThreads threads(1);
  SystemClock clock;
  for (const auto& [answer, code] : {Case{"", Code::timed_out},
                                     Case{"SSH-2.0-nonsense\r\n", Code::bad_upstream},
                                     Case{http("200 OK", "<html>"), Code::bad_upstream},
                                     Case{http("200 OK", "{}"), Code::bad_upstream},
                                     Case{http("200 OK", R"({"hits":{"total":{"value":"many"}}})"), Code::bad_upstream},
                                     Case{http("200 OK", R"({"timed_out":true,"hits":{"total":{"value":0}}})"), Code::timed_out},
                                     Case{http("200 OK", "{\"items\":[]}").substr(0, 90), Code::unavailable},
                                     Case{http("429 Too Many Requests", "{}"), Code::unavailable},
                                     Case{http("503 Service Unavailable", "{}"), Code::unavailable},
                                     Case{http("404 Not Found", R"({"error":{"type":"index_not_found_exception"}})"), Code::unavailable},
                                     Case{http("400 Bad Request", "{}"), Code::bad_upstream},
                                     Case{http("500 Internal Server Error", "{}"), Code::bad_upstream}}) {
    FalseEngine engine(answer);
    net::ClientPool pool;
    const auto index = open_elasticsearch({.nodes = {engine.endpoint}}, pool, clock);
    const auto begun = steady_clock::now();
    const auto context = within(milliseconds(700));
    const auto searched = run_blocking(threads.first(), index->search(context, {.text = "x", .language = "en"}));
    EXPECT_FALSE(searched) << answer;
    if (!searched) EXPECT_EQ(searched.error().code, code) << answer << searched.error().detail;
    const auto later = within(milliseconds(700));
    EXPECT_FALSE(run_blocking(threads.first(), index->apply(later, {product(1, "one")}))) << answer;
    EXPECT_LT(steady_clock::now() - begun, seconds(5)) << answer;
  }
}

TEST(ElasticsearchIsSick, TheNextNodeIsAskedWhenOneCannotBeReached) {
  net::IoThreads threads(1);
  SystemClock clock;
  net::ClientPool pool;
  const auto server = server_in("SHOP_TEST_ELASTICSEARCH");
  if (!server) FAIL() << "SHOP_TEST_ELASTICSEARCH is missing: it names a running Elasticsearch as host:port.";
  const net::Endpoint nobody{"127.0.0.1", 1, {}};
  const auto index = open_elasticsearch({.nodes = {nobody, *server}}, pool, clock);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(run_blocking(threads.first(), index->ping(within(seconds(10)))));
  const auto none = open_elasticsearch({.nodes = {nobody}}, pool, clock);
  const auto context = within(seconds(5));
  EXPECT_EQ(run_blocking(threads.first(), none->ping(context)).error().code, Code::unavailable);
  EXPECT_EQ(run_blocking(threads.first(), none->search(context, {})).error().code, Code::unavailable);
}

}  // namespace
}  // namespace shop::test
