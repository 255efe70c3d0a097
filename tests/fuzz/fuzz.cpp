// Everything that reads bytes from outside, under libFuzzer: SHOP_FUZZ=<target> fuzz CORPUS... Targets are the rows below.
//
// Beside crashes and what the sanitizers see, each target checks something that must hold for every input.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/context.hpp"
#include "base/http.hpp"
#include "codec/base64.hpp"
#include "codec/multipart.hpp"
#include "codec/query_reader.hpp"
#include "net/body_reader.hpp"
#include "net/head_gate.hpp"
#include "runtime/tokens.hpp"

namespace shop {
namespace {

void must(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

// A head that passes has one Host, at most one way to find the body's end, and no byte that another reader could take for a line end.
void head_gate(std::string_view text) {
  if (net::refuse_head(text)) return;
  must(text.ends_with("\r\n\r\n"), "a head ends in an empty line");
  std::size_t lines = 0, hosts = 0, framings = 0;
  for (std::string_view rest = text; !rest.empty(); ++lines) {
    const auto end = rest.find("\r\n");
    must(end != rest.npos, "every line ends in CRLF");
    const auto line = rest.substr(0, end);
    must(line.find_first_of(std::string_view("\r\n\0", 3)) == line.npos, "no CR, LF or NUL inside a line");
    must(line.empty() || (line.front() != ' ' && line.front() != '\t'), "no folded line");
    const auto name = line.substr(0, line.find(':'));
    if (lines > 0) hosts += equal_ignoring_case(name, "host");
    if (lines > 0) framings += equal_ignoring_case(name, "content-length") || equal_ignoring_case(name, "transfer-encoding");
    rest.remove_prefix(end + 2);
  }
  must(hosts == 1, "one Host");
  must(framings <= 1, "one framing");
  must(lines <= net::max_fields + 2, "not too many fields");
}

struct Whole {
  std::string body;
  std::size_t used = 0;
  bool done = false, broken = false;
};

Whole read_chunks(std::string_view bytes, std::size_t step) {
  auto reader = net::BodyReader::chunked();
  Whole whole;
  std::string buffer;
  char out[64];
  for (std::size_t given = 0;;) {
    std::string_view in(buffer);
    const auto got = reader.read(in, out);
    must(got <= sizeof out, "no more is written than there is room");
    whole.body.append(out, got);
    whole.used += buffer.size() - in.size();
    buffer.erase(0, buffer.size() - in.size());
    if (reader.done() || reader.broken()) break;
    if (got > 0) continue;
    if (given == bytes.size()) break;
    must(buffer.size() < 16 * 1024, "what waits is bounded");
    const auto more = std::min(step, bytes.size() - given);
    buffer.append(bytes.substr(given, more));
    given += more;
  }
  whole.done = reader.done();
  whole.broken = reader.broken();
  return whole;
}

// However the bytes are cut, the body is the same, and ends at the same byte.
void chunks(std::string_view text) {
  const auto once = read_chunks(text, std::max<std::size_t>(text.size(), 1)), slowly = read_chunks(text, 1), odd = read_chunks(text, 7);
  must(once.done == slowly.done && once.done == odd.done, "cut differently, done differently");
  if (!once.done) return;
  must(once.used == slowly.used && once.used == odd.used && once.body == slowly.body && once.body == odd.body, "cut differently, read differently");
}

struct Line {
  std::string variantId;
  codec::Bounded<1, 1000> quantity;
  std::optional<Price> price;
};
BOOST_DESCRIBE_STRUCT(Line, (), (variantId, quantity, price))

struct Document {
  std::optional<Email> email;
  std::optional<codec::LocalText<200>> name;
  codec::Patch<Sku> sku;
  std::vector<Line> items;
  std::map<std::string, std::string> attributes;
  std::optional<boost::json::object> shippingAddress;
  bool isActive = true;
};
BOOST_DESCRIBE_STRUCT(Document, (), (email, name, sku, items, attributes, shippingAddress, isActive))

// The same, but for the last bits of a double: Boost.JSON 1.81 rounds what has more than 15 digits to a neighbour now and then.
bool alike(const boost::json::value& a, const boost::json::value& b) {
  if (a.is_double() && b.is_double()) return std::abs(a.get_double() - b.get_double()) <= 1e-15 * std::abs(a.get_double());
  if (a.is_array() && b.is_array()) return std::ranges::equal(a.get_array(), b.get_array(), alike);
  if (!a.is_object() || !b.is_object()) return a == b;
  return std::ranges::equal(a.get_object(), b.get_object(), [](const auto& x, const auto& y) { return x.key() == y.key() && alike(x.value(), y.value()); });
}

// What is read can be written, and reads the same again.
void json(std::string_view text) {
  const auto read = codec::from_json<Document>(text);
  if (!read) {
    must(!read.error().message.empty() && read.error().faults.size() <= 100, "a fault has a message");
    return;
  }
  auto once = *read;
  auto twice = codec::from_json<Document>(codec::to_json(once));
  must(twice && once.shippingAddress.has_value() == twice->shippingAddress.has_value(), "what is written can be read");
  if (once.shippingAddress) must(alike(*once.shippingAddress, *twice->shippingAddress), "what has any form is read again as it was");
  once.shippingAddress = twice->shippingAddress = std::nullopt;
  must(codec::to_json(*twice) == codec::to_json(once), "written and read again it is the same");
}

enum class Sort { price, name };
BOOST_DESCRIBE_ENUM(Sort, price, name)

struct ListQuery {
  codec::PageNumber page;
  codec::PageLimit<24> limit;
  std::optional<std::string> q;
  std::optional<Price> minPrice;
  std::optional<Sort> sortBy;
  std::optional<bool> inStock;
  codec::AttributeFilter attributes;
};
BOOST_DESCRIBE_STRUCT(ListQuery, (), (page, limit, q, minPrice, sortBy, inStock, attributes))

void query(std::string_view text) {
  const auto read = codec::from_query<ListQuery>(text);
  if (!read) return must(!read.error().message.empty(), "a fault has a message");
  must(read->page.value >= 1 && read->limit.value >= 1 && read->limit.value <= 100, "page and limit are within bounds");
  if (read->q) must(utf8_length(*read->q) >= 0, "text is UTF-8");
}

// Without the key nothing is a token, whatever it looks like.
void token(std::string_view text) {
  static const auto key = SigningKey::generate();
  static const auto keys = KeySet::from(Jwks{{key.public_jwk()}});
  static const std::string good = [] {
    Claims claims;
    claims.iat = 1'700'000'000;
    claims.exp = 1'900'000'000;
    claims.iss = claims.aud = token_issuer;
    return key.sign(claims);
  }();
  constexpr Instant now{1'800'000'000'000};
  must(keys->verify(good, now).has_value(), "a good token is good");
  (void)token_kid(text);
  must(!keys->verify(text, now) || text == good, "a forged token is refused");
  std::string changed = good;  // the input as a patch: positions and bytes
  for (std::size_t i = 0; i + 2 < text.size(); i += 3) {
    const auto at = (static_cast<std::size_t>(static_cast<unsigned char>(text[i])) << 8 | static_cast<unsigned char>(text[i + 1])) % changed.size();
    changed[at] = text[i + 2];
  }
  must(changed == good || !keys->verify(changed, now), "a changed token is refused");
}

// The first line is the Content-Type, the rest the body.
void multipart(std::string_view text) {
  const auto end = std::min(text.find('\n'), text.size());
  const auto body = text.substr(std::min(end + 1, text.size()));
  const auto parts = codec::parse_multipart(text.substr(0, end), body, 5);
  if (!parts) return;
  must(parts->size() <= 5, "not too many parts");
  for (const auto& part : *parts) {
    must(part.bytes.data() >= body.data() && part.bytes.data() + part.bytes.size() <= body.data() + body.size(), "a part lies in the body");
  }
}

void paths(std::string_view text) {
  constexpr std::string_view names = "/sku/";
  if (text.find('\0') != text.npos || net::ambiguous_path(text, names)) return;  // a NUL as such is refused before
  auto plain = percent_decoded(text, false);
  must(plain.find('\0') == plain.npos, "no NUL comes out");
  must(text.starts_with(names) || (plain.find('\\') == plain.npos && std::ranges::count(plain, '/') == std::ranges::count(text, '/')),
       "no backslash and no further slash comes out where no name may hold one");
  std::ranges::replace(plain, '\\', '/');
  must(("/" + plain + "/").find("/../") == std::string::npos, "no parent segment comes out");
}

void traces(std::string_view text) {
  Trace trace;
  if (Trace::parse(text, trace)) must(Trace::parse(trace.traceparent(), trace), "what is read can be sent on");
}

void base64(std::string_view text) {
  const auto bytes = codec::from_base64url(text);
  if (bytes) must(codec::base64url(*bytes) == text, "one text for one value");
  must(codec::from_base64url(codec::base64url(text)) == std::string(text), "there and back");
}

struct Target {
  std::string_view name;
  void (*run)(std::string_view);
};
constexpr Target targets[] = {{"head_gate", head_gate}, {"chunks", chunks},       {"json", json},   {"query", query},     {"token", token},
                              {"multipart", multipart}, {"paths", paths}, {"traces", traces}, {"base64", base64}};

const Target& chosen() {
  static const Target& target = [] -> const Target& {
    const char* wanted = std::getenv("SHOP_FUZZ");
    for (const auto& each : targets) {
      if (wanted && each.name == wanted) return each;
    }
    std::fprintf(stderr, "SHOP_FUZZ must be one of:");
    for (const auto& each : targets) std::fprintf(stderr, " %s", std::string(each.name).c_str());
    std::fprintf(stderr, "\n");
    std::exit(2);
  }();
  return target;
}

}  // namespace
}  // namespace shop

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  shop::chosen().run({reinterpret_cast<const char*>(data), size});
  return 0;
}
