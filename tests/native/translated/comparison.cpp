#include "tests/native/translated/comparison.hpp"

#include <cstring>
#include <iomanip>
#include <sstream>

#include "collectors/exact/native/engine/instruction.hpp"

namespace bops::native {
namespace {

constexpr std::uint64_t kArithmetic = 0x8d5;

std::string hex(std::uint64_t value) {
  std::ostringstream text;
  text << "0x" << std::hex << value;
  return text.str();
}

/// Flags that code from `rip` on certainly reads before it changes them, or that are still there at
/// the end of the case.
std::uint64_t flags_to_be_seen(const Case& of, std::uint64_t rip) {
  std::uint64_t seen = 0, changed = 0;
  std::size_t at = rip - of.data.code;
  while (at < of.code.size()) {
    Decoded decoded;
    if (!decode(std::span(of.code).subspan(at), decoded)) return seen;
    Instruction ours;  // where Zydis leaves out flags
    if (!decode_instruction(of.code.data() + at, of.code.size() - at, ours)) return seen;
    constexpr std::uint64_t kBits[] = {1, 4, 16, 64, 128, 2048};
    const auto* flags = decoded.instruction.cpu_flags;
    // A repetition tests what its own comparisons have set.
    if (!ours.repeated) seen |= flags->tested & ~changed;
    changed |= flags->modified | flags->set_0 | flags->set_1 | flags->undefined;
    for (unsigned i = 0; i < 6; ++i) changed |= (ours.flags_killed >> i & 1) != 0 ? kBits[i] : 0;
    at += decoded.instruction.length;
    const auto category = decoded.instruction.meta.category;
    const bool is_branch = decoded.instruction.meta.branch_type != ZYDIS_BRANCH_TYPE_NONE ||
                           category == ZYDIS_CATEGORY_INTERRUPT || category == ZYDIS_CATEGORY_RET ||
                           category == ZYDIS_CATEGORY_CALL;
    if (is_branch) {
      const bool is_way_out = at == of.code.size() && of.kind != "page end";
      return is_way_out ? seen | (~changed & kArithmetic) : seen;
    }
  }
  return seen;
}

/// What a case of one form leaves undefined. Others define them again.
std::uint64_t undefined_flags(const Case& of) {
  Decoded decoded;
  if (of.kind != "single" || !decode(of.code, decoded)) return 0;
  return decoded.instruction.cpu_flags->undefined;
}

class Differences {
 public:
  void see(const std::string& what, std::uint64_t alone, std::uint64_t under) {
    if (alone == under) return;
    text_ << "  " << what << ": " << hex(alone) << " alone, " << hex(under)
          << " under the engine\n";
  }
  [[nodiscard]] std::string text() const { return text_.str(); }

 private:
  std::ostringstream text_;
};

void see_fault(Differences& differences, const Case& of, const case_fault& alone,
               const case_fault& under, const std::string& which) {
  const auto see = [&](const char* what, std::uint64_t one, std::uint64_t other) {
    differences.see(which + what, one, other);
  };
  see("signal", static_cast<std::uint64_t>(alone.signal), static_cast<std::uint64_t>(under.signal));
  see("code", static_cast<std::uint64_t>(alone.code), static_cast<std::uint64_t>(under.code));
  see("si_addr", alone.address, under.address);
  see("rip", alone.rip, under.rip);
  see("trap", alone.trap, under.trap);
  see("error", alone.error, under.error);
  see("cr2", alone.fault_address, under.fault_address);
  const std::uint64_t seen = ~kArithmetic | flags_to_be_seen(of, alone.rip);
  see("flags", alone.flags & seen, under.flags & seen);
  for (int i = 0; i < 16; ++i)
    see(("register " + std::to_string(i)).c_str(), alone.registers[i], under.registers[i]);
}

}  // namespace

std::vector<case_result> read_results(const std::string& output) {
  std::vector<case_result> results(output.size() / sizeof(case_result));
  std::memcpy(results.data(), output.data(), results.size() * sizeof(case_result));
  return results;
}

std::string difference(const Case& of, const case_result& alone, const case_result& under) {
  Differences differences;
  differences.see("faults", alone.faults, under.faults);
  for (unsigned i = 0; i < CASE_FAULTS && i < alone.faults && i < under.faults; ++i)
    see_fault(differences, of, alone.fault[i], under.fault[i], "fault " + std::to_string(i) + " ");
  for (int i = 0; i < 16; ++i)
    differences.see("register " + std::to_string(i), alone.registers[i], under.registers[i]);
  const std::uint64_t defined = ~(alone.faults == 0 ? undefined_flags(of) : 0);
  differences.see("flags", alone.flags & defined, under.flags & defined);
  differences.see("x87", alone.x87, under.x87);
  differences.see("sse", alone.sse, under.sse);
  differences.see("avx", alone.avx, under.avx);
  differences.see("masks", alone.masks, under.masks);
  differences.see("upper halves", alone.upper_halves, under.upper_halves);
  differences.see("upper registers", alone.upper_registers, under.upper_registers);
  differences.see("memory", alone.memory, under.memory);
  for (int i = 0; i < 4; ++i) {
    differences.see("changed word", alone.changed_address[i], under.changed_address[i]);
    differences.see("its value", alone.changed_value[i], under.changed_value[i]);
  }
  return differences.text();
}

std::string described(const Case& of) {
  std::ostringstream text;
  text << "  " << of.kind << " at " << hex(of.data.code) << "\n";
  ZydisFormatter formatter;
  ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_INTEL);
  for (std::uint32_t i = 0; i < of.data.starts; ++i) {
    const std::size_t at = of.data.start[i];
    if (at >= of.code.size()) break;
    Decoded decoded;
    char line[200] = "?";
    const std::uint64_t pc = of.data.code + at;
    if (decode(std::span(of.code).subspan(at), decoded))
      ZydisFormatterFormatInstruction(&formatter, &decoded.instruction, decoded.operands,
                                      decoded.instruction.operand_count_visible, line, sizeof line,
                                      pc, nullptr);
    text << "    " << hex(pc) << "  " << line << "   ";
    const std::size_t end = i + 1 < of.data.starts ? of.data.start[i + 1] : of.code.size();
    for (std::size_t b = at; b < end && b < of.code.size(); ++b)
      text << ' ' << std::hex << std::setw(2) << std::setfill('0') << unsigned{of.code[b]}
           << std::dec;
    text << '\n';
  }
  for (int i = 0; i < 16; ++i)
    text << (i % 4 == 0 ? "\n    " : "  ") << i << '=' << hex(of.data.registers[i]);
  text << "\n    flags=" << hex(of.data.flags) << " fs=" << hex(of.data.fs_base)
       << " fcw=" << hex(of.data.fcw) << " mxcsr=" << hex(of.data.mxcsr) << '\n';
  return text.str();
}

}  // namespace bops::native
