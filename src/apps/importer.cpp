#include "apps/importer.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>

#include "base/await_callback.hpp"

namespace shop {
namespace {

namespace json = boost::json;
using product::Attributes;

constexpr std::size_t workers = 8;  // products under way at once: their commits share the disk's flush
constexpr seconds call_limit{20};

struct ImportVariant {
  std::optional<json::object> attributes;
  Price price;
  std::optional<Price> costPrice;
  std::optional<product::Stock> stockQuantity, lowStockThreshold;
};
BOOST_DESCRIBE_STRUCT(ImportVariant, (), (attributes, price, costPrice, stockQuantity, lowStockThreshold))

struct ImportProduct {
  Sku sku;
  product::ProductName name;
  std::optional<json::object> description;
  std::optional<Slug> category;
  std::optional<std::vector<std::string>> images;
  std::optional<std::vector<ImportVariant>> variants;
};
BOOST_DESCRIBE_STRUCT(ImportProduct, (), (sku, name, description, category, images, variants))

struct ImportCategory {
  Slug slug;
  codec::LocalText<200> name;
  json::value children;
};
BOOST_DESCRIBE_STRUCT(ImportCategory, (), (slug, name, children))

struct ImportPromotion {
  codec::LocalText<200> title;
  std::optional<codec::LocalTextOrNone<500>> subtitle, tagline;
  codec::LocalText<200> ctaText;
  Url ctaLink;
  std::string image;
  std::optional<std::string> productImage;
  std::optional<codec::Bounded<1, 3650>> expiresInDays;
  std::optional<bool> isActive;
  std::optional<codec::Bounded<0, 10'000>> displayOrder;
};
BOOST_DESCRIBE_STRUCT(ImportPromotion, (), (title, subtitle, tagline, ctaText, ctaLink, image, productImage, expiresInDays, isActive, displayOrder))

// The part of a product's answer that an import compares with.
struct PresentVariant {
  VariantId id;
  Attributes attributes;
  Price price;
  std::optional<Price> costPrice;
  std::optional<std::int64_t> lowStockThreshold;
};
BOOST_DESCRIBE_STRUCT(PresentVariant, (), (id, attributes, price, costPrice, lowStockThreshold))

struct PresentCategory {
  CategoryId categoryId;
};
BOOST_DESCRIBE_STRUCT(PresentCategory, (), (categoryId))

struct PresentImage {
  std::string imageUrl;
};
BOOST_DESCRIBE_STRUCT(PresentImage, (), (imageUrl))

struct PresentProduct {
  ProductId id;
  Texts name, description;
  std::vector<PresentVariant> variants;
  std::vector<PresentCategory> categories;
  std::vector<PresentImage> images;
};
BOOST_DESCRIBE_STRUCT(PresentProduct, (), (id, name, description, variants, categories, images))

struct CreatedId {
  ProductId id;
};
BOOST_DESCRIBE_STRUCT(CreatedId, (), (id))

struct FoundCategory {
  CategoryId id;
};
BOOST_DESCRIBE_STRUCT(FoundCategory, (), (id))

struct UploadedImage {
  std::string imageUrl;
};
BOOST_DESCRIBE_STRUCT(UploadedImage, (), (imageUrl))

struct Nothing {};
BOOST_DESCRIBE_STRUCT(Nothing, (), ())

std::optional<std::string> text_at(const json::value& row, std::string_view key) {
  const auto* object = row.if_object();
  const auto* value = object ? object->if_contains(key) : nullptr;
  const auto* text = value ? value->if_string() : nullptr;
  return text ? std::optional(std::string(*text)) : std::nullopt;
}

// "product M-0006", or "product 17 of the file" when it has no name to be called by.
std::string label_of(const json::value& row, std::string_view kind, std::string_view key, std::size_t index) {
  const auto name = text_at(row, key);
  return name ? fmt::format("{} {}", kind, utf8_prefix(*name, 100)) : fmt::format("{} {} of the file", kind, index + 1);
}

std::string reason_of(const Error& error) {
  constexpr std::string_view whole = "the body ";
  return error.message.starts_with(whole) ? "the row " + error.message.substr(whole.size()) : error.message;
}

std::string_view last_part(std::string_view address) { return address.substr(address.rfind('/') + 1); }

std::string path_of(const PresentProduct& product) { return "/" + product.id.text(); }

// Attributes and descriptions in real files hold nulls and empty texts; they mean nothing.
Attributes attributes_of(const std::optional<json::object>& object) {
  Attributes attributes;
  if (!object) return attributes;
  for (const auto& [name, value] : *object) {
    if (value.is_string() && !trimmed(value.get_string()).empty()) attributes[std::string(name)] = std::string(value.get_string());
    else if (value.is_number()) attributes[std::string(name)] = codec::text_of_number(value);
  }
  return attributes;
}

json::object without_nulls(const json::object& object) {
  json::object kept;
  for (const auto& [key, value] : object) {
    if (value.is_string() && !trimmed(value.get_string()).empty()) kept[key] = value;
  }
  return kept;
}

product::NewVariant new_variant(const ImportVariant& v) {
  return {product::AttributeInput{attributes_of(v.attributes)}, v.price, v.costPrice, v.stockQuantity, v.lowStockThreshold};
}

Request multipart(const std::string& name, const std::string& bytes) {
  constexpr std::string_view boundary = "----shop-import-7d1c2b9f4e";
  Request request{.method = Method::post, .target = "/upload", .headers = {}, .body = {}, .remote = {}};
  request.headers.add("Content-Type", fmt::format("multipart/form-data; boundary={}", boundary));
  request.body = fmt::format("--{}\r\nContent-Disposition: form-data; name=\"imageFile\"; filename=\"{}\"\r\n"
                             "Content-Type: application/octet-stream\r\n\r\n",
                             boundary, percent_encoded(name));
  request.body += bytes;
  request.body += fmt::format("\r\n--{}--\r\n", boundary);
  return request;
}

// Each of these brings what is there to what is wanted, and says whether anything had to change. What is not in the file stays.
Task<Result<bool>> bring_variants(const Peer& products, const Context& context, const PresentProduct& present, const product::NewProduct& wanted,
                                  ImportReport& report) {
  bool changed = false;
  for (const auto& variant : *wanted.variants) {
    const auto same = std::ranges::find(present.variants, variant.attributes->values, &PresentVariant::attributes);
    if (same == present.variants.end()) {
      const product::NewStandaloneVariant fresh{*variant.attributes, variant.price, variant.costPrice, variant.initialStockQuantity,
                                                variant.lowStockThreshold};
      CO_CHECK(co_await products.post<Nothing>(context, path_of(present) + "/variants", fresh));
      ++report.variants_created;
      changed = true;
      continue;
    }
    const auto threshold = variant.lowStockThreshold ? std::optional(variant.lowStockThreshold->value) : std::nullopt;
    if (same->price == variant.price && same->costPrice == variant.costPrice && same->lowStockThreshold == threshold) continue;
    const product::UpdateVariant change{{}, variant.price, {true, variant.costPrice}, {true, variant.lowStockThreshold}};
    CO_CHECK(co_await products.put<Nothing>(context, "/variants/" + same->id.text(), change));
    changed = true;
  }
  co_return changed;
}

Task<Result<bool>> bring_images(const Peer& products, const Context& context, const PresentProduct& present, const product::NewProduct& wanted) {
  std::vector<product::NewImage> missing;
  for (const auto& image : *wanted.images) {
    // A picture's name says its content; the address before it may have been another's then.
    const auto name = last_part(image.imageUrl.value);
    const bool there = std::ranges::any_of(present.images, [&](const auto& p) { return last_part(p.imageUrl) == name; });
    if (!there) missing.push_back({image.imageUrl, {}, present.images.empty() && missing.empty(), {}});
  }
  if (missing.empty()) co_return false;
  CO_CHECK(co_await products.post<Nothing>(context, path_of(present) + "/images", missing));
  co_return true;
}

Task<Result<bool>> bring_categories(const Peer& products, const Context& context, const PresentProduct& present, const product::NewProduct& wanted) {
  bool changed = false;
  for (const auto& id : *wanted.categoryIds) {
    if (std::ranges::any_of(present.categories, [&](const auto& c) { return c.categoryId == id; })) continue;
    CO_CHECK(co_await products.post<Nothing>(context, path_of(present) + "/categories", product::CategoryIds{{id}}));
    changed = true;
  }
  co_return changed;
}

Task<Result<bool>> bring_up_to_date(const Peer& products, const Context& context, const PresentProduct& present, const product::NewProduct& wanted,
                                    ImportReport& report) {
  const Texts description = wanted.description ? wanted.description->texts : Texts();
  const bool texts = present.name != wanted.name.texts || present.description != description;
  if (texts) {
    const product::UpdateProduct change{{}, wanted.name, {true, wanted.description}, {}};
    CO_CHECK(co_await products.put<Nothing>(context, path_of(present), change));
  }
  CO_TRY(const bool variants, co_await bring_variants(products, context, present, wanted, report));
  CO_TRY(const bool images, co_await bring_images(products, context, present, wanted));
  CO_TRY(const bool categories, co_await bring_categories(products, context, present, wanted));
  co_return texts || variants || images || categories;
}

}  // namespace

// Rows shared out among the workers, which all run on one thread.
struct Importer::Job {
  const json::array& rows;
  ImportReport& report;
  const Progress& progress;
  std::map<std::string, std::size_t> first_row;  // of each SKU: a later one is a mistake, not a change
  std::size_t next = 0, done = 0;
};

Importer::Importer(ServiceCaller& caller, Clock& clock, PictureSource pictures)
    : products_(caller, "product-service"), images_(caller, "image-service"), clock_(clock), pictures_(std::move(pictures)) {}

Task<Result<ImportReport>> Importer::run(const Context& context, std::string text, Progress progress) {
  const auto parsed = codec::parse_json(text);
  if (!parsed && parsed.error().name == "TOO_DEEP") co_return Failure(parsed.error());
  if (!parsed) co_return fail(Code::invalid, "The file is not valid JSON.", "MALFORMED_JSON", parsed.error().detail);
  const auto& file = *parsed;
  const auto* catalogue = file.if_object();
  const auto* products = catalogue ? catalogue->if_contains("products") : nullptr;
  if (!products || !products->is_array()) {
    co_return fail(Code::invalid, "The file is no catalogue: it needs an object with an array \"products\".");
  }
  ImportReport report;
  if (const auto* list = catalogue->if_contains("currencies")) co_await currencies(context, *list, report);
  if (const auto* list = catalogue->if_contains("categories")) co_await categories(context, *list, std::nullopt, report);
  Job job{products->get_array(), report, progress, {}};
  for (std::size_t i = 0; i < job.rows.size(); ++i) {
    if (auto sku = text_at(job.rows[i], "sku")) job.first_row.try_emplace(std::move(*sku), i);
  }
  progress(0, job.rows.size());
  const auto executor = co_await boost::asio::this_coro::executor;
  std::size_t running = std::min(workers, job.rows.size());
  if (running > 0) {
    co_await await_callback<bool>([&](Callback<bool> done) {
      auto shared = std::make_shared<Callback<bool>>(std::move(done));
      const std::size_t count = running;
      for (std::size_t i = 0; i < count; ++i) {
        boost::asio::co_spawn(executor, work(context, job), [&running, shared](std::exception_ptr thrown) {
          if (thrown) std::rethrow_exception(thrown);
          if (--running == 0) (*shared)(true);
        });
      }
    });
  }
  if (const auto* list = catalogue->if_contains("promotions")) co_await promotions(context, *list, report);
  co_return report;
}

Task<> Importer::categories(const Context& context, const json::value& list, std::optional<CategoryId> parent, ImportReport& report) {
  if (!list.is_array()) {
    if (!list.is_null()) report.faults.push_back({"categories", "must be an array"});
    co_return;
  }
  const auto& rows = list.get_array();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto& row = rows[i];
    const auto label = label_of(row, "category", "slug", i);
    auto wanted = codec::from_value<ImportCategory>(row);
    if (!wanted) {
      report.faults.push_back({label, reason_of(wanted.error())});
      continue;
    }
    auto present = co_await products_.get<FoundCategory>(context, "/categories/slug/" + wanted->slug.value);
    if (!present && present.error().code == Code::not_found) {
      auto created = co_await products_.post<product::CategoryRow>(context, "/categories",
                                                                   product::NewCategory{wanted->name, wanted->slug, parent, {}});
      if (created) {
        ++report.categories;
        report.created_categories.push_back(*created);
        present = FoundCategory{created->id};
      } else {
        present = Failure(std::move(created).error());
      }
    }
    if (!present) {
      report.faults.push_back({label, present.error().message});
      continue;
    }
    category_ids_[wanted->slug.value] = present->id;
    co_await categories(context, wanted->children, present->id, report);
  }
}

