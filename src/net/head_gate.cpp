#include "net/head_gate.hpp"

#include <algorithm>
#include <array>

#include "base/http.hpp"

namespace shop::net {
namespace {

constexpr auto token_chars = [] {
  std::array<bool, 256> table{};
  for (char c = '0'; c <= '9'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (char c = 'a'; c <= 'z'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (char c = 'A'; c <= 'Z'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (char c : {'!', '#', '$', '%', '&', '\'', '*', '+', '-', '.', '^', '_', '`', '|', '~'}) {
    table[static_cast<unsigned char>(c)] = true;
  }
  return table;
}();

bool is_digits(std::string_view text) {
  return !text.empty() && text.size() <= 15 && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// "Content_Length" and the like: some servers turn hyphens and underscores into one another.
bool framing_in_disguise(std::string_view name) {
  if (name.find('_') == name.npos) return false;
  for (const std::string_view framing : {"content-length", "transfer-encoding", "host", "connection"}) {
    if (name.size() != framing.size()) continue;
    const bool same = std::equal(name.begin(), name.end(), framing.begin(), [](char a, char b) {
      return (a == '_' ? '-' : (a >= 'A' && a <= 'Z' ? a + 32 : a)) == b;
    });
    if (same) return true;
  }
  return false;
}

bool is_host(std::string_view host) {
  if (host.empty() || host.size() > 255) return false;
  return std::all_of(host.begin(), host.end(), [](char c) {
    return is_hex(c) || (c >= 'g' && c <= 'z') || (c >= 'G' && c <= 'Z') || c == '.' || c == '-' || c == ':' || c == '[' ||
           c == ']' || c == '_' || c == '~';
  });
}

std::optional<std::string_view> refuse_target(std::string_view method, std::string_view target, std::string_view slashes_below,
                                              std::string_view& authority) {
  for (char c : target) {
    if (c <= ' ' || c >= 0x7f || c == '#' || c == '"' || c == '<' || c == '>' || c == '\\') {
      return "the request target holds a character that must be encoded";
    }
  }
  if (target == "*") return method == "OPTIONS" ? std::nullopt : std::optional<std::string_view>("* is for OPTIONS only");
  if (target.starts_with("http://") || target.starts_with("https://")) {
    target.remove_prefix(target.find("//") + 2);
    authority = target.substr(0, target.find_first_of("/?"));
    if (!is_host(authority)) return "the request target names no host";
    target.remove_prefix(authority.size());
    if (target.empty()) return std::nullopt;
  }
  if (!target.starts_with('/')) return "the request target is not a path";
  if (ambiguous_path(target.substr(0, target.find('?')), slashes_below)) return "the path is ambiguous";
  return std::nullopt;
}

}  // namespace

bool is_token(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return token_chars[static_cast<unsigned char>(c)]; });
}

bool is_field_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
  });
}

bool ambiguous_path(std::string_view path, std::string_view slashes_below) {
  const bool names = !slashes_below.empty() && path.starts_with(slashes_below);
  std::size_t dots = 0, others = 0;  // of the present segment
  for (std::size_t i = 0; i <= path.size(); ++i) {
    char c = i < path.size() ? path[i] : '/';
    if (c == '\\') return true;
    if (c == '%') {
      if (i + 2 >= path.size() || !is_hex(path[i + 1]) || !is_hex(path[i + 2])) return true;
      const auto octet = path.substr(i + 1, 2);
      const bool slash = octet == "2f" || octet == "2F" || octet == "5c" || octet == "5C";
      if (octet == "00" || (slash && !(names && i >= slashes_below.size()))) return true;
      c = slash ? '/' : octet == "2e" || octet == "2E" ? '.' : 'x';
      i += 2;
    }
    if (c == '/') {
      if (others == 0 && (dots == 1 || dots == 2)) return true;
      dots = others = 0;
    } else if (c == '.') {
      ++dots;
    } else if (c == ';' && others == 0 && dots > 0) {
      return true;  // "..;" is a parent to some servers
    } else {
      ++others;
    }
  }
  return false;
}

std::optional<std::string_view> refuse_head(std::string_view head, std::string_view slashes_below) {
  const auto line_end = head.find("\r\n");
  if (line_end == head.npos) return "the head is not complete";
  const auto line = head.substr(0, line_end);
  head.remove_prefix(line_end + 2);

  const auto first = line.find(' '), last = line.rfind(' ');
  if (first == line.npos || first == last) return "the request line has not three parts";
  const auto method = line.substr(0, first), target = line.substr(first + 1, last - first - 1), version = line.substr(last + 1);
  if (!is_token(method) || method.size() > 20 || method == "CONNECT") return "the method is not allowed";
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return "the version is neither HTTP/1.1 nor HTTP/1.0";
  std::string_view authority;
  if (auto reason = refuse_target(method, target, slashes_below, authority)) return reason;

  std::size_t fields = 0;
  int hosts = 0, lengths = 0, encodings = 0;
  std::string_view host;
  while (!head.starts_with("\r\n")) {
    const auto end = head.find("\r\n");
    if (end == head.npos) return "the head is not complete";
    const auto field = head.substr(0, end);
    head.remove_prefix(end + 2);
    if (++fields > max_fields) return "the head has too many fields";
    if (field.front() == ' ' || field.front() == '\t') return "a header is folded over two lines";
    const auto colon = field.find(':');
    if (colon == field.npos || !is_token(field.substr(0, colon))) return "a header name is not valid";
    const auto name = field.substr(0, colon), value = without_blanks(field.substr(colon + 1));
    if (!is_field_value(value)) return "a header value holds a control character";
    if (framing_in_disguise(name)) return "a framing header is spelt with an underscore";
    switch (name.size()) {
      case 4:
        if (equal_ignoring_case(name, "host") && (host = value, ++hosts > 1)) return "Host is given twice";
        break;
      case 14:
        if (!equal_ignoring_case(name, "content-length")) break;
        if (++lengths > 1) return "Content-Length is given twice";
        if (!is_digits(value)) return "Content-Length is not a number";
        break;
      case 17:
        if (!equal_ignoring_case(name, "transfer-encoding")) break;
        if (++encodings > 1) return "Transfer-Encoding is given twice";
        if (value != "chunked") return "Transfer-Encoding is not exactly chunked";
        break;
      default: break;
    }
  }
  if (head.size() != 2) return "the head does not end where it should";
  if (hosts == 0 || !is_host(host)) return "Host is missing or not valid";
  if (!authority.empty() && !equal_ignoring_case(authority, host)) return "the target's host is not the Host header's";
  if (encodings > 0 && lengths > 0) return "both Content-Length and Transfer-Encoding are given";
  if (encodings > 0 && version == "HTTP/1.0") return "Transfer-Encoding does not exist in HTTP/1.0";
  return std::nullopt;
}

}  // namespace shop::net
