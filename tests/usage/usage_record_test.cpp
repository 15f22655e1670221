#include "usage/usage_record.hpp"

#include <gtest/gtest.h>

#include "tests/usage/sample_usage.hpp"

namespace bops {
namespace {

using Json = nlohmann::ordered_json;

/// The message with which the sample is refused once `change` was made to it; empty if it is not.
template <class Change>
std::string refusal(const Change& change) {
  Json event = samples::usage_json();
  change(event);
  const auto record = parse_usage_line(event.dump());
  return record ? "" : record.error().message;
}

TEST(UsageRecord, written_and_read_is_the_same_line) {
  UsageRecord record = samples::usage_record();
  record.event_table = {"skylake.json", std::string(64, 'a')};
  record.calibration = {"cal.json", std::string(64, 'b')};
  record.rel_err_ppm.reset();
  record.quantity = kMaxQuantity;
  const std::string line = usage_line(record);
  const auto again = parse_usage_line(line);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(usage_line(*again), line);
  EXPECT_EQ(again->quantity, std::uint64_t{1} << 62U);
  EXPECT_EQ(again->end - again->start, 60 * kNsPerSecond);
  EXPECT_EQ(again->event_table, record.event_table);
  EXPECT_FALSE(again->rel_err_ppm);
  EXPECT_EQ(again->resource, record.resource);
}

TEST(UsageRecord, has_the_fields_of_the_contract_and_its_quantity_as_text) {
  const Json event = samples::usage_json();
  EXPECT_EQ(event.at("specversion"), "1.0");
  EXPECT_EQ(event.at("type"), "bops.usage.v1");
  EXPECT_EQ(event.at("time"), event.at("data").at("start"));
  EXPECT_EQ(event.at("data").at("quantity"), "1000");
  for (const char* field : {"meter", "unit", "def", "quantity", "start", "end", "mono_ns", "method",
                            "coverage_ppm", "rel_err_ppm", "integrity", "event_table",
                            "calibration", "tenant_source", "resource", "attrs", "seq", "prev"})
    EXPECT_TRUE(event.at("data").contains(field)) << field;
}

TEST(UsageRecord, lacking_a_field_is_refused_with_its_name) {
  for (const char* field : {"specversion", "type", "source", "id", "subject", "time", "data"})
    EXPECT_NE(refusal([&](Json& event) { event.erase(field); }).find(field), std::string::npos)
        << field;
  for (const char* field : {"meter", "unit", "def", "quantity", "start", "end", "mono_ns", "method",
                            "coverage_ppm", "integrity", "tenant_source", "seq", "prev"})
    EXPECT_NE(refusal([&](Json& event) { event["data"].erase(field); }).find(field),
              std::string::npos)
        << field;
}

TEST(UsageRecord, with_an_unknown_error_bound_or_without_files_is_read) {
  for (const char* field : {"rel_err_ppm", "event_table", "calibration", "resource", "attrs"})
    EXPECT_EQ(refusal([&](Json& event) { event["data"].erase(field); }), "") << field;
}

TEST(UsageRecord, with_a_bad_quantity_is_refused) {
  for (const Json& wrong :
       std::vector<Json>{"-1", "-0", "", "1.5", "1e3", "0x10", "007", " 1", "1 ",
                         "4611686018427387905", "99999999999999999999", 1000, nullptr})
    EXPECT_NE(
        refusal([&](Json& event) { event["data"]["quantity"] = wrong; }).find("data.quantity"),
        std::string::npos)
        << wrong;
  EXPECT_EQ(refusal([&](Json& event) { event["data"]["quantity"] = "0"; }), "");
}

TEST(UsageRecord, with_a_field_that_is_no_such_thing_is_refused) {
  const auto in_data = [](const char* field, const Json& value) {
    return refusal([&](Json& event) { event["data"][field] = value; });
  };
  EXPECT_NE(in_data("meter", "flops").find("meter"), std::string::npos);
  EXPECT_NE(in_data("meter", "gpu_").find("meter"), std::string::npos);
  EXPECT_NE(in_data("meter", "work_Über").find("meter"), std::string::npos);
  EXPECT_NE(in_data("method", "guessed").find("method"), std::string::npos);
  EXPECT_NE(in_data("integrity", "high").find("integrity"), std::string::npos);
  EXPECT_NE(in_data("tenant_source", "").find("tenant_source"), std::string::npos);
  EXPECT_NE(in_data("coverage_ppm", 1'000'001).find("coverage_ppm"), std::string::npos);
  EXPECT_NE(in_data("coverage_ppm", 0.5).find("coverage_ppm"), std::string::npos);
  EXPECT_NE(in_data("rel_err_ppm", -1).find("rel_err_ppm"), std::string::npos);
  EXPECT_NE(in_data("mono_ns", -1).find("mono_ns"), std::string::npos);
  EXPECT_NE(in_data("mono_ns", 1e30).find("mono_ns"), std::string::npos);
  EXPECT_NE(in_data("seq", -1).find("seq"), std::string::npos);
  EXPECT_NE(in_data("prev", std::string(64, 'G')).find("prev"), std::string::npos);
  EXPECT_NE(in_data("def", 0).find("def"), std::string::npos);
  EXPECT_NE(in_data("event_table", "skylake.json").find("event_table"), std::string::npos);
  EXPECT_NE(in_data("resource", 1).find("resource"), std::string::npos);
  EXPECT_NE(in_data("start", "yesterday").find("start"), std::string::npos);
}

TEST(UsageRecord, straddling_an_hour_or_ending_before_it_starts_is_refused) {
  const auto between = [](const char* start, const char* end) {
    return refusal([&](Json& event) {
      event["time"] = event["data"]["start"] = start;
      event["data"]["end"] = end;
    });
  };
  EXPECT_EQ(between("2026-11-22T19:59:00Z", "2026-11-22T20:00:00Z"), "") << "half-open";
  EXPECT_NE(between("2026-11-22T19:59:00Z", "2026-11-22T20:00:00.000000001Z"), "");
  EXPECT_NE(between("2026-11-22T19:59:00Z", "2026-11-22T19:58:59Z"), "");
  EXPECT_NE(refusal([](Json& event) { event["time"] = "2026-11-22T19:00:01Z"; }), "")
      << "the time of the event is not the start of its interval";
}

TEST(UsageRecord, of_another_type_or_identity_is_refused) {
  EXPECT_NE(refusal([](Json& event) { event["specversion"] = "0.3"; }), "");
  EXPECT_NE(refusal([](Json& event) { event["type"] = "bops.usage.v2"; }), "");
  EXPECT_NE(refusal([](Json& event) { event["source"] = std::string(201, 'a'); }), "");
  EXPECT_EQ(refusal([](Json& event) { event["source"] = std::string(200, 'a'); }), "");
  EXPECT_NE(refusal([](Json& event) { event["source"] = "two words"; }), "");
  EXPECT_NE(refusal([](Json& event) { event["id"] = std::string(65, '1'); }), "");
  EXPECT_NE(refusal([](Json& event) { event["id"] = ""; }), "");
  EXPECT_NE(refusal([](Json& event) { event["subject"] = ""; }), "");
  EXPECT_NE(refusal([](Json& event) { event["subject"] = "a\nb"; }), "");
}

TEST(UsageRecord, that_two_readers_could_read_differently_is_refused) {
  const std::string line = samples::usage_json().dump();
  std::string twice = line;
  twice.insert(twice.find("\"quantity\""), "\"quantity\":\"1\",");
  EXPECT_EQ(parse_usage_line(twice).error().message, "\"quantity\" is there twice");
  EXPECT_NE(refusal([](Json& event) { event["subject"] = std::string("a\0b", 3); }), "");
  EXPECT_FALSE(parse_usage_line(line + "x"));
  EXPECT_FALSE(parse_usage_line(line.substr(0, line.size() - 1)));
  std::string garbled = line;
  garbled[garbled.find("acme")] = '\xff';
  EXPECT_FALSE(parse_usage_line(garbled)) << "not UTF-8";
  EXPECT_FALSE(parse_usage_line(std::string(kMaxLineSize + 1, ' ')));
  EXPECT_FALSE(parse_usage_line(std::string(30000, '[')));
  EXPECT_FALSE(parse_usage_line(""));
  EXPECT_FALSE(parse_usage_line("null"));
  std::string same_in_siblings = line;
  same_in_siblings.insert(same_in_siblings.find("\"resource\""), "\"x\":[{\"a\":1},{\"a\":2}],");
  EXPECT_TRUE(parse_usage_line(same_in_siblings)) << "once in each object";
}

TEST(UsageReversal, names_what_it_voids_and_needs_no_amount_of_its_own) {
  const UsageRecord record = samples::usage_record();
  Json event = samples::usage_json();
  event["type"] = "bops.usage.reversal.v1";
  event["id"] = "17";
  EXPECT_FALSE(parse_usage_line(event.dump())) << "of what?";
  event["data"]["reverses"] = {{"source", record.key.source}, {"id", "0"}};
  const auto copied = parse_usage_line(event.dump());
  ASSERT_TRUE(copied) << copied.error().message;
  EXPECT_EQ(copied->reverses, record.key);
  event["data"] = {{"reverses", {{"source", record.key.source}, {"id", "0"}}}};
  const auto bare = parse_usage_line(event.dump());
  ASSERT_TRUE(bare) << bare.error().message;
  EXPECT_TRUE(bare->is_reversal());
  EXPECT_EQ(bare->start, record.start) << "the time of the event";
  EXPECT_EQ(parse_usage_line(usage_line(*bare))->reverses, record.key);
  event["data"]["reverses"]["id"] = "";
  EXPECT_FALSE(parse_usage_line(event.dump()));
}

TEST(UsageRecord, carries_when_it_was_received) {
  Json event = samples::usage_json();
  event["received"] = "2026-11-22T19:01:03Z";
  const auto record = parse_usage_line(event.dump());
  ASSERT_TRUE(record) << record.error().message;
  EXPECT_EQ(record->received, *parse_utc("2026-11-22T19:01:03Z"));
  EXPECT_EQ(parse_usage_line(usage_line(*record))->received, record->received);
}

}  // namespace
}  // namespace bops