Task<> Importer::work(const Context& context, Job& job) {
  while (job.next < job.rows.size()) {
    const auto index = job.next++;
    const auto& row = job.rows[index];
    const auto label = label_of(row, "product", "sku", index);
    Context own = context;
    own.deadline = std::min(context.deadline, clock_.now() + call_limit);
    const auto first = job.first_row.find(text_at(row, "sku").value_or(std::string()));
    if (first != job.first_row.end() && first->second != index) {
      job.report.faults.push_back({label, fmt::format("the SKU stands twice in the file: product {} has it too.", first->second + 1)});
    } else if (auto outcome = co_await one_product(own, row, job.report); !outcome) {
      job.report.faults.push_back({label, reason_of(outcome.error())});
    }
    job.progress(++job.done, job.rows.size());
  }
}

Task<Result<product::NewProduct>> Importer::request_of(const Context& context, const json::value& row, ImportReport& report) {
  CO_TRY(const auto wanted, codec::from_value<ImportProduct>(row));
  product::NewProduct request{wanted.sku, wanted.name, {}, {}, std::vector<product::NewVariant>(), std::vector<CategoryId>(),
                              std::vector<product::NewImage>()};
  if (wanted.description) {
    const auto texts = without_nulls(*wanted.description);
    if (!texts.empty()) {
      CO_TRY(request.description, codec::from_value<product::ProductDescription>(texts));
    }
  }
  if (wanted.category) {
    const auto id = category_ids_.find(wanted.category->value);
    if (id == category_ids_.end()) co_return fail(Code::invalid, fmt::format("The category {} is not known.", wanted.category->value));
    request.categoryIds->push_back(id->second);
  }
  for (const auto& variant : wanted.variants.value_or(std::vector<ImportVariant>())) request.variants->push_back(new_variant(variant));
  for (const auto& name : wanted.images.value_or(std::vector<std::string>())) {
    CO_TRY(const auto address, co_await picture(context, name, report));
    request.images->push_back({Url{address}, {}, request.images->empty(), {}});
  }
  co_return request;
}

