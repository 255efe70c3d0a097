// HTTP messages as values (RFC 9110). No socket here: what a service, a peer call and a test have in common.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace shop {

enum class Method : std::uint8_t { get, head, post, put, patch, del, options, other };

std::string_view name_of(Method method);
Method method_named(std::string_view name);  // case-sensitive, as RFC 9110 9.1 demands

// Fields in the order they came; names compare without regard to case. One buffer, so a message costs two allocations.
class Headers {
 public:
  void add(std::string_view name, std::string_view value);
  void set(std::string_view name, std::string_view value);  // replaces every field of that name
  void remove(std::string_view name);

  std::string_view get(std::string_view name) const;  // the first; empty when absent
  bool has(std::string_view name) const;
  std::size_t size() const { return fields_.size(); }

  template <class Visit>
  void each(Visit visit) const {
    for (const auto& f : fields_) visit(name(f), value(f));
  }

 private:
  struct Field {
    std::uint32_t at;
    std::uint16_t name_size;
    std::uint32_t value_size;
  };
  std::string_view name(const Field& f) const { return std::string_view(text_).substr(f.at, f.name_size); }
  std::string_view value(const Field& f) const { return std::string_view(text_).substr(f.at + f.name_size, f.value_size); }

  std::string text_;
  std::vector<Field> fields_;
};

bool equal_ignoring_case(std::string_view a, std::string_view b);

struct Request {
  Method method = Method::get;
  std::string target = "/";  // path and query, as on the wire
  Headers headers;
  std::string body;
  std::string remote;  // address of whoever connected; empty inside the process

  std::string_view path() const { return std::string_view(target).substr(0, target.find('?')); }
  std::string_view query() const {
    const auto mark = target.find('?');
    return mark == target.npos ? std::string_view() : std::string_view(target).substr(mark + 1);
  }
};

// A range of an open file; closed with the last copy.
struct FileRange {
  std::shared_ptr<const int> descriptor;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

struct Response {
  int status = 200;
  Headers headers;
  std::variant<std::string, std::shared_ptr<const std::string>, FileRange> body;

  std::string_view text() const;  // of a body held in memory
  std::uint64_t body_size() const;
};

std::string percent_decoded(std::string_view text, bool plus_is_space);
std::string percent_encoded(std::string_view text);  // all but RFC 3986 unreserved

// name=value pairs of a query string, decoded; at most `limit` of them.
std::vector<std::pair<std::string, std::string>> query_pairs(std::string_view query, std::size_t limit = 200);

}  // namespace shop
