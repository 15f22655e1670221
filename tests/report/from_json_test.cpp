// Records from outside: damaged ones are refused with the place of the damage, and never crash.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "report/json.hpp"
#include "sample_records.hpp"

namespace bops {
namespace {

using Json = nlohmann::ordered_json;

struct Place {
  Json::json_pointer pointer;
  std::string path;  ///< as errors name it
};

/// All places below `value`, containers included.
void collect_places(const Json& value, const Place& at, std::vector<Place>& places) {
  if (!at.path.empty()) places.push_back(at);
  if (value.is_object())
    for (const auto& [key, member] : value.items())
      collect_places(member, {at.pointer / key, at.path.empty() ? key : at.path + '.' + key},
                     places);
  if (value.is_array())
    for (std::size_t index = 0; index < value.size(); ++index)
      collect_places(value[index],
                     {at.pointer / index, at.path + '[' + std::to_string(index) + ']'}, places);
}

std::vector<Place> places_of(const Json& document) {
  std::vector<Place> places;
  collect_places(document, Place(), places);
  return places;
}

std::vector<Json> documents() {
  return {to_json(samples::decoded_run()), to_json(samples::hardware_run()),
          to_json(samples::missing_run())};
}

TEST(FromJson, names_each_field_that_is_missing) {
  const std::set<std::string> optional{"title", "repeat", "calibrated", "vector", "sampled"};
  std::size_t tried = 0;
  for (const Json& document : documents())
    for (const Place& place : places_of(document)) {
      const Json::json_pointer parent = place.pointer.parent_pointer();
      if (place.path.find(".work.") != std::string::npos) continue;  // the target's own units
      const std::string& name = place.pointer.back();
      if (!document[parent].is_object() || optional.contains(name)) continue;
      if (parent.to_string() == "/labels") continue;
      if (name == "work" && place.path.starts_with("threads")) continue;
      Json damaged = document;
      damaged[parent].erase(name);
      const Result<RunRecord> record = from_json(damaged.dump());
      ASSERT_FALSE(record) << "accepted without " << place.path;
      EXPECT_EQ(record.error().message, place.path + " is missing");
      ++tried;
    }
  EXPECT_GT(tried, 200U);
}

TEST(FromJson, names_each_field_of_the_wrong_type) {
  for (const Json& document : documents())
    for (const Place& place : places_of(document)) {
      Json damaged = document;
      // Nothing in a record may be a container where it is none, or the other way round.
      damaged[place.pointer] = document[place.pointer].is_structured() ? Json(3) : Json::object();
      const Result<RunRecord> record = from_json(damaged.dump());
      ASSERT_FALSE(record) << "accepted a wrong " << place.path;
      // In place of a null that may be an object, the object is refused for what it lacks.
      const std::string& message = record.error().message;
      EXPECT_TRUE(message.starts_with(place.path + " must ") ||
                  (document[place.pointer].is_null() && message.starts_with(place.path + '.')))
          << place.path << ": " << message;
      EXPECT_FALSE(record.error().remedy.empty());
    }
}

TEST(FromJson, names_each_number_that_is_no_integer_or_out_of_range) {
  const Json document = to_json(samples::decoded_run());
  for (const Place& place : places_of(document)) {
    if (!document[place.pointer].is_number()) continue;
    for (const char* number : {"1.0", "1e3", "18446744073709551616", "-9223372036854775809"}) {
      Json damaged = document;
      damaged[place.pointer] = "here";
      std::string text = damaged.dump();
      text.replace(text.find("\"here\""), 6, number);
      const Result<RunRecord> record = from_json(text);
      ASSERT_FALSE(record) << place.path << " = " << number;
      EXPECT_TRUE(record.error().message.starts_with(place.path + " must be an integer"))
          << record.error().message;
    }
  }
}

/// The error for the document with `value` at `pointer`; empty if it is accepted.
std::string error_with(const char* pointer, const Json& value) {
  Json document = to_json(samples::decoded_run());
  document[Json::json_pointer(pointer)] = value;
  const Result<RunRecord> record = from_json(document.dump());
  return record ? "" : record.error().message;
}

TEST(FromJson, refuses_numbers_that_contradict_each_other) {
  EXPECT_EQ(error_with("/threads/0/bops_formula", 1),
            "threads[0].bops_formula must be instructions - loads - stores - branches");
  EXPECT_EQ(error_with("/images/0/operations/total", 1),
            "images[0].operations.total must be integer + floating_point + address");
  EXPECT_EQ(error_with("/totals/instruction_classes/branch", 1),
            "totals must be the sum of the threads");
  EXPECT_EQ(error_with("/functions/0/instruction_classes/branch", 1),
            "functions must sum to the totals");
  EXPECT_EQ(error_with("/regions/2/thread_start_ns", 0),
            "regions[2] must belong to one of the threads");
  EXPECT_EQ(error_with("/regions/0/operations/integer", 0),
            "regions[0].operations.total must be integer + floating_point + address");
  EXPECT_EQ(error_with("/regions/0/work/tokens", -1),
            "regions[0].work.tokens must be an integer between 0 and 18446744073709551615");
  EXPECT_EQ(error_with("/functions", Json::array()), "") << "not every collector knows them";
  EXPECT_EQ(error_with("/processes/1/loads", 0),
            "processes[1].loads must be null where nothing was counted");
  EXPECT_EQ(error_with("/exit/signal", 9), "exit must not have both a code and a signal");
  EXPECT_EQ(error_with("/totals/bops_per_second", 5).substr(0, 30),
            "totals.bops_per_second must be");
}

TEST(FromJson, refuses_other_schemas_and_words) {
  EXPECT_EQ(error_with("/schema", "bops.run.v2"), "schema must be bops.run.v1");
  EXPECT_EQ(error_with("/quality", "perfect"),
            "quality must be exact, approximate, scaled, partial or missing");
  EXPECT_EQ(error_with("/pid_of_a_later_version", 1), "") << "additions are welcome";
}

TEST(FromJson, refuses_every_truncation) {
  const std::string text = render_json_line(samples::hardware_run());
  for (std::size_t length = 0; length + 1 < text.size(); length += 5) {
    const Result<RunRecord> record = from_json(std::string_view(text).substr(0, length));
    ASSERT_FALSE(record) << length;
    EXPECT_TRUE(record.error().message.starts_with("the record is not JSON"));
  }
}

TEST(FromJson, survives_random_damage) {
  std::mt19937 random(20260102);
  const std::string_view interesting = "{}[]\",:0-9.e\\ntu\xff\x80";
  std::size_t refused = 0;
  for (const Json& document : documents()) {
    const std::string text = document.dump();
    for (int round = 0; round < 1500; ++round) {
      std::string damaged = text;
      for (std::size_t change = 0; change <= random() % 4; ++change) {
        const std::size_t position = random() % damaged.size();
        const char byte = interesting[random() % interesting.size()];
        switch (random() % 3) {
          case 0: damaged[position] = byte; break;
          case 1: damaged.insert(position, 1, byte); break;
          default: damaged.erase(position, 1 + random() % 40);
        }
      }
      const Result<RunRecord> record = from_json(damaged);
      if (!record) {
        ++refused;
        EXPECT_FALSE(record.error().message.empty());
        continue;
      }
      // What was accepted must be a record: it reads back the same.
      const Result<RunRecord> again = from_json(render_json_line(*record));
      ASSERT_TRUE(again) << again.error().message << '\n' << damaged;
      EXPECT_EQ(render_json_line(*again), render_json_line(*record));
    }
  }
  EXPECT_GT(refused, 1000U);
}

TEST(FromJson, survives_texts_that_are_no_records) {
  for (const std::string& text :
       {std::string(), std::string("null"), std::string("[]"), std::string("{}"), std::string("3"),
        std::string(R"({"schema":"bops.interval.v1")"), std::string(200'000, '['),
        std::string("\xff\xfe"), std::string("\n\n"), std::string(R"({"wall_ns":1e999})")})
    EXPECT_FALSE(from_json(text)) << text.substr(0, 40);
}

TEST(FromJson, an_error_never_carries_control_characters_of_the_document) {
  Json document = to_json(samples::decoded_run());
  document["labels"]["\x1b[31m"] = 1;
  const Result<RunRecord> record = from_json(document.dump());
  ASSERT_FALSE(record);
  EXPECT_EQ(record.error().message, "labels.\\x1b[31m must be a string");
}

}  // namespace
}  // namespace bops