Task<Result<void>> Importer::one_product(const Context& context, const json::value& row, ImportReport& report) {
  CO_TRY(const auto wanted, co_await request_of(context, row, report));
  const auto present = co_await products_.get<PresentProduct>(context, "/sku/" + percent_encoded(wanted.sku.value));
  if (present) {
    CO_TRY(const bool changed, co_await bring_up_to_date(products_, context, *present, wanted, report));
    ++(changed ? report.products_updated : report.products_unchanged);
    co_return Result<void>();
  }
  if (present.error().code != Code::not_found) co_return Failure(present.error());
  CO_TRY(const auto created, co_await products_.post<CreatedId>(context, "/", wanted));
  ++report.products_created;
  report.variants_created += static_cast<std::int64_t>(wanted.variants->size());
  report.created.push_back({created.id, wanted.sku.value});
  co_return Result<void>();
}

Task<Result<std::string>> Importer::picture(const Context& context, const std::string& name, ImportReport& report) {
  if (const auto known = uploaded_.find(name); known != uploaded_.end()) co_return known->second;
  auto bytes = pictures_(name);
  if (!bytes) co_return fail(Code::invalid, fmt::format("The picture {} is missing.", name));
  auto uploaded = co_await images_.answer<UploadedImage>(context, multipart(name, *bytes));
  if (!uploaded) co_return fail(uploaded.error().code, fmt::format("The picture {}: {}", name, uploaded.error().message));
  if (uploaded_.emplace(name, uploaded->imageUrl).second) ++report.pictures;
  co_return uploaded->imageUrl;
}

