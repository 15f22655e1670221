#include "tests/native/translated/case_writer.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <functional>

#include "tests/native/translated/case_builder.hpp"

namespace bops::native {
namespace {

/// Transfers of control, one kind each.
class Transfers {
 public:
  Transfers(CaseBuilder& builder, Random& random) : builder_(builder), random_(random) {}

  void any() {
    switch (random_() % 12) {
      case 0: return conditional();
      case 1: return jump();
      case 2: return short_loop();
      case 3: return call();
      case 4: return call_indirect();
      case 5: return jump_indirect();
      case 6: return return_to();
      case 7: return go_astray();
      case 8: return lose_the_stack();
      case 9: return far_return();
      case 10: return special();
      default: return save_and_restore();
    }
  }

 private:
  using Bytes = std::vector<std::uint8_t>;

  unsigned below(unsigned limit) { return static_cast<unsigned>(random_() % limit); }

  void conditional() {
    builder_.kind = "jcc";
    builder_.add_forms(below(4));
    const unsigned condition = below(16);
    const std::size_t from = builder_.add_branch(
        below(2) == 0 ? Bytes{static_cast<std::uint8_t>(0x70 | condition)}
                      : Bytes{0x0f, static_cast<std::uint8_t>(0x80 | condition)});
    builder_.add_forms(1 + below(3));
    builder_.land(from);
    builder_.add_forms(below(3));
  }

  void jump() {
    builder_.kind = "jmp";
    builder_.add_forms(below(3));
    const std::size_t from =
        builder_.add_branch({static_cast<std::uint8_t>(below(2) ? 0xe9 : 0xeb)});
    builder_.add_junk();
    builder_.land(from);
    builder_.add_forms(below(4));
  }

  void short_loop() {
    builder_.kind = "loop";
    builder_.keep(1 << 1);
    builder_.registers[1] = below(3) | (below(4) == 0 ? random_() << 32 : 0);
    builder_.add_forms(below(3));
    Bytes opcode;
    if (below(4) == 0) opcode.push_back(0x67);
    opcode.push_back(static_cast<std::uint8_t>(0xe0 + below(4)));
    const std::size_t from = builder_.add_branch(opcode);
    builder_.add_forms(1 + below(2));
    builder_.land(from);
    builder_.add_forms(below(3));
  }

  /// jmp over; routine: forms, ret; over: ...  Returns the routine's offset.
  std::size_t routine() {
    const std::size_t over = builder_.add_branch({0xe9});
    const std::size_t start = builder_.size();
    builder_.keep(1 << 4);
    builder_.writes_memory = false;  // the return address stays as it is
    builder_.add_forms(below(3));
    builder_.writes_memory = true;
    if (below(3) == 0)
      builder_.add(
          {0xc2, static_cast<std::uint8_t>(below(4) * 8), static_cast<std::uint8_t>(below(2))});
    else if (below(4) == 0)
      builder_.add({0xf3, 0xc3});
    else
      builder_.add({0xc3});
    builder_.land(over);
    return start;
  }

  void call() {
    builder_.kind = "call";
    const std::size_t start = routine();
    builder_.add_forms(below(3));
    builder_.add_backwards({0xe8}, start);
    builder_.add_forms(below(3));
  }

  /// An indirect jump (4) or call (2); the target is asked for when the case is finished.
  void indirect(unsigned digit, const std::function<std::uint64_t()>& target) {
    builder_.add_indirect(digit, target);
  }

  void call_indirect() {
    builder_.kind = "indirect call";
    const std::size_t start = routine();
    builder_.add_forms(below(3));
    indirect(2, [&builder = builder_, start] { return builder.address(start); });
    builder_.add_forms(below(3));
  }

  void jump_indirect() {
    builder_.kind = "indirect jmp";
    builder_.add_forms(below(3));
    auto landing = std::make_shared<std::size_t>(0);
    indirect(4, [&builder = builder_, landing] { return builder.address(*landing); });
    builder_.add_junk();
    *landing = builder_.size();
    builder_.add_forms(below(3));
  }

  void return_to() {
    builder_.kind = "ret";
    const unsigned popped = below(3) == 0 ? below(64) * 8 : 0;
    if (popped != 0)
      builder_.add(
          {0xc2, static_cast<std::uint8_t>(popped), static_cast<std::uint8_t>(popped >> 8)});
    else
      builder_.add({0xc3});
    builder_.add_junk();
    builder_.poke(builder_.registers[4], builder_.address(builder_.size()));
    builder_.add_forms(below(4));
  }

  std::uint64_t bad_address() {
    // Canonical ones: others fault at the transfer, under the engine where it leads.
    const std::array<std::uint64_t, 5> bad{
        CASE_HIGH + CASE_DATA - CASE_PAGE, CASE_LOW + CASE_DATA + 0x100,
        CASE_HIGH + CASE_DATA + 0x100, below(16), 0xffffffff80000000 | below(4096)};
    return bad[random_() % bad.size()];
  }

