// bops.calibration.v1 (report/schemas/bops.calibration.v1.schema.json).
#include <cmath>
#include <nlohmann/json.hpp>

#include "report/escape.hpp"
#include "report/json.hpp"
#include "report/json_node.hpp"
#include "validate/calibration.hpp"

namespace bops {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kSchema = "bops.calibration.v1";
constexpr const char* kRemedy = "use an unchanged file that bops calibrate wrote";

Json image_json(const CodeImage& image) {
  return {{"path", utf8_text(image.path)}, {"build_id", utf8_text(image.build_id)}};
}

Json range_json(const ShareRange& range) {
  return {{"lowest", range.lowest}, {"highest", range.highest}};
}

CodeImage read_image(const JsonNode& node) {
  return {node.member("path").text(), node.member("build_id").text()};
}

double non_negative(const JsonNode& node) {
  const double number = node.finite_number();
  if (number < 0) node.complain("must not be negative");
  return number;
}

double positive(const JsonNode& node) {
  const double number = node.finite_number();
  if (number <= 0) node.complain("must be positive");
  return number;
}

ShareRange read_range(const JsonNode& node) {
  const ShareRange range{non_negative(node.member("lowest")), non_negative(node.member("highest"))};
  if (range.lowest > range.highest) node.complain("must not have its ends exchanged");
  return range;
}

CpuIdentity read_cpu(const JsonNode& node) {
  return {node.member("vendor").text(), node.member("family").integer<std::uint32_t>(),
          node.member("model").integer<std::uint32_t>(),
          node.member("stepping").integer<std::uint32_t>(), node.member("name").text()};
}

CalibrationFit read_fit(const JsonNode& root) {
  CalibrationFit fit;
  fit.ratio = positive(root.member("ratio"));
  const JsonNode parts = root.member("residual_parts");
  fit.residual = {non_negative(parts.member("repetition")), non_negative(parts.member("inputs")),
                  non_negative(parts.member("course")), non_negative(parts.member("allowance"))};
  const JsonNode total = root.member("residual");
  if (std::abs(total.finite_number() - fit.residual.total()) > 1e-9)
    total.complain("must be the sum of residual_parts");
  const JsonNode inputs = root.member("inputs");
  if (inputs.size() == 0) inputs.complain("must not be empty");
  for (std::size_t index = 0; index < inputs.size(); ++index)
    fit.inputs.push_back({positive(inputs.element(index).member("bops_formula")),
                          positive(inputs.element(index).member("operations"))});
  const JsonNode mix = root.member("mix");
  fit.mix = {read_range(mix.member("loads")), read_range(mix.member("stores")),
             read_range(mix.member("branches")), read_range(mix.member("bops_formula"))};
  const JsonNode range = root.member("bops_formula_range");
  fit.formula_from = range.member("from").integer<std::uint64_t>();
  fit.formula_to = range.member("to").integer<std::uint64_t>();
  return fit;
}

Calibration read_calibration(const JsonNode& root) {
  Calibration calibration;
  if (const JsonNode schema = root.member("schema"); schema.text() != kSchema)
    schema.complain("must be " + std::string(kSchema));
  calibration.tool_version = root.member("tool").member("version").text();
  calibration.created = root.member("created").text();
  calibration.cpu = read_cpu(root.member("host").member("cpu"));
  if (const JsonNode command = root.member("command"); !command.is_null()) {
    calibration.command.emplace();
    for (std::size_t index = 0; index < command.size(); ++index)
      calibration.command->push_back(command.element(index).text());
  }
  const JsonNode executable = root.member("executable");
  calibration.executable = read_image(executable);
  if (calibration.executable.build_id.empty()) executable.complain("must have a build_id");
  const JsonNode libraries = root.member("libraries");
  for (std::size_t index = 0; index < libraries.size(); ++index)
    calibration.libraries.push_back(read_image(libraries.element(index)));
  const JsonNode collectors = root.member("collectors");
  calibration.exact_collector = collectors.member("exact").text();
  calibration.production_collector = collectors.member("production").text();
  calibration.runs = root.member("runs").integer<std::uint32_t>();
  calibration.fit = read_fit(root);
  return calibration;
}

Json command_json(const std::optional<std::vector<std::string>>& command) {
  if (!command) return nullptr;
  Json words = Json::array();
  for (const std::string& word : *command) words.push_back(utf8_text(word));
  return words;
}

void append_fit(Json& document, const CalibrationFit& fit) {
  document["ratio"] = fit.ratio;
  document["residual"] = fit.residual.total();
  document["residual_parts"] = {{"repetition", fit.residual.repetition},
                                {"inputs", fit.residual.inputs},
                                {"course", fit.residual.course},
                                {"allowance", fit.residual.allowance}};
  document["inputs"] = Json::array();
  for (const CalibratedInput& input : fit.inputs)
    document["inputs"].push_back(
        {{"bops_formula", input.bops_formula}, {"operations", input.operations}});
  document["bops_formula_range"] = {{"from", fit.formula_from}, {"to", fit.formula_to}};
  document["mix"] = {{"loads", range_json(fit.mix.loads)},
                     {"stores", range_json(fit.mix.stores)},
                     {"branches", range_json(fit.mix.branches)},
                     {"bops_formula", range_json(fit.mix.formula)}};
}

}  // namespace

std::string render_json(const Calibration& calibration) {
  HostIdentity host;
  host.cpu = calibration.cpu;
  Json document;
  document["schema"] = kSchema;
  document["tool"] = {{"version", utf8_text(calibration.tool_version)}};
  document["created"] = utf8_text(calibration.created);
  document["host"] = {{"cpu", to_json(host)["cpu"]}};
  document["command"] = command_json(calibration.command);
  document["executable"] = image_json(calibration.executable);
  document["libraries"] = Json::array();
  for (const CodeImage& library : calibration.libraries)
    document["libraries"].push_back(image_json(library));
  document["collectors"] = {{"exact", utf8_text(calibration.exact_collector)},
                            {"production", utf8_text(calibration.production_collector)}};
  document["runs"] = calibration.runs;
  append_fit(document, calibration.fit);
  return document.dump(2, ' ', true) + '\n';
}

Result<Calibration> calibration_from_json(std::string_view text) {
  const Json document = Json::parse(text, nullptr, false);
  if (document.is_discarded()) return failure("the calibration is not JSON", kRemedy);
  std::optional<Error> first_error;
  Calibration calibration = read_calibration(JsonNode(document, "", first_error));
  if (first_error) return failure(first_error->message, kRemedy);
  return calibration;
}

}  // namespace bops