Task<> Importer::currencies(const Context& context, const json::value& list, ImportReport& report) {
  if (!list.is_array()) {
    report.faults.push_back({"currencies", "must be an array"});
    co_return;
  }
  const auto& rows = list.get_array();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto& row = rows[i];
    auto wanted = codec::from_value<product::SetCurrency>(row);
    auto outcome = wanted ? co_await products_.post<Nothing>(context, "/currencies", *wanted) : Result<Nothing>(Failure(wanted.error()));
    if (!outcome) report.faults.push_back({label_of(row, "currency", "code", i), outcome.error().message});
  }
}

// Promotions have no key to be matched by: they go in only where there are none yet.
Task<> Importer::promotions(const Context& context, const json::value& list, ImportReport& report) {
  const auto present = co_await products_.get<std::vector<json::value>>(context, "/promotions/all");
  if (!list.is_array() || !present || !present->empty()) co_return;
  for (const auto& row : list.get_array()) {
    Result<void> outcome;
    if (auto wanted = codec::from_value<ImportPromotion>(row); !wanted) {
      outcome = Failure(std::move(wanted).error());
    } else {
      product::NewPromotion request{wanted->title, wanted->subtitle, wanted->tagline, wanted->ctaText, wanted->ctaLink, {}, {}, {},
                                    wanted->isActive, wanted->displayOrder};
      auto image = co_await picture(context, wanted->image, report);
      if (image) request.imageUrl.value = *image;
      if (image && wanted->productImage) {
        image = co_await picture(context, *wanted->productImage, report);
        if (image) request.productImageUrl = codec::MayBeBlank<Url>(Url{*image});
      }
      if (wanted->expiresInDays) request.expiresAt = codec::MayBeBlank<Instant>(clock_.wall() + hours(24 * wanted->expiresInDays->value));
      if (!image) outcome = Failure(std::move(image).error());
      else if (auto created = co_await products_.post<Nothing>(context, "/promotions", request); !created) outcome = Failure(created.error());
    }
    if (!outcome) report.faults.push_back({"promotion", outcome.error().message});
  }
}

}  // namespace shop
