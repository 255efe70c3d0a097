// Query string -> described struct. Members are optional<text type | integer | bool | enum | string>, or AttributeFilter.
//
// Values that cannot be read are faults, except Page and Limit, which fall back (contract, "Pagination").
#pragma once

#include <map>
#include <set>

#include "base/http.hpp"
#include "codec/forms.hpp"
#include "codec/schema.hpp"

namespace shop::codec {

// >= 1; anything else is 1. Default of a page size is the type's parameter.
struct PageNumber {
  std::int64_t value = 1;
};
template <std::int64_t Default>
struct PageLimit {
  std::int64_t value = Default;
};

// The member "pagination" of every list.
struct Pagination {
  std::int64_t total = 0, page = 1, limit = 10, totalPages = 0;
};
BOOST_DESCRIBE_STRUCT(Pagination, (), (total, page, limit, totalPages))

template <std::int64_t Default>
Pagination pagination(std::int64_t total, PageNumber page, PageLimit<Default> limit) {
  return {total, page.value, limit.value, (total + limit.value - 1) / limit.value};
}

// attributes[Name][]=value, repeatable: values of one name are alternatives, different names must all match.
struct AttributeFilter {
  std::map<std::string, std::set<std::string>> wanted;
};

using QueryPairs = std::vector<std::pair<std::string, std::string>>;

std::int64_t page_or(std::string_view text, std::int64_t fallback, std::int64_t max);
std::optional<std::string> read_attributes(const QueryPairs& pairs, AttributeFilter& out);

template <class T>
struct IsLimit : std::false_type {};
template <std::int64_t Default>
struct IsLimit<PageLimit<Default>> : std::true_type {
  static constexpr std::int64_t fallback = Default;
};

template <class T>
std::optional<std::string> read_text(const std::string& text, T& out) {
  if constexpr (std::same_as<T, bool>) {
    if (text != "true" && text != "false") return "must be true or false";
    out = text == "true";
  } else if constexpr (std::integral<T>) {
    const auto end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, out);
    if (read.ec != std::errc() || read.ptr != end) return "must be a whole number";
  } else if constexpr (std::same_as<T, std::string>) {
    if (utf8_length(text) < 0) return "must be valid UTF-8 text";
    out = text;
  } else if constexpr (TextLike<T>) {
    auto parsed = T::parse(text);
    if (!parsed) return parsed.error();
    out = std::move(*parsed);
  } else {
    Faults faults;
    read_value(json::value(json::string(text)), out, faults);
    if (!faults.none()) return faults.take().front().message;
  }
  return std::nullopt;
}

template <class T>
Result<T> from_query(std::string_view query) {
  const auto pairs = query_pairs(query);
  T out{};
  Faults faults;
  boost::mp11::mp_for_each<Members<T>>([&](auto member) {
    using Member = std::remove_cvref_t<decltype(out.*member.pointer)>;
    auto& value = out.*member.pointer;
    const Faults::Step step(faults, wire_name(member.name));
    if constexpr (std::same_as<Member, AttributeFilter>) {
      if (auto fault = read_attributes(pairs, value)) faults.add(*fault);
    } else {
      const std::string* text = nullptr;
      for (const auto& [name, given] : pairs) {
        if (name == wire_name(member.name)) text = &given;
      }
      if (!text) return;
      if constexpr (std::same_as<Member, PageNumber>) {
        value.value = page_or(*text, 1, 1'000'000'000);
      } else if constexpr (IsLimit<Member>::value) {
        value.value = page_or(*text, IsLimit<Member>::fallback, 100);
      } else {
        static_assert(IsOptional<Member>::value, "a query parameter is optional<T>, or has a default of its own");
        if (text->empty()) return;  // a form's empty field says nothing
        if (auto fault = read_text(*text, value.emplace())) faults.add(std::move(*fault));
      }
    }
  });
  if (!faults.none()) return fail(faulty(faults.take()));
  return out;
}

// OpenAPI parameter objects.
template <class T>
json::array query_parameters(Schemas& schemas) {
  json::array list;
  boost::mp11::mp_for_each<Members<T>>([&](auto member) {
    using Member = std::remove_cvref_t<decltype(std::declval<T>().*member.pointer)>;
    json::object parameter{{"name", wire_name(member.name)}, {"in", "query"}, {"required", false}};
    if constexpr (std::same_as<Member, AttributeFilter>) {
      parameter["name"] = "attributes[Color][]";
      parameter["description"] = "attributes[Name][]=value, repeatable: any value of one name, all of the names.";
      parameter["schema"] = json::object{{"type", "string"}, {"maxLength", 200}};
    } else if constexpr (std::same_as<Member, PageNumber>) {
      parameter["description"] = "Page, from 1; anything else counts as 1.";
      parameter["schema"] = json::object{};
      parameter["example"] = 1;
    } else if constexpr (IsLimit<Member>::value) {
      parameter["description"] =
          fmt::format("Page size, 1 to 100; larger is 100, anything else {}.", IsLimit<Member>::fallback);
      parameter["schema"] = json::object{};
      parameter["example"] = 10;
    } else {
      parameter["schema"] = schemas.of<typename Member::value_type>(Direction::request);
      parameter["allowEmptyValue"] = true;
    }
    list.emplace_back(std::move(parameter));
  });
  return list;
}

}  // namespace shop::codec
