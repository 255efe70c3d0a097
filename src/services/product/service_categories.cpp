#include <algorithm>

#include "services/product/service.hpp"

namespace shop::product {
namespace {

Failure no_category() { return fail(Code::not_found, "Category not found."); }
Failure slug_taken() { return fail(Code::conflict, "A category with this slug already exists.", "SLUG_TAKEN"); }

bool taken(const Error& error) { return error.code == Code::conflict && error.name == "UNIQUE"; }

// Two levels: a parent is a root without products.
Task<Result<void>> check_parent(Transaction& tx, const CategoryId& id) {
  CO_TRY(const auto parent, co_await store::category(tx, id));
  if (!parent) co_return fail(Code::not_found, "Parent category not found.", {}, {});
  if (parent->parent_id) {
    co_return fail(Error{Code::invalid, "Categories have two levels: the parent must be a root.", "TOO_DEEP",
                         {{"parentId", "must name a root category"}}, {}, {}});
  }
  if (parent->product_count > 0) {
    co_return fail(Code::conflict, fmt::format("The category {} has products: it cannot get subcategories.", parent->slug), "PARENT_HAS_PRODUCTS");
  }
  co_return Result<void>();
}

Task<Result<CategoryDetail>> with_relatives(Transaction& tx, const CategoryRowWithCounts& row, const std::string& language) {
  const auto own = category_of(row, language);
  CategoryDetail detail{own.id, own.name, own.slug, own.parentId, own.imageUrl, own.createdAt, own.updatedAt, own.isLeaf,
                        own.productCount, own.subCategoryCount, {}, {}};
  if (row.parent_id) {
    CO_TRY(const auto parent, co_await store::category(tx, *row.parent_id));
    if (parent) detail.parent = category_of(*parent, language);
  }
  CO_TRY(const auto children, co_await store::children_of(tx, row.id));
  for (const auto& child : children) detail.children.push_back(category_of(child, language));
  sort_by_name(detail.children);
  co_return detail;
}

Task<Result<CategoryDetail>> by_id_in(Transaction& tx, const CategoryId& id, const std::string& language) {
  CO_TRY(const auto row, co_await store::category(tx, id));
  if (!row) co_return no_category();
  co_return co_await with_relatives(tx, *row, language);
}

Task<Result<CategoryDetail>> by_slug_in(Transaction& tx, const std::string& slug, const std::string& language) {
  CO_TRY(const auto row, co_await store::category_by_slug(tx, slug));
  if (!row) co_return no_category();
  co_return co_await with_relatives(tx, *row, language);
}

Task<Result<void>> publish(const Tools& tools, Transaction& tx, std::string type, const CategoryRow& row, std::int64_t version) {
  return tools.outbox.append(tx, {"product_events", row.id.text(), std::move(type), version, codec::to_json(row)});
}

}  // namespace

Task<Result<std::vector<Category>>> CategoryService::list(const Context& context, const std::string& language) {
  CO_TRY(const auto rows, co_await read(tools_.database, context, store::categories));
  std::vector<Category> all;
  for (const auto& row : rows) all.push_back(category_of(row, language));
  sort_by_name(all);
  co_return all;
}

Task<Result<CategoryDetail>> CategoryService::by_id(const Context& context, const CategoryId& id, const std::string& language) {
  co_return co_await read(tools_.database, context, by_id_in, id, language);
}

Task<Result<CategoryDetail>> CategoryService::by_slug(const Context& context, const std::string& slug, const std::string& language) {
  co_return co_await read(tools_.database, context, by_slug_in, slug, language);
}

Task<Result<CategoryRow>> CategoryService::create(const Context& context, const NewCategory& request) {
  co_return co_await write(tools_.database, context, [&](Transaction& tx) { return create_in(tx, request); });
}

Task<Result<CategoryRow>> CategoryService::create_in(Transaction& tx, const NewCategory& request) {
  const auto now = tools_.clock.wall();
  const auto parent = codec::given(request.parentId);
  if (parent) {
    CO_CHECK(co_await store::hold_categories(tx, {*parent}));  // it may be getting a product
    CO_CHECK(co_await check_parent(tx, *parent));
  }
  CategoryRowWithCounts row;
  row.id = tools_.random.id<CategoryId>(now);
  row.slug = request.slug.value;
  row.name = request.name.texts;
  row.parent_id = parent;
  if (const auto image = codec::given(request.imageUrl)) row.image_url = image->value;
  row.created_at = row.updated_at = now;
  if (auto inserted = co_await store::insert_category(tx, row); !inserted) {
    if (taken(inserted.error())) co_return slug_taken();
    co_return Failure(std::move(inserted).error());
  }
  const auto answer = category_row(row);
  CO_CHECK(co_await publish(tools_, tx, "CATEGORY_CREATED", answer, row.version));
  co_return answer;
}

Task<Result<CategoryRow>> CategoryService::update(const Context& context, const CategoryId& id, const UpdateCategory& change) {
  co_return co_await write(tools_.database, context, [&](Transaction& tx) { return update_in(tx, id, change); });
}

Task<Result<CategoryRow>> CategoryService::update_in(Transaction& tx, const CategoryId& id, const UpdateCategory& change) {
  const auto parent = codec::given(change.parentId.value);
  std::vector<CategoryId> concerned{id};
  if (parent) concerned.push_back(*parent);
  CO_CHECK(co_await store::hold_categories(tx, concerned));
  CO_TRY(auto row, co_await store::category(tx, id));
  if (!row) co_return no_category();
  if (change.parentId.present && parent != row->parent_id) {
    if (parent) {
      if (*parent == id) co_return fail(codec::faulty({{"parentId", "must not name the category itself"}}));
      if (row->child_count > 0) {
        co_return fail(codec::faulty({{"parentId", "must stay empty: the category has subcategories, and there are two levels"}}));
      }
      CO_CHECK(co_await check_parent(tx, *parent));
    }
    row->parent_id = parent;
  }
  if (change.name) row->name = change.name->texts;
  if (change.slug) row->slug = change.slug->value;
  if (change.imageUrl.present) {
    const auto image = codec::given(change.imageUrl.value);
    row->image_url = image ? std::optional(image->value) : std::nullopt;
  }
  row->updated_at = tools_.clock.wall();
  if (auto updated = co_await store::update_category(tx, *row); !updated) {
    if (taken(updated.error())) co_return slug_taken();
    co_return Failure(std::move(updated).error());
  }
  const auto answer = category_row(*row);
  CO_CHECK(co_await publish(tools_, tx, "CATEGORY_UPDATED", answer, row->version + 1));
  CO_CHECK(co_await store::mark_category_changed(tx, id));  // its names stand in the documents of its products
  CO_CHECK(co_await store::count_change(tx));
  tx.on_commit([tools = tools_] {
    tools.catalogue.everything_changed();
    tools.publisher.wake();
  });
  co_return answer;
}

Task<Result<void>> CategoryService::remove(const Context& context, const CategoryId& id) {
  co_return co_await write(tools_.database, context, [&](Transaction& tx) { return remove_in(tx, id); });
}

Task<Result<void>> CategoryService::remove_in(Transaction& tx, const CategoryId& id) {
  CO_CHECK(co_await store::hold_categories(tx, {id}));
  CO_TRY(const auto row, co_await store::category(tx, id));
  if (!row) co_return Result<void>();
  if (row->child_count > 0) co_return fail(Code::conflict, "The category has subcategories.", "CATEGORY_IN_USE");
  if (row->product_count > 0) co_return fail(Code::conflict, "The category has products.", "CATEGORY_IN_USE");
  auto deleted = co_await store::delete_category(tx, id);
  if (!deleted && deleted.error().name == "FOREIGN_KEY") co_return fail(Code::conflict, "The category is in use.", "CATEGORY_IN_USE");
  if (!deleted) co_return deleted;
  co_return co_await tools_.outbox.append(tx, {"product_events", id.text(), "CATEGORY_DELETED", row->version + 1, codec::to_json(DeletedEvent{id.uuid})});
}

}  // namespace shop::product
