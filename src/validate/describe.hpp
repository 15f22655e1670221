// A validation as people read it, and as programs do.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "model/run_record.hpp"
#include "report/document.hpp"
#include "validate/validation.hpp"

namespace bops::validate {

/// What the reference build shows, and what it does not: said in every report.
inline constexpr std::string_view kShows =
    "The reference build is code in which an instruction is an operation: it shows that the "
    "formula "
    "and the whole chain of counting agree there with what the source asks for.";
inline constexpr std::string_view kDoesNotShow =
    "It does not show that the formula measures the work of production binaries: ordinary builds "
    "fold, vectorise and remove operations, and the claim anywhere shows by how much the formula "
    "misses them.";

/// The whole table, with the rules and the verdicts; `claim` is the one that decides.
[[nodiscard]] Document describe(const Validation& validation, const Rules& rules,
                                const Choices& choices, const Bench& bench,
                                const std::string& claim);

/// Schema bops.validate.v1.
[[nodiscard]] nlohmann::ordered_json to_json(const Validation& validation, const Rules& rules,
                                             const Choices& choices, const Bench& bench,
                                             const std::string& claim, const HostIdentity& host);

}  // namespace bops::validate
