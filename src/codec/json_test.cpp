#include <gtest/gtest.h>

#include "codec/forms.hpp"
#include "codec/query_reader.hpp"
#include "codec/row.hpp"
#include "codec/schema.hpp"

namespace shop::codec {
namespace {

enum class Colour { red, green };
BOOST_DESCRIBE_ENUM(Colour, red, green)

struct Line {
  VariantId variant;
  Bounded<1, 1000> quantity;
  std::optional<std::string> note;
};
BOOST_DESCRIBE_STRUCT(Line, (), (variant, quantity, note))

struct Basket {
  Text<2, 10> name;
  Price price;
  std::vector<Line> items;
  std::optional<Colour> colour;
  Patch<std::string> comment;
  LeftOut<std::int64_t> weight;
};
BOOST_DESCRIBE_STRUCT(Basket, (), (name, price, items, colour, comment, weight))

constexpr const char* variant = "01a208a4-6bc7-75c4-ae2e-8ab089936a91";

std::vector<std::string> faults_of(std::string_view text) {
  auto read = from_json<Basket>(text);
  std::vector<std::string> all;
  if (read) return all;
  for (const auto& fault : read.error().faults) all.push_back(fault.path + " " + fault.message);
  if (all.empty()) all.push_back(read.error().name);
  return all;
}

TEST(JsonReader, ReadsWhatItShould) {
  const auto basket = from_json<Basket>(fmt::format(
      R"({{"name":"ab","price":19.99,"items":[{{"variant":"{}","quantity":3.0,"note":null,"more":[]}}],"comment":null,"extra":1}})", variant));
  ASSERT_TRUE(basket) << basket.error().message;
  EXPECT_EQ(basket->price.minor, 1999);
  EXPECT_EQ(basket->items.front().quantity, 3);
  EXPECT_FALSE(basket->items.front().note);
  EXPECT_FALSE(basket->colour);
  EXPECT_TRUE(basket->comment.present);
  EXPECT_FALSE(basket->comment.value);
  EXPECT_FALSE(basket->weight.value);
}

TEST(JsonReader, ANameIsReadToItsEnd) {
  const auto with = [](std::string_view colour) {
    return faults_of(fmt::format(R"({{"name":"ab","price":1,"items":[],"colour":"{}"}})", colour));
  };
  EXPECT_EQ(with("red"), std::vector<std::string>{});
  for (const auto* wrong : {"Red", "red ", "", "red\\u0000", "red\\u0000x", "\\u0000"}) {
    EXPECT_EQ(with(wrong), std::vector<std::string>{"colour must be one of red green"}) << wrong;
  }
}

TEST(JsonReader, NamesEveryFaultWithItsPath) {
  const auto faults = faults_of(R"({"name":"a","price":"1.005","items":[{"variant":"x","quantity":0},7,{"quantity":1.5}],"colour":"blue"})");
  EXPECT_EQ(faults, (std::vector<std::string>{
                        "name must have 2 to 10 characters",
                        "price must be a decimal of at most 13 digits and 2 decimals",
                        "items[0].variant must be a UUID",
                        "items[0].quantity must be a whole number from 1 to 1000",
                        "items[1] must be an object",
                        "items[2].variant is missing",
                        "items[2].quantity must be a whole number from 1 to 1000",
                        "colour must be one of red green",
                    }));
}

TEST(JsonReader, TakesNullForMissing) {
  const auto faults = faults_of(R"({"name":null,"price":null,"items":null})");
  EXPECT_EQ(faults, (std::vector<std::string>{"name is missing", "price is missing", "items is missing"}));
}

TEST(JsonReader, RefusesWhatIsNoJson) {
  for (const auto* text : {"", "{", "nul", "{\"a\":}", "[1,]", "{} x", "\xff", "{\"a\":\"\xc3\x28\"}", "'a'", "NaN"}) {
    const auto read = from_json<Basket>(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, Code::invalid) << text;
  }
}

TEST(JsonReader, LimitsNestingTo32) {
  const auto nested = [](int depth) { return std::string(static_cast<std::size_t>(depth), '[') + std::string(static_cast<std::size_t>(depth), ']'); };
  EXPECT_TRUE(parse_json(nested(32)));
  const auto deeper = parse_json(nested(33));
  ASSERT_FALSE(deeper);
  EXPECT_EQ(deeper.error().name, "TOO_DEEP");
}

TEST(JsonReader, NamesAtMostAHundredFaults) {
  std::string text = R"({"name":"ab","price":1,"items":[)";
  for (int i = 0; i < 500; ++i) text += i ? ",1" : "1";
  EXPECT_EQ(faults_of(text + "]}").size(), 100U);
}

TEST(JsonWriter, LeavesOutOnlyWhatMayBeLeftOut) {
  Basket basket{{"ab"}, {500}, {{*VariantId::parse(variant), {2}, "x\"\n\x01"}}, {}, {}, {}};
  EXPECT_EQ(to_json(basket), fmt::format(R"({{"name":"ab","price":"5","items":[{{"variant":"{}","quantity":2,"note":"x\"\n\u0001"}}],"colour":null}})",
                                         variant));
  basket.comment = {true, std::nullopt};
  basket.weight.value = 7;
  EXPECT_NE(to_json(basket).find(R"("comment":null,"weight":7)"), std::string::npos);
}

