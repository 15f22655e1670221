// Verifying files of records.
#pragma once

#include <string>
#include <vector>

#include "usage/verify.hpp"

namespace bops {

/// The records of files and directories with the checkpoints beside them, and those of the second
/// places. A directory is taken for all of its records: what a checkpoint in it or, if only
/// directories are given, in a second place says that there was and is not is wrong.
[[nodiscard]] Result<VerifyReport> verify_files(const std::vector<std::string>& paths,
                                                const std::vector<std::string>& second_places,
                                                const TrustedKeys& trusted,
                                                const std::string& expected_source);

/// The records of a ledger with its checkpoints. Lines are numbers of arrival.
[[nodiscard]] Result<VerifyReport> verify_ledger(const std::string& where,
                                                 const std::vector<std::string>& second_places,
                                                 const TrustedKeys& trusted,
                                                 const std::string& expected_source);

/// Adds all checkpoints of a file.
[[nodiscard]] Result<void> add_checkpoints_of(const std::string& file, bool must_have_records,
                                              ChainVerifier& verifier);

}  // namespace bops
