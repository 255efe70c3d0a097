// ask: puts to an engine, without a shop around it, what the shop would have put to it: what the shop adds is the difference.
//
//   ask xapian FOLDER QUERIES --seconds 5        the shop's own query on the index of a shop that stands still or runs
//   ask xapian-plain FOLDER QUERIES --seconds 5  the same words by Xapian's QueryParser: no fields, no typos, no facets
//   ask elasticsearch QUERIES                    prints them as `load` sends them to Elasticsearch
//   ask argon2 --seconds 5 --threads 1           a password of the house's cost verified over and over
//
// QUERIES: a text to search for a line; they are taken in turn. Measures print one JSON object.
#include <time.h>

#include <chrono>
#include <fstream>
#include <iostream>
#include <thread>

#include <CLI/CLI.hpp>
#include <argon2.h>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "adapters/elasticsearch/messages.hpp"
#include "adapters/xapian/layout.hpp"
#include "adapters/xapian/searcher.hpp"

namespace {

namespace json = boost::json;
using Clock = std::chrono::steady_clock;

std::vector<std::string> lines_of(const std::string& file) {
  std::ifstream in(file);
  if (!in) throw std::runtime_error(file + " cannot be read.");
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty()) lines.push_back(line);
  }
  if (lines.empty()) throw std::runtime_error(file + " holds no query.");
  return lines;
}

shop::SearchQuery query_of(const std::string& text) {
  shop::SearchQuery query;
  query.text = text;
  query.language = "en";
  return query;
}

double cpu_seconds() {
  timespec spent{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
  return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) / 1e9;
}

// Calls one(n) until the time is over, on every thread; a first second is not counted.
template <class One>
void measure(double seconds, unsigned threads, One one) {
  const auto span = [](double s) { return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(s)); };
  const auto until = [&](Clock::time_point end) {
    std::atomic<std::size_t> done{0};
    std::vector<std::jthread> running;
    for (unsigned t = 0; t < threads; ++t) {
      running.emplace_back([&] {
        while (Clock::now() < end) one(done.fetch_add(1));
      });
    }
    running.clear();
    return done.load();
  };
  until(Clock::now() + span(std::min(1.0, seconds)));
  const auto begin = Clock::now();
  const double before = cpu_seconds();
  const auto done = until(begin + span(seconds));
  const double took = std::chrono::duration<double>(Clock::now() - begin).count(), spent = cpu_seconds() - before;
  const double count = static_cast<double>(done);
  std::cout << json::serialize(json::object{{"requests", done}, {"per_second", count / took}, {"cpu_us", spent * 1e6 / count}}) << '\n';
}

// As the index's adapter opens it (adapters/xapian/generation): the live generation, its names and words.
struct Index {
  explicit Index(const std::string& folder) {
    std::ifstream in(folder + "/live");
    std::string name;
    if (!std::getline(in, name)) throw std::runtime_error(folder + " holds no search index.");
    database = Xapian::Database(folder + "/" + name);
    bool made = false;
    for (auto key = database.metadata_keys_begin("name"); key != database.metadata_keys_end("name"); ++key) names.add(database.get_metadata(*key), made);
    const auto prefix = shop::xapian::term::anywhere("");
    for (auto word = database.allterms_begin(prefix); word != database.allterms_end(prefix); ++word) words.add((*word).substr(prefix.size()));
  }

  Xapian::Database database;
  shop::xapian::Names names;
  shop::xapian::Vocabulary words;
};

void ask_xapian(const std::string& folder, const std::string& file, double seconds) {
  Index index(folder);
  const auto queries = lines_of(file);
  std::size_t found = 0;
  measure(seconds, 1, [&](std::size_t n) {
    found += shop::xapian::search(index.database, index.names, index.words, query_of(queries[n % queries.size()])).sources.size();
  });
  if (found == 0) throw std::runtime_error("nothing was found: the index is empty");
}

void ask_xapian_plainly(const std::string& folder, const std::string& file, double seconds) {
  Index index(folder);
  const auto queries = lines_of(file);
  Xapian::QueryParser parser;
  parser.set_default_op(Xapian::Query::OP_AND);
  parser.set_database(index.database);
  std::size_t found = 0;
  measure(seconds, 1, [&](std::size_t n) {
    Xapian::Enquire enquire(index.database);
    enquire.set_query(parser.parse_query(queries[n % queries.size()], Xapian::QueryParser::FLAG_DEFAULT, shop::xapian::term::anywhere("")));
    const auto hits = enquire.get_mset(0, 24);
    for (auto hit = hits.begin(); hit != hits.end(); ++hit) found += hit.get_document().get_data().size();
  });
  if (found == 0) throw std::runtime_error("nothing was found: the index is empty");
}

void print_for_elasticsearch(const std::string& file) {
  for (const auto& text : lines_of(file)) {
    const auto path = fmt::format("/products/_search?allow_partial_search_results=false&{}", shop::elasticsearch::search_filter);
    const auto body = shop::elasticsearch::search_body(query_of(text));
    std::cout << json::serialize(json::object{{"method", "POST"}, {"path", path}, {"expect", json::array{200}}, {"body", body}}) << '\n';
  }
}

void ask_argon2(double seconds, unsigned threads) {
  constexpr std::string_view password = "a-good-password", salt = "sixteen bytes...";
  char hash[128];
  if (argon2id_hash_encoded(2, 19 * 1024, 1, password.data(), password.size(), salt.data(), salt.size(), 32, hash, sizeof hash) != ARGON2_OK) {
    throw std::runtime_error("the password cannot be hashed");
  }
  measure(seconds, threads, [&](std::size_t) {
    if (argon2id_verify(hash, password.data(), password.size()) != ARGON2_OK) throw std::runtime_error("the password was not recognised");
  });
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Asks an engine directly.", "ask"};
  app.require_subcommand(1);
  std::string folder, file;
  double seconds = 5;
  unsigned threads = 1;
  const auto subject = [&](const char* name, const char* description, bool with_folder, bool with_file) {
    auto* command = app.add_subcommand(name, description);
    if (with_folder) command->add_option("folder", folder, "The shop's folder `search`")->required();
    if (with_file) command->add_option("queries", file, "File, a text a line")->required();
    command->add_option("--seconds", seconds)->check(CLI::Range(0.1, 600.0));
    command->add_option("--threads", threads)->check(CLI::Range(1, 64));
    return command;
  };
  const auto* xapian = subject("xapian", "The shop's own query", true, true);
  const auto* plain = subject("xapian-plain", "The words alone", true, true);
  const auto* elastic = subject("elasticsearch", "Prints requests", false, true);
  subject("argon2", "A password of the house's cost", false, false);
  CLI11_PARSE(app, argc, argv);
  try {
    if (*xapian) ask_xapian(folder, file, seconds);
    else if (*plain) ask_xapian_plainly(folder, file, seconds);
    else if (*elastic) print_for_elasticsearch(file);
    else ask_argon2(seconds, threads);
  } catch (const Xapian::Error& error) {
    std::cerr << "ask: " << error.get_description() << '\n';
    return 1;
  } catch (const std::exception& error) {
    std::cerr << "ask: " << error.what() << '\n';
    return 1;
  }
}