  void go_astray() {
    const std::uint64_t bad = bad_address();
    builder_.kind = "astray";
    builder_.add_forms(below(3));
    const unsigned way = below(3);
    if (way == 0) {
      builder_.registers[4] = builder_.data_address(true) & ~7UL;
      builder_.keep(1 << 4);
      if (builder_.size() == 0) {
        builder_.poke(builder_.registers[4], bad);
        builder_.add({0xc3});
      }
    } else {
      indirect(way == 1 ? 2 : 4, [bad] { return bad; });
    }
    builder_.add_forms(below(3));
  }

  void lose_the_stack() {
    builder_.kind = "no stack";
    const std::array<std::uint64_t, 5> bad{
        0x8000000000000000 | random_() >> 8, CASE_HIGH + CASE_DATA - CASE_PAGE,
        CASE_LOW + CASE_DATA + CASE_WRITABLE + 64 + below(64),  // read-only
        CASE_LOW + CASE_DATA + below(8), CASE_HIGH + CASE_DATA + CASE_WRITABLE + below(8)};
    const unsigned way = below(3);
    const bool returns = way == 2;  // nothing may be readable there
    builder_.registers[4] = bad[random_() % (returns ? 2 : bad.size())];
    builder_.is_stack_lost = true;
    if (way == 0) {
      const std::size_t start = routine();
      builder_.add_backwards({0xe8}, start);
    } else if (way == 1) {
      const std::size_t start = routine();
      indirect(2, [&builder = builder_, start] { return builder.address(start); });
    } else {
      builder_.add({0xc3});
    }
    builder_.add_forms(below(3));
  }

  void far_return() {
    builder_.kind = "far";
    std::uint64_t& rsp = builder_.registers[4];
    rsp &= ~7UL;
    builder_.add_forms(0);
    const bool is_interrupt = below(2) == 0;
    if (is_interrupt)
      builder_.add({0x48, 0xcf});
    else
      builder_.add({0x48, 0xcb});
    builder_.add_junk();
    builder_.poke(rsp, builder_.address(builder_.size()));
    builder_.poke(rsp + 8, 0x33);  // with another selector the engine lets go of the program
    if (is_interrupt) {
      builder_.is_steppable = false;
      builder_.poke(rsp + 16, builder_.random_flags());
      builder_.poke(rsp + 24, builder_.data_address(true) & ~7UL);
      builder_.poke(rsp + 32, 0x2b);
    }
    builder_.add_forms(below(3));
  }

  void special() {
    builder_.kind = "special";
    switch (below(5)) {
      case 0: {  // sched_yield, a call that there is not
        builder_.keep(1 << 0 | 1 << 1 | 1 << 11);
        builder_.registers[0] = below(2) == 0 ? 24 : 5000 + below(1000);
        builder_.add_forms(below(3));
        builder_.add({0x0f, 0x05});
        builder_.untrapped = 1;
        break;
      }
      case 1:
        builder_.add_forms(below(3));
        builder_.add({0xcc});
        break;
      case 2: {  // popf
        builder_.is_steppable = false;
        builder_.poke(builder_.registers[4], builder_.random_flags() | (random_() & ~0xffffffUL));
        if (below(2) == 0)
          builder_.add({0x9d});
        else
          builder_.add({0x66, 0x9d});
        break;
      }
      case 3: {  // interrupts that are faults or traps for users
        constexpr std::array<std::uint8_t, 5> kVectors{3, 4, 0x0e, 0x21, 0xff};
        builder_.is_steppable = false;
        builder_.add_forms(below(3));
        builder_.add({0xcd, kVectors[random_() % kVectors.size()]});
        break;
      }
      default:
        builder_.is_steppable = false;
        builder_.add_forms(below(3));
        builder_.add({0xf1});
        break;
    }
    builder_.add_forms(below(4));
  }

  /// xsave64 [rsi]; forms; xrstor64 [rsi]: what came between is undone.
  void save_and_restore() {
    builder_.kind = "xsave";
    const std::uint64_t place = below(2) == 0 ? CASE_LOW : CASE_HIGH;
    builder_.keep(1 << 6 | 1 << 0 | 1 << 2);
    builder_.registers[6] = place + CASE_DATA + CASE_PAGE;
    builder_.registers[0] = random_() | 0x80000000;
    builder_.poke(builder_.registers[6] + 512, 0);
    builder_.poke(builder_.registers[6] + 520, 0);
    builder_.poke(builder_.registers[6] + 528, 0);
    builder_.writes_memory = false;
    builder_.add({0x48, 0x0f, 0xae, 0x26});
    builder_.add_forms(1 + below(5));
    builder_.add({0x48, 0x0f, 0xae, 0x2e});
    builder_.add_forms(below(3));
  }

