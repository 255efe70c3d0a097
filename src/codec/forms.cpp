#include "codec/forms.hpp"

namespace shop::codec {

std::optional<std::string> read_texts(const json::value& in, std::size_t max, bool may_be_none, Texts& out) {
  const auto* object = in.if_object();
  if (!object || (object->empty() && !may_be_none)) return R"(must be texts by language, as {"en": "..."})";
  for (const auto& [key, value] : *object) {
    if (key.size() != 2 || !std::islower(static_cast<unsigned char>(key[0])) ||
        !std::islower(static_cast<unsigned char>(key[1]))) {
      return "must have languages of two lower-case letters as keys";
    }
    if (value.is_null()) continue;
    const auto* text = value.if_string();
    if (!text) return "must hold strings";
    const auto length = utf8_length(*text);
    if (length < 0) return "must hold valid UTF-8 texts without NUL";
    if (length > static_cast<std::int64_t>(max)) return fmt::format("must hold texts of at most {} characters", max);
    if (!trimmed(*text).empty()) out[std::string(key)] = std::string(*text);
  }
  if (out.empty() && !may_be_none) return "must hold at least one text that is not empty";
  return std::nullopt;
}

}  // namespace shop::codec
