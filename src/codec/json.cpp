#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "codec/json_reader.hpp"

namespace shop::codec {

void write_string(std::string& out, std::string_view text) {
  static constexpr char hex[] = "0123456789abcdef";
  out += '"';
  std::size_t from = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text, from, i - from);
    from = i + 1;
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default: ((out += "\\u00") += hex[c >> 4]) += hex[c & 15];
    }
  }
  out.append(text, from, text.size() - from);
  out += '"';
}

void Faults::add(std::string message) {
  if (list_.size() < limit) list_.push_back({path_, std::move(message)});
}

void Faults::add_at(std::string path, std::string message) {
  if (list_.size() < limit) list_.push_back({std::move(path), std::move(message)});
}

bool Faults::names(std::string_view path) const { return std::ranges::count(list_, path, &Fault::path) > 0; }

Faults::Step::Step(Faults& faults, std::string_view name) : faults_(faults), size_(faults.path_.size()) {
  if (size_ > 0) faults_.path_ += '.';
  faults_.path_ += name.substr(0, 100);
}

Faults::Step::Step(Faults& faults, std::size_t index) : faults_(faults), size_(faults.path_.size()) {
  faults_.path_ += fmt::format("[{}]", index);
}

Faults::Step::~Step() { faults_.path_.resize(size_); }

namespace {

// "1e999" is JSON, yet no double: it could be stored and never be read again.
bool all_finite(const json::value& value) {
  if (const auto* number = value.if_double()) return std::isfinite(*number);
  if (const auto* array = value.if_array()) return std::ranges::all_of(*array, all_finite);
  const auto* object = value.if_object();
  return !object || std::ranges::all_of(*object, [](const auto& member) { return all_finite(member.value()); });
}

}  // namespace

Result<json::value> parse_json(std::string_view text) {
  json::error_code error;
  json::parse_options options;
  options.max_depth = 32;
  auto value = json::parse({text.data(), text.size()}, error, {}, options);
  if (error == json::error::too_deep) return fail(Code::invalid, "The JSON is nested deeper than 32 levels.", "TOO_DEEP");
  if (error) return fail(Code::invalid, "The body is not valid JSON.", "MALFORMED_JSON", error.message());
  if (!all_finite(value)) return fail(Code::invalid, "A number in the JSON is larger than a double can hold.", "NUMBER_OUT_OF_RANGE");
  return value;
}

Error faulty(std::vector<Fault> faults) {
  std::string message;
  for (const auto& fault : faults) {
    if (!message.empty()) message += "; ";
    message += fault.path.empty() ? "the body" : fault.path;
    message += ' ';
    message += fault.message;
    if (message.size() > 1000) break;
  }
  return Error{Code::invalid, std::move(message), {}, std::move(faults), {}, {}};
}

std::string text_of_number(const json::value& number) {
  std::string out;
  if (const auto* i = number.if_int64()) {
    write_json(out, *i);
  } else if (const auto* u = number.if_uint64()) {
    write_json(out, *u);
  } else if (const auto* d = number.if_double()) {
    char buffer[400];  // 100000.0 is "100000", not "1e+05"
    out.assign(buffer, std::to_chars(buffer, buffer + sizeof buffer, *d, std::chars_format::fixed).ptr);
  }
  return out;
}

}  // namespace shop::codec
