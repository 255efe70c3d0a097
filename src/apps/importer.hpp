// Brings a catalogue file into a shop, through the services' own routes: the same checks, events and limits as for anybody.
//
// Format: docs/import-format.md. Categories are matched by slug, products by SKU, their variants by attributes, so a second run
// changes only what differs and never touches stock. A faulty row is reported and left out; the others go in. Interrupted, it
// is simply run again: each product is one transaction.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "ports/clock.hpp"
#include "runtime/peer.hpp"
#include "services/product/api.hpp"

namespace shop {

struct ImportFault {
  std::string row;     // "product M-0006", "category bikes", "product 17 of the file"
  std::string reason;
};

struct ImportReport {
  std::int64_t categories = 0, products_created = 0, products_updated = 0, products_unchanged = 0, variants_created = 0, pictures = 0;
  std::vector<ImportFault> faults;
  std::vector<product::CreatedProduct> created;
  std::vector<product::CategoryRow> created_categories;
};

// The bytes of a picture by its name in the file; nothing when there is none.
using PictureSource = std::function<std::optional<std::string>(const std::string& name)>;

class Importer {
 public:
  using Progress = std::function<void(std::size_t done, std::size_t total)>;

  Importer(ServiceCaller& caller, Clock& clock, PictureSource pictures);

  // `text`: the whole file. invalid when it is not a catalogue at all; faulty rows are in the report.
  Task<Result<ImportReport>> run(const Context& context, std::string text, Progress progress);

 private:
  struct Job;
  Task<> categories(const Context& context, const boost::json::value& list, std::optional<CategoryId> parent, ImportReport& report);
  Task<> work(const Context& context, Job& job);
  Task<Result<product::NewProduct>> request_of(const Context& context, const boost::json::value& row, ImportReport& report);
  Task<Result<void>> one_product(const Context& context, const boost::json::value& row, ImportReport& report);
  Task<Result<std::string>> picture(const Context& context, const std::string& name, ImportReport& report);
  Task<> currencies(const Context& context, const boost::json::value& list, ImportReport& report);
  Task<> promotions(const Context& context, const boost::json::value& list, ImportReport& report);

  Peer products_, images_;
  Clock& clock_;
  const PictureSource pictures_;
  std::map<std::string, std::string> uploaded_;  // name -> address
  std::map<std::string, CategoryId> category_ids_;  // by slug
};

}  // namespace shop
