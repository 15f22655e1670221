#include "validate/rules.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "report/json_node.hpp"

namespace bops::validate {
namespace {

using Json = nlohmann::ordered_json;

template <class Read>
auto list_of(const JsonNode& array, Read read) {
  std::vector<decltype(read(array))> list;
  for (std::size_t i = 0; i < array.size(); ++i) list.push_back(read(array.element(i)));
  return list;
}

std::vector<std::string> names_of(const JsonNode& array) {
  return list_of(array, [](const JsonNode& name) { return name.text(); });
}

template <class Integer>
std::vector<Integer> integers_of(const JsonNode& array) {
  return list_of(array, [](const JsonNode& number) { return number.integer<Integer>(); });
}

std::string text_or_empty(const JsonNode& node) {
  return node.is_null() ? "" : node.text();
}

Weighting weighting_of(const JsonNode& node) {
  Weighting weighting{node.member("name").text(), text_or_empty(node.member_or_null("why")), {}};
  node.member("weights").for_each_member([&](const std::string& category, const JsonNode& weight) {
    weighting.weights[category] = weight.integer<std::uint32_t>();
  });
  return weighting;
}

BuildRules build_of(const JsonNode& node) {
  return {node.member("name").text(), node.member("style").text(), node.member("flags").text()};
}

KernelRules kernel_of(const JsonNode& node) {
  KernelRules kernel;
  kernel.name = node.member("name").text();
  kernel.group = node.member("group").text();
  kernel.judged = kernel.group != "hold-out";
  kernel.distributions = node.member("distributions").boolean();
  kernel.compound_subscript = node.member("compound_subscript").boolean();
  const JsonNode sizes = node.member("sizes");
  kernel.quick_size = sizes.member("quick").integer<std::int64_t>();
  kernel.full_size = sizes.member("full").integer<std::int64_t>();
  const JsonNode calibrated = sizes.member("calibrated");
  kernel.quick_calibration_size = calibrated.member("quick").integer<std::int64_t>();
  kernel.full_calibration_size = calibrated.member("full").integer<std::int64_t>();
  kernel.skewed_size = calibrated.member("skewed").integer<std::int64_t>();
  kernel.decoded_size = sizes.member("decoded").integer<std::int64_t>();
  kernel.growth = integers_of<std::int64_t>(node.member("growth"));
  return kernel;
}

Profile profile_of(const JsonNode& node) {
  Profile profile{integers_of<std::uint64_t>(node.member("seeds")),
                  names_of(node.member("calibrated_builds")),
                  names_of(node.member("calibrated_kernels"))};
  if (profile.seeds.empty()) node.complain("names no seed");
  return profile;
}

DecodedBuild decoded_of(const JsonNode& node) {
  return {node.member("build").text(), text_or_empty(node.member("rules")),
          node.member("why").text(), text_or_empty(node.member("compound_subscript"))};
}

PaperRow paper_of(const JsonNode& node) {
  PaperRow row;
  row.name = node.member("name").text();
  row.kernel = node.member("kernel").text();
  row.build = node.member("build").text();
  row.rules = node.member("rules").text();
  row.published_gbop = node.member("published_gbop").finite_number();
  row.size = node.member("size").integer<std::int64_t>();
  row.repeats = node.member("repeats").integer<std::uint64_t>();
  row.growth = node.member("growth").text();
  row.why = node.member("why").text();
  return row;
}

Rules rules_of(const JsonNode& root) {
  Rules rules;
  if (root.member("schema").text() != "bops.validation_rules.v1")
    root.member("schema").complain("is not bops.validation_rules.v1");
  rules.version = root.member("version").integer<std::uint64_t>();
  rules.note = root.member("note").text();
  rules.weightings = list_of(root.member("rules"), weighting_of);
  rules.builds = list_of(root.member("builds"), build_of);
  rules.kernels = list_of(root.member("kernels"), kernel_of);
  rules.quick = profile_of(root.member("profiles").member("quick"));
  rules.full = profile_of(root.member("profiles").member("full"));
  rules.rounds = root.member("rounds").member("exact").integer<std::uint32_t>();
  rules.rounds_inexact = root.member("rounds").member("inexact").integer<std::uint32_t>();
  if (rules.rounds == 0 || rules.rounds_inexact == 0) root.member("rounds").complain("holds a 0");
  if (rules.weightings.empty()) root.member("rules").complain("is empty");
  const JsonNode claims = root.member("claims");
  rules.reference_builds = names_of(claims.member("reference").member("builds"));
  rules.distributions = names_of(claims.member("calibrated").member("distributions"));
  rules.threads = integers_of<std::uint64_t>(claims.member("calibrated").member("threads"));
  rules.decoded = list_of(claims.member("decoded").member("builds"), decoded_of);
  rules.paper = list_of(root.member("paper_scale"), paper_of);
  return rules;
}

template <class Read>
auto read_document(std::string_view text, const std::string& path, Read read)
    -> Result<decltype(read(std::declval<JsonNode>()))> {
  const Json document = Json::parse(text, nullptr, false);
  if (document.is_discarded())
    return failure(path + " is not JSON", "write it as share/bops/validation.json is written");
  std::optional<Error> error;
  auto result = read(JsonNode(document, "", error));
  if (error) return failure(path + ": " + error->message, error->remedy);
  return result;
}

}  // namespace

Result<Rules> read_rules(std::string_view text, const std::string& path) {
  return read_document(text, path, rules_of);
}

Result<Weighting> read_weighting(std::string_view text, const std::string& path) {
  return read_document(text, path, weighting_of);
}

const Weighting* find_weighting(const Rules& rules, std::string_view name) {
  for (const Weighting& weighting : rules.weightings)
    if (weighting.name == name) return &weighting;
  return nullptr;
}

const BuildRules* find_build(const Rules& rules, std::string_view name) {
  for (const BuildRules& build : rules.builds)
    if (build.name == name) return &build;
  return nullptr;
}

Result<std::uint64_t> weigh(const Tallies& tallies, const Weighting& weighting) {
  std::uint64_t operations = 0;
  for (const auto& [category, count] : tallies) {
    const auto weight = weighting.weights.find(category);
    if (weight == weighting.weights.end())
      return failure("the rules " + weighting.name + " do not weigh " + category,
                     "give every category that bops-workload count prints a weight, 0 included");
    operations += count * weight->second;
  }
  return operations;
}

}  // namespace bops::validate
