#include "codec/multipart.hpp"

#include <algorithm>

#include "base/http.hpp"
#include "base/text.hpp"

namespace shop::codec {
namespace {

constexpr std::size_t max_fields_bytes = 4096, max_boundary = 70, max_name = 100, max_filename = 1000;

Failure malformed(std::string_view what) {
  return fail(Code::invalid, fmt::format("The form cannot be read: {}.", what), "MALFORMED_FORM");
}

bool token_char(char c) {  // RFC 9110 5.6.2
  return std::isalnum(static_cast<unsigned char>(c)) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool boundary_char(char c) {  // RFC 2046 5.1.1
  return std::isalnum(static_cast<unsigned char>(c)) || std::string_view("'()+_,-./:=? ").find(c) != std::string_view::npos;
}

// "form-data; name=\"imageFile\"; filename=\"x.png\"": the word, then parameters. Nothing when it is not of that form.
struct Parameters {
  std::string_view word;
  std::vector<std::pair<std::string_view, std::string>> list;

  const std::string* find(std::string_view name) const {
    const auto it = std::ranges::find_if(list, [&](const auto& p) { return equal_ignoring_case(p.first, name); });
    return it == list.end() ? nullptr : &it->second;
  }
};

std::optional<std::string> quoted(std::string_view& rest) {
  std::string value;
  for (std::size_t i = 1; i < rest.size(); ++i) {
    if (rest[i] == '"') {
      rest.remove_prefix(i + 1);
      return value;
    }
    if (rest[i] == '\\' && i + 1 < rest.size() && (rest[i + 1] == '"' || rest[i + 1] == '\\')) ++i;  // browsers send %22, others \"
    value += rest[i];
  }
  return std::nullopt;
}

std::optional<Parameters> parameters_of(std::string_view text) {
  Parameters out;
  out.word = trimmed(text.substr(0, text.find(';')));
  auto rest = text.substr(std::min(text.size(), text.find(';')));
  while (!(rest = trimmed(rest)).empty()) {
    if (rest.front() != ';') return std::nullopt;
    rest = trimmed(rest.substr(1));
    if (rest.empty()) break;
    const auto equals = rest.find('=');
    const auto name = rest.substr(0, equals);
    if (equals == rest.npos || name.empty() || !std::ranges::all_of(name, token_char) || out.find(name)) return std::nullopt;
    rest.remove_prefix(equals + 1);
    if (rest.starts_with('"')) {
      auto value = quoted(rest);
      if (!value) return std::nullopt;
      out.list.emplace_back(name, std::move(*value));
    } else {
      const auto value = rest.substr(0, std::ranges::find_if_not(rest, token_char) - rest.begin());
      if (value.empty()) return std::nullopt;
      out.list.emplace_back(name, value);
      rest.remove_prefix(value.size());
    }
  }
  return out;
}

Result<std::string> boundary_of(std::string_view content_type) {
  const auto parameters = parameters_of(content_type);
  if (!parameters || !equal_ignoring_case(parameters->word, "multipart/form-data")) {
    return fail(Code::invalid, "The body must be multipart/form-data.", "NOT_A_FORM");
  }
  const auto* boundary = parameters->find("boundary");
  if (!boundary || boundary->empty() || boundary->size() > max_boundary || boundary->back() == ' ' ||
      !std::ranges::all_of(*boundary, boundary_char)) {
    return malformed("its boundary is missing or not valid");
  }
  return *boundary;
}

// The fields of one part, without the empty line that ends them.
Result<FormPart> part_of(std::string_view fields) {
  FormPart part;
  bool disposed = false;
  while (!fields.empty()) {
    const auto line = fields.substr(0, fields.find("\r\n"));
    fields.remove_prefix(std::min(fields.size(), line.size() + 2));
    const auto colon = line.find(':');
    const auto name = line.substr(0, colon);
    if (colon == line.npos || name.empty() || !std::ranges::all_of(name, token_char)) return malformed("a part has a field without a name");
    const auto value = trimmed(line.substr(colon + 1));
    if (std::ranges::any_of(value, [](char c) { return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == 0x7f; })) {
      return malformed("a part has a field with control characters");
    }
    if (equal_ignoring_case(name, "Content-Disposition")) {
      const auto parameters = parameters_of(value);
      const auto* field = parameters ? parameters->find("name") : nullptr;
      if (std::exchange(disposed, true) || !field || !equal_ignoring_case(parameters->word, "form-data")) {
        return malformed("a part does not say once which field it is");
      }
      part.name = *field;
      if (const auto* filename = parameters->find("filename")) part.filename = *filename;
      if (part.name.size() > max_name || part.filename.value_or("").size() > max_filename) return malformed("a name is too long");
    } else if (equal_ignoring_case(name, "Content-Type")) {
      part.content_type = value;
    } else if (equal_ignoring_case(name, "Content-Transfer-Encoding")) {
      constexpr std::string_view plain[] = {"binary", "8bit", "7bit"};
      if (std::ranges::none_of(plain, [&](auto each) { return equal_ignoring_case(value, each); })) {
        return malformed("a part is encoded");  // RFC 7578 4.7: not used by anybody
      }
    }
  }
  if (!disposed) return malformed("a part does not say which field it is");
  return part;
}

}  // namespace

Result<std::vector<FormPart>> parse_multipart(std::string_view content_type, std::string_view body, std::size_t max_parts) {
  TRY(const auto boundary, boundary_of(content_type));
  const std::string delimiter = "\r\n--" + boundary;
  auto rest = body;
  if (!rest.starts_with(std::string_view(delimiter).substr(2))) return malformed("it does not begin with its boundary");
  rest.remove_prefix(delimiter.size() - 2);

  std::vector<FormPart> parts;
  for (;;) {
    if (rest.starts_with("--")) {
      rest.remove_prefix(2);
      if (!rest.empty() && rest != "\r\n") return malformed("something follows its end");
      return parts;
    }
    if (!rest.starts_with("\r\n")) return malformed("a boundary does not end its line");
    if (parts.size() >= max_parts) return malformed(fmt::format("it has more than {} parts", max_parts));
    rest.remove_prefix(2);
    const auto end = rest.substr(0, max_fields_bytes).find("\r\n\r\n");
    if (end == rest.npos) return malformed("the fields of a part do not end");
    TRY(auto part, part_of(rest.substr(0, end)));
    rest.remove_prefix(end + 4);
    const auto next = rest.find(delimiter);
    if (next == rest.npos) return malformed("it ends before its last boundary");
    part.bytes = rest.substr(0, next);
    rest.remove_prefix(next + delimiter.size());
    parts.push_back(std::move(part));
  }
}

}  // namespace shop::codec
