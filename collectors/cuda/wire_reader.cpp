#include "collectors/cuda/wire_reader.hpp"

#include <cstring>
#include <utility>

#include "collectors/cuda/wire.hpp"

namespace bops::cuda {
namespace {

/// More than any process has: sums of numbers up to it do not overflow.
constexpr std::uint64_t kMostLaunches = std::uint64_t{1} << 40;

/// The fields of one payload, in order. Reading past its end gives nothings and makes it bad.
class Fields {
 public:
  explicit Fields(std::string_view bytes) : rest_(bytes) {}

  template <class Number>
  Number number() {
    Number value{};
    if (rest_.size() < sizeof value) {
      bad_ = true;
      return value;
    }
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_.remove_prefix(sizeof value);
    return value;
  }
  std::string text() {
    const auto size = number<std::uint32_t>();
    if (size > rest_.size()) {
      bad_ = true;
      return {};
    }
    std::string value(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return value;
  }
  std::array<std::uint32_t, 3> sizes() {
    return {number<std::uint32_t>(), number<std::uint32_t>(), number<std::uint32_t>()};
  }
  /// A number of elements that take at least `size` bytes each.
  std::size_t count(std::size_t size) {
    const auto count = number<std::uint32_t>();
    if (count > rest_.size() / size) bad_ = true;
    return bad_ ? 0 : count;
  }
  /// Everything was there, and nothing else.
  [[nodiscard]] bool good() const { return !bad_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool bad_ = false;
};

WireFile::Context* context_of(WireFile& file, std::uint32_t id) {
  for (WireFile::Context& context : file.contexts)
    if (context.id == id) return &context;
  return nullptr;
}

bool take_process(WireFile& file, Fields fields) {
  file.pid = fields.number<std::int32_t>();
  file.ppid = fields.number<std::int32_t>();
  file.start_mono_ns = fields.number<std::uint64_t>();
  file.executable = fields.text();
  return fields.good() && file.pid > 0;
}

bool take_context(WireFile& file, Fields fields) {
  WireFile::Context context;
  context.id = fields.number<std::uint32_t>();
  context.device = fields.number<std::uint32_t>();
  context.name = fields.text();
  context.chip = fields.text();
  context.uuid = fields.text();
  context.passes = fields.number<std::uint64_t>();
  for (std::size_t left = fields.count(sizeof(std::uint32_t)); left > 0; --left)
    context.metrics.push_back(fields.text());
  if (!fields.good() || context_of(file, context.id) != nullptr) return false;
  file.contexts.push_back(std::move(context));
  return true;
}

bool take_counts(WireFile& file, Fields fields) {
  WireFile::Counts counts;
  counts.context = fields.number<std::uint32_t>();
  counts.launches = fields.number<std::uint64_t>();
  counts.grid = fields.sizes();
  counts.block = fields.sizes();
  counts.kernel = fields.text();
  counts.ranges = fields.text();
  counts.graph = fields.number<std::uint32_t>();
  for (std::size_t left = fields.count(sizeof(double)); left > 0; --left)
    counts.values.push_back(fields.number<double>());
  const WireFile::Context* context = context_of(file, counts.context);
  if (!fields.good() || counts.launches > kMostLaunches || context == nullptr ||
      context->metrics.size() != counts.values.size() ||
      (counts.graph != 0 && !file.graphs.contains(counts.graph)))
    return false;
  file.counts.push_back(std::move(counts));
  return true;
}

bool take_graph(WireFile& file, Fields fields) {
  const auto id = fields.number<std::uint32_t>();
  GpuAmounts kernels;
  constexpr std::size_t kLeast = sizeof(std::uint32_t) + sizeof(std::uint64_t);
  for (std::size_t left = fields.count(kLeast); left > 0; --left) {
    const std::string kernel = fields.text();
    const auto times = fields.number<std::uint64_t>();
    if (times > kMostLaunches) return false;
    kernels[kernel] += times;
  }
  return fields.good() && id != 0 && file.graphs.try_emplace(id, std::move(kernels)).second;
}

bool take_launches(WireFile& file, Fields fields) {
  WireFile::Context* context = context_of(file, fields.number<std::uint32_t>());
  const auto launches = fields.number<std::uint64_t>();
  const auto dropped = fields.number<std::uint64_t>();
  if (!fields.good() || launches > kMostLaunches || dropped > kMostLaunches) return false;
  // A context that could not be set up at all has launches, but no record of itself.
  if (context == nullptr) return true;
  context->launches = launches;
  context->dropped = dropped;
  return true;
}

bool take_problem(WireFile& file, Fields fields) {
  WireFile::Problem problem;
  problem.context = fields.number<std::uint32_t>();
  problem.code = fields.number<std::int32_t>();
  problem.call = fields.text();
  problem.name = fields.text();
  problem.more = fields.text();
  if (!fields.good()) return false;
  file.problems.push_back(std::move(problem));
  return true;
}

bool take(WireFile& file, wire::RecordType type, std::string_view payload) {
  const Fields fields(payload);
  switch (type) {
    case wire::RecordType::kProcess: return file.pid == 0 && take_process(file, fields);
    case wire::RecordType::kContext: return take_context(file, fields);
    case wire::RecordType::kCounts: return take_counts(file, fields);
    case wire::RecordType::kLaunches: return take_launches(file, fields);
    case wire::RecordType::kProblem: return take_problem(file, fields);
    case wire::RecordType::kGraph: return take_graph(file, fields);
    case wire::RecordType::kEnd: file.ended = true; return fields.good();
  }
  return false;
}

}  // namespace

const WireFile::Context* WireFile::find_context(std::uint32_t id) const {
  for (const Context& context : contexts)
    if (context.id == id) return &context;
  return nullptr;
}

Result<WireFile> read_wire(std::string_view bytes) {
  const std::string_view magic(wire::kMagic.data(), wire::kMagic.size());
  if (!bytes.starts_with(magic))
    return failure("no counts of a GPU: the file does not begin as bops writes them");
  bytes.remove_prefix(magic.size());
  WireFile file;
  while (!bytes.empty()) {
    wire::RecordHead head{};
    if (bytes.size() < sizeof head) {
      file.cut_short = true;
      break;
    }
    std::memcpy(&head, bytes.data(), sizeof head);
    bytes.remove_prefix(sizeof head);
    if (head.size > wire::kLongestPayload || head.size > bytes.size()) {
      file.cut_short = true;
      break;
    }
    if (!take(file, head.type, bytes.substr(0, head.size))) ++file.malformed;
    bytes.remove_prefix(head.size);
  }
  if (file.pid == 0) return failure("no counts of a GPU: the file names no process");
  return file;
}

}  // namespace bops::cuda