  CaseBuilder& builder_;
  Random& random_;
};

/// A block that jumps to its own start, as the engine unrolls it.
void add_loop(CaseBuilder& builder, Random& random) {
  const auto below = [&](unsigned limit) { return static_cast<unsigned>(random() % limit); };
  builder.kind = "self-loop";
  const unsigned trips = 1 + below(40);
  const unsigned body = below(4) == 0 ? below(38) : below(8);
  const bool uses_loop = below(6) == 0;
  const unsigned counter = uses_loop ? 1 : builder.spare_register();
  builder.keep(1U << counter);
  builder.add_forms(below(3));
  const std::size_t start = builder.size();
  builder.add_forms(body);
  builder.registers[counter] = trips;
  const auto high = static_cast<std::uint8_t>(counter >> 3);
  const auto low = static_cast<std::uint8_t>(counter & 7);
  const auto wide = static_cast<std::uint8_t>(0x48 | high);
  const auto both = static_cast<std::uint8_t>(0x48 | high | high << 2);
  const auto direct = static_cast<std::uint8_t>(0xc0 | low);
  if (uses_loop) {
    if (builder.size() - start < 100) builder.add_backwards({0xe2}, start);
    builder.add_forms(below(3));
    return;
  }
  std::uint8_t condition = 5;  // not zero
  switch (below(5)) {
    case 0: builder.add({wide, 0xff, static_cast<std::uint8_t>(0xc8 | low)}); break;
    case 1: builder.add({wide, 0x83, static_cast<std::uint8_t>(0xe8 | low), 1}); break;
    case 2:
      builder.add({wide, 0x83, direct, 0xff});
      condition = 15;
      break;
    case 3:
      builder.add({both, 0x8d, static_cast<std::uint8_t>(0x40 | low << 3 | low), 0xff});
      if (low == 4) builder.give_up();
      builder.add({both, 0x85, static_cast<std::uint8_t>(0xc0 | low << 3 | low)});
      break;
    default:
      builder.registers[counter] = 0;
      builder.add({wide, 0xff, direct});
      builder.add(
          {wide, 0x83, static_cast<std::uint8_t>(0xf8 | low), static_cast<std::uint8_t>(trips)});
      condition = 2;
      break;
  }
  if (builder.size() - start < 120 && below(2) == 0)
    builder.add_backwards({static_cast<std::uint8_t>(0x70 | condition)}, start);
  else
    builder.add_backwards({0x0f, static_cast<std::uint8_t>(0x80 | condition)}, start);
  builder.add_forms(below(4));
}

}  // namespace

void Cases::write(const std::string& path) const {
  case_header header{};
  header.cases = cases.size();
  header.holes = std::min(holes.size(), std::size(header.hole));
  std::copy_n(holes.begin(), header.holes, header.hole);
  const auto page = [](std::uint64_t size) {
    return (size + CASE_PAGE - 1) / CASE_PAGE * CASE_PAGE;
  };
  header.low_offset = page(sizeof header + cases.size() * sizeof(instruction_case));
  header.low_size = page(low.size() + 1);
  header.high_offset = header.low_offset + header.low_size;
  header.high_size = page(high.size() + 1);
  std::string file(header.high_offset + header.high_size, '\0');
  const auto put = [&file](std::uint64_t at, const void* from, std::size_t size) {
    std::copy_n(static_cast<const char*>(from), size,
                file.begin() + static_cast<std::ptrdiff_t>(at));
  };
  put(0, &header, sizeof header);
  for (std::size_t i = 0; i < cases.size(); ++i)
    put(sizeof header + i * sizeof(instruction_case), &cases[i].data, sizeof(instruction_case));
  put(header.low_offset, low.data(), low.size());
  put(header.high_offset, high.data(), high.size());
  std::ofstream(path, std::ios::binary) << file;
}

Cases single_forms(const std::vector<Form>& forms, unsigned rounds, Random& random) {
  Cases cases;
  for (std::size_t i = 0; i < forms.size(); ++i) {
    const unsigned ways = forms[i].has_memory && !forms[i].vector_index ? 4 : 2;
    for (unsigned n = 0; n < rounds * ways; ++n) {
      CaseBuilder builder(cases, forms, random, n % 2 == 1);
      builder.kind = "single";
      builder.is_single = true;
      builder.is_rip_relative = ways == 4 && n % 4 >= 2;
      for (int tries = 0; tries < 30 && !builder.add_form(forms[i]);) ++tries;
      if (builder.size() == 0) continue;
      builder.finish();
      cases.cases.back().form = i;
    }
  }
  return cases;
}

Cases mixed_forms(const std::vector<Form>& forms, unsigned count, Random& random) {
  Cases cases;
  constexpr std::size_t kMaxHoles = 500;
  while (cases.cases.size() < count) {
    CaseBuilder builder(cases, forms, random, random() % 2 == 0);
    const auto choice = random() % 10;
    if (choice < 4) {
      builder.kind = "row";
      builder.add_forms(static_cast<unsigned>(2 + random() % (random() % 4 == 0 ? 60 : 12)));
    } else if (choice < 6) {
      add_loop(builder, random);
    } else if (choice < 9 || cases.holes.size() >= kMaxHoles || random() % 4 != 0) {
      Transfers(builder, random).any();
    } else {
      builder.kind = "page end";
      builder.add_forms(static_cast<unsigned>(1 + random() % 4));
      builder.finish_at_page_end(random() % 2 == 0);
      continue;
    }
    builder.finish();
  }
  return cases;
}

}  // namespace bops::native
