#include "report/doctor.hpp"

#include <nlohmann/json.hpp>

#include "report/escape.hpp"
#include "report/json.hpp"
#include "report/text.hpp"

namespace bops {
namespace {

using Json = nlohmann::ordered_json;

Json text_or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(utf8_text(text));
}

Json entry_json(const DoctorEntry& entry) {
  Json row = {{"name", utf8_text(entry.info.name)},
              {"title", utf8_text(entry.info.title)},
              {"unit", utf8_text(entry.info.unit)},
              {"scope", utf8_text(entry.info.scope)},
              {"integrity", utf8_text(entry.info.integrity)},
              {"slowdown_class", utf8_text(entry.info.slowdown_class)},
              {"usable", entry.probe.usable},
              {"reason", text_or_null(entry.probe.reason)},
              {"remedy", text_or_null(entry.probe.remedy)},
              {"chosen_by_auto", entry.chosen_by_auto}};
  for (const Limit& limit : entry.limits)
    row["limits"].push_back(
        Json{{"message", utf8_text(limit.message)}, {"remedy", text_or_null(limit.remedy)}});
  return row;
}

/// Adds to the description of a collector what its probe says, below it.
void add_lines(Table& table, std::string_view label, const std::string& text) {
  if (!text.empty()) table.rows.push_back({"", "", std::string(label) + printable(text)});
}

}  // namespace

std::string render_doctor_text(const DoctorReport& report, bool colour) {
  Table table{"Collectors, in the order in which bops prefers them",
              "",
              {{"name", false}, {"can run", false}, {"", false}},
              {}};
  bool any_chosen = false;
  for (const DoctorEntry& entry : report.collectors) {
    const char* usable = entry.probe.usable ? "yes" : "no";
    table.rows.push_back({printable(entry.info.name),
                          entry.chosen_by_auto ? std::string(usable) + ", chosen" : usable,
                          printable(entry.info.title)});
    add_lines(table, entry.probe.usable ? "note: " : "why not: ", entry.probe.reason);
    add_lines(table, "what to do: ", entry.probe.remedy);
    for (const Limit& limit : entry.limits)
      add_lines(table,
                "limit: ", limit.message + (limit.remedy.empty() ? "" : "; " + limit.remedy));
    any_chosen = any_chosen || entry.chosen_by_auto;
  }
  if (!any_chosen) table.note = "None of them can count here.";
  const HostIdentity& host = report.host;
  return "bops " + printable(report.tool_version) + " on " + printable(host.name) + ": " +
         printable(host.cpu.name) + " (" + printable(host.cpu.vendor) + " family " +
         std::to_string(host.cpu.family) + " model " + std::to_string(host.cpu.model) +
         " stepping " + std::to_string(host.cpu.stepping) + "), " + printable(host.kernel) +
         "\n\n" + table_text(table, colour);
}

Json to_json(const DoctorReport& report) {
  Json collectors = Json::array();
  for (const DoctorEntry& entry : report.collectors) collectors.push_back(entry_json(entry));
  Json document;
  document["schema"] = "bops.doctor.v1";
  document["tool"] = {{"version", utf8_text(report.tool_version)}};
  document["host"] = to_json(report.host);
  document["collectors"] = std::move(collectors);
  return document;
}

std::string render_doctor_json(const DoctorReport& report) {
  return to_json(report).dump(2, ' ', true) + '\n';
}

}  // namespace bops