TEST(JsonWriter, RoundTripsEveryControlCharacter) {
  std::string text;
  for (int c = 1; c < 0x80; ++c) text += static_cast<char>(c);
  text += "é漢😀";
  EXPECT_EQ(from_json<std::string>(to_json(text)).value(), text);
}

struct Search {
  PageNumber page;
  PageLimit<24> limit;
  std::optional<bool> inStock;
  std::optional<Price> minPrice;
  std::optional<Colour> colour;
  AttributeFilter attributes;
};
BOOST_DESCRIBE_STRUCT(Search, (), (page, limit, inStock, minPrice, colour, attributes))

TEST(QueryReader, FallsBackForPageAndLimit) {
  const auto limit_of = [](std::string_view query) { return from_query<Search>(query)->limit.value; };
  EXPECT_EQ(limit_of(""), 24);
  EXPECT_EQ(limit_of("limit=0"), 24);
  EXPECT_EQ(limit_of("limit=-5"), 24);
  EXPECT_EQ(limit_of("limit=abc"), 24);
  EXPECT_EQ(limit_of("limit=7"), 7);
  EXPECT_EQ(limit_of("limit=101"), 100);
  EXPECT_EQ(limit_of("limit=999999999999999999999999"), 100);
  EXPECT_EQ(from_query<Search>("page=x")->page.value, 1);
  EXPECT_EQ(from_query<Search>("page=3")->page.value, 3);
}

TEST(QueryReader, ReadsAttributesByName) {
  const auto search = from_query<Search>("attributes%5BColor%5D%5B%5D=Black&attributes[Color][]=Ros%C3%A9&attributes[Size][]=M+L");
  ASSERT_TRUE(search);
  EXPECT_EQ(search->attributes.wanted.at("Color"), (std::set<std::string>{"Black", "Rosé"}));
  EXPECT_EQ(search->attributes.wanted.at("Size"), (std::set<std::string>{"M L"}));
  EXPECT_FALSE(from_query<Search>("attributes[][]=x"));
  EXPECT_FALSE(from_query<Search>("attributes[Color=x"));
}

TEST(QueryReader, NamesFaults) {
  const auto search = from_query<Search>("inStock=maybe&minPrice=-1&colour=blue");
  ASSERT_FALSE(search);
  ASSERT_EQ(search.error().faults.size(), 3U);
  EXPECT_EQ(search.error().faults[0].path, "inStock");
  EXPECT_EQ(search.error().faults[2].path, "colour");
}

struct Stored {
  VariantId id;
  bool active;
  Instant at;
  Price price;
  std::optional<Price> cost;
  Texts texts;
  Colour colour;
};
BOOST_DESCRIBE_STRUCT(Stored, (), (id, active, at, price, cost, texts, colour))

