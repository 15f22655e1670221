#include "usage/usage_sink.hpp"

namespace bops {

Result<std::unique_ptr<UsageSink>> open_sink(const std::string& target, const std::string& source,
                                             const std::vector<std::string>& second_places) {
  return open_file_sink(target, source, second_places);
}

}  // namespace bops