Result<Stored> read_back(const Params& params) { return from_row<Stored>(std::span<const Value>(params)); }

TEST(Rows, RoundTrip) {
  const Stored stored{*VariantId::parse(variant), true, {1'700'000'000'123}, {1999}, {}, {{"en", "Lamp"}}, Colour::green};
  const auto params = params_of(stored.id, stored.active, stored.at, stored.price, stored.cost, stored.texts, stored.colour);
  const auto back = read_back(params);
  ASSERT_TRUE(back);
  EXPECT_EQ(to_json(*back), to_json(stored));
}

TEST(Rows, WhatTheSchemaNoLongerHoldsIsAnError) {
  EXPECT_FALSE(read_back(params_of(variant, true)));
  EXPECT_FALSE(read_back(params_of("no uuid", true, 1, 2, std::optional<Price>(), Texts(), "green")));
  EXPECT_FALSE(read_back(params_of(variant, true, 1, 2, std::optional<Price>(), Texts(), "blue")));
}

TEST(Schema, MarksWhatIsRequired) {
  json::object components;
  Schemas schemas(components);
  schemas.of<Basket>(Direction::request);
  schemas.of<Basket>(Direction::response);
  EXPECT_EQ(components.at(component_name<Basket>() + "Input").at("required"), (json::array{"name", "price", "items"}));
  EXPECT_EQ(components.at(component_name<Basket>()).at("required"), (json::array{"name", "price", "items", "colour"}));
  EXPECT_EQ(components.at(component_name<Line>()).at("properties").at("quantity"), (json::object{{"type", "integer"}, {"minimum", 1}, {"maximum", 1000}}));
}

TEST(Numbers, AreDecimalsWithoutExponent) {
  for (const auto& [json, text] : std::map<std::string, std::string>{{"100000.0", "100000"}, {"1e5", "100000"}, {"0.00001", "0.00001"}, {"1299.99", "1299.99"},
                                                                     {"-0.5", "-0.5"}, {"18446744073709551615", "18446744073709551615"}}) {
    EXPECT_EQ(text_of_number(*parse_json(json)), text);
  }
  EXPECT_EQ(text_of_number(*parse_json("1e308")).size(), 309);
  EXPECT_EQ(text_of_number(*parse_json("\"5\"")), "");
}

struct Form {
  std::optional<MayBeBlank<Url>> image;
  Patch<MayBeBlank<VariantId>> parent;
  std::optional<LocalTextOrNone<10>> text;
};
BOOST_DESCRIBE_STRUCT(Form, (), (image, parent, text))

TEST(JsonReader, TakesAnEmptyFieldOfAFormForNone) {
  const auto form = from_json<Form>(R"({"image":"","parent":"","text":{"en":"","fr":null}})");
  ASSERT_TRUE(form) << form.error().message;
  EXPECT_FALSE(given(form->image));
  EXPECT_TRUE(form->parent.present);
  EXPECT_FALSE(given(form->parent.value));
  EXPECT_TRUE(form->text->texts.empty());
  EXPECT_EQ(given(from_json<Form>(R"({"image":"/a.png"})")->image)->value, "/a.png");
  EXPECT_FALSE(from_json<Form>(R"({"image":"a b"})"));
  EXPECT_FALSE(from_json<Form>(R"({"text":{"en":"longer than ten"}})"));
}

TEST(Faults, KnowTheirPaths) {
  Faults faults;
  faults.add_at("items", "is missing");
  EXPECT_TRUE(faults.names("items"));
  EXPECT_FALSE(faults.names("item"));
}

TEST(Json, ANumberThatNoDoubleHoldsIsRefusedWhereverItStands) {
  for (const auto* text : {"1e999", "-1e999", R"({"a":[{"b":2.51e999}]})"}) {
    const auto read = parse_json(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, Code::invalid) << text;
  }
  EXPECT_TRUE(parse_json(R"({"a":[1.7e308,-1.7e308,1e-999,null]})"));
}

}  // namespace
}  // namespace shop::codec
