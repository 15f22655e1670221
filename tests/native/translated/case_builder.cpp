#include "tests/native/translated/case_builder.hpp"

#include <algorithm>

namespace bops::native {
namespace {

constexpr unsigned kRsp = 4;

/// Bit of a general register of any width; 0 for others.
unsigned register_bit(ZydisRegister reg) {
  const ZydisRegister whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);
  if (whole < ZYDIS_REGISTER_RAX || whole > ZYDIS_REGISTER_R15) return 0;
  return 1U << (whole - ZYDIS_REGISTER_RAX);
}

unsigned lowest(unsigned set) {
  return static_cast<unsigned>(__builtin_ctz(set));
}

/// bt and its kin: their other operand may lead anywhere.
bool has_bit_index(const Decoded& decoded) {
  switch (decoded.instruction.mnemonic) {
    case ZYDIS_MNEMONIC_BT:
    case ZYDIS_MNEMONIC_BTC:
    case ZYDIS_MNEMONIC_BTR:
    case ZYDIS_MNEMONIC_BTS:
      return decoded.operands[0].type == ZYDIS_OPERAND_TYPE_MEMORY &&
             decoded.operands[1].type == ZYDIS_OPERAND_TYPE_REGISTER;
    default: return false;
  }
}

/// Says something else each time, which in a row would hide what comes behind it.
bool tells_the_time(ZydisMnemonic mnemonic) {
  return mnemonic == ZYDIS_MNEMONIC_RDTSC || mnemonic == ZYDIS_MNEMONIC_RDTSCP ||
         mnemonic == ZYDIS_MNEMONIC_RDRAND || mnemonic == ZYDIS_MNEMONIC_RDSEED ||
         mnemonic == ZYDIS_MNEMONIC_RDPMC || mnemonic == ZYDIS_MNEMONIC_RDPRU;
}

/// The kernel may carry it out in the place of the CPU, which then traps no step.
bool may_be_emulated(ZydisMnemonic mnemonic) {
  return mnemonic == ZYDIS_MNEMONIC_SGDT || mnemonic == ZYDIS_MNEMONIC_SIDT ||
         mnemonic == ZYDIS_MNEMONIC_SLDT || mnemonic == ZYDIS_MNEMONIC_SMSW ||
         mnemonic == ZYDIS_MNEMONIC_STR;
}

bool moves_by_itself(const Decoded& decoded) {
  return decoded.instruction.meta.category == ZYDIS_CATEGORY_STRINGOP ||
         decoded.instruction.meta.category == ZYDIS_CATEGORY_PUSH ||
         decoded.instruction.meta.category == ZYDIS_CATEGORY_POP;
}

/// What x87 says of its last instruction lies in the engine's cache, and would be stored.
bool stores_x87_pointer(ZydisMnemonic mnemonic) {
  switch (mnemonic) {
    case ZYDIS_MNEMONIC_FNSTENV:
    case ZYDIS_MNEMONIC_FNSAVE:
    case ZYDIS_MNEMONIC_FXSAVE:
    case ZYDIS_MNEMONIC_FXSAVE64:
    case ZYDIS_MNEMONIC_XSAVE:
    case ZYDIS_MNEMONIC_XSAVE64:
    case ZYDIS_MNEMONIC_XSAVEC:
    case ZYDIS_MNEMONIC_XSAVEC64:
    case ZYDIS_MNEMONIC_XSAVEOPT:
    case ZYDIS_MNEMONIC_XSAVEOPT64: return true;
    default: return false;
  }
}

}  // namespace

CaseBuilder::CaseBuilder(Cases& cases, const std::vector<Form>& forms, Random& random, bool is_high)
    : cases_(cases), forms_(forms), random_(random), is_high_(is_high) {
  image().resize((image().size() + 15) / 16 * 16 + random() % 2 * random() % 16);
  start_ = (is_high_ ? CASE_HIGH : CASE_LOW) + image().size();
  for (std::uint64_t& value : registers) {
    value = random();
    if (random() % 4 == 0) value %= 70;
    if (random() % 8 == 0) value = ~(value % 70);
  }
  constexpr unsigned kUsual = 1U << 6 | 1U << 7;
  unsigned pointers = kUsual | random.below(2) << 3 | random.below(2) << 5;
  for (int i = 0; i < 2; ++i) pointers |= 1U << random.below(16);
  unsigned indexes = (1U << random.below(16) | 1U << random.below(16)) & ~pointers & ~(1U << kRsp);
  pointers_ = static_cast<std::uint16_t>(pointers & ~(1U << kRsp));
  indexes_ = static_cast<std::uint16_t>(indexes);
  for (unsigned i = 0; i < 16; ++i) {
    if ((pointers_ >> i & 1) != 0) registers[i] = data_address(false);
    if ((indexes_ >> i & 1) != 0) registers[i] = random() % 2 * 64 + random() % 2 * (random() % 16);
  }
  registers[kRsp] = data_address(true);
  if (random() % 4 != 0) registers[kRsp] &= ~7UL;
  if (random() % 2 == 0) registers[1] = (indexes_ >> 1 & 1) != 0 ? registers[1] : registers[1] % 40;
  if ((pointers_ >> 1 & 1) != 0) registers[1] = data_address(false);
  fs_base_ = data_address(true);
}

std::uint64_t CaseBuilder::data_address(bool in_the_middle) {
  const std::uint64_t place = (random_() % 2 == 0 ? CASE_LOW : CASE_HIGH) + CASE_DATA;
  if (!in_the_middle && random_() % 12 == 0) {
    const std::array<std::uint64_t, 6> edges{place + CASE_WRITABLE - random_() % 70,
                                             place + CASE_READABLE - random_() % 70,
                                             place + random_() % 16,
                                             place + CASE_PAGE - random_() % 16,
                                             0x4000000000000800 | (CASE_LOW + CASE_DATA),
                                             random_() % 64};
    return edges[random_() % edges.size()];
  }
  const std::uint64_t address = place + 0x800 + random_() % 0x2000;
  return random_() % 3 == 0 ? address : address & ~63UL;
}

std::uint64_t CaseBuilder::random_flags() {
  constexpr std::uint64_t kArithmetic = 0x8d5, kDirection = 0x400, kAlignment = 0x40000,
                          kId = 0x200000;
  std::uint64_t flags = 0x202 | (random_() & kArithmetic);
  if (random_() % 4 == 0) flags |= kDirection;
  if (random_() % 24 == 0) flags |= kAlignment;
  if (random_() % 4 == 0) flags |= kId;
  return flags;
}

bool CaseBuilder::may_stand_here(const Decoded& decoded) const {
  const ZydisDecodedInstruction& instruction = decoded.instruction;
  if (!is_single && (stores_x87_pointer(instruction.mnemonic) || has_bit_index(decoded) ||
                     tells_the_time(instruction.mnemonic)))
    return false;
  unsigned known = pointers_ | 1U << kRsp;
  if (is_stack_lost) known &= ~(1U << kRsp);
  for (const ZydisDecodedOperand& operand : decoded.all()) {
    if (operand.type == ZYDIS_OPERAND_TYPE_MEMORY && operand.mem.type != ZYDIS_MEMOP_TYPE_AGEN) {
      const bool writes = (operand.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0;
      if (writes && !writes_memory) return false;
      const unsigned base = register_bit(operand.mem.base);
      const unsigned index = register_bit(operand.mem.index);
      if (!is_single && (base & ~known) != 0) return false;
      if (!is_single && operand.mem.index != ZYDIS_REGISTER_AL && (index & ~indexes_) != 0)
        return false;
      if (!is_single && operand.mem.type == ZYDIS_MEMOP_TYPE_VSIB) return false;
    }
    // Behind a call, an AMD EPYC (family 19h, model 11h) reads RSP as it was before in vcvtusi2sd.
    if (!is_single && operand.type == ZYDIS_OPERAND_TYPE_REGISTER &&
        instruction.encoding == ZYDIS_INSTRUCTION_ENCODING_EVEX &&
        register_bit(operand.reg.value) == 1U << kRsp)
      return false;
    if (is_single || operand.type != ZYDIS_OPERAND_TYPE_REGISTER ||
        (operand.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) == 0)
      continue;
    const unsigned written = register_bit(operand.reg.value);
    constexpr unsigned kMoving = 1U << 1 | 1U << kRsp | 1U << 6 | 1U << 7;
    const bool is_implicit =
        operand.visibility != ZYDIS_OPERAND_VISIBILITY_EXPLICIT && (written & ~kMoving) == 0;
    const unsigned fixed = pointers_ | indexes_ | kept_ | 1U << kRsp;
    if ((written & fixed) != 0 &&
        !(is_implicit && moves_by_itself(decoded) && (written & kept_) == 0))
      return false;
    if (operand.reg.value == ZYDIS_REGISTER_FS) return false;
  }
  return true;
}

/// Displacements relative to RIP, and registers that an instruction addresses memory by.
void CaseBuilder::aim_at_data(Bytes& bytes, const Decoded& decoded) {
  const auto& raw = decoded.instruction.raw;
  const bool is_memory = (decoded.instruction.attributes & ZYDIS_ATTRIB_HAS_MODRM) != 0;
  if (is_memory && raw.modrm.mod == 0 && raw.modrm.rm == 5 && raw.disp.size == 32) {
    const std::uint64_t place = (is_high_ ? CASE_HIGH : CASE_LOW) + CASE_DATA;
    std::uint64_t target = place + 0x800 + (random_() % 0x2000 & ~63UL);
    if (random_() % 4 == 0) target += random_() % 64;
    if (random_() % 32 == 0) target = place + CASE_READABLE - random_() % 64;
    const std::uint64_t distance = target - (address(code_.size()) + bytes.size());
    for (unsigned i = 0; i < 4; ++i)
      bytes[raw.disp.offset + i] = static_cast<std::uint8_t>(distance >> (8 * i));
  }
  if (!is_single) return;
  if (has_bit_index(decoded))
    registers[lowest(register_bit(decoded.operands[1].reg.value))] %= 4096;
  for (const ZydisDecodedOperand& operand : decoded.all()) {
    if (operand.type != ZYDIS_OPERAND_TYPE_MEMORY) continue;
    const unsigned base = register_bit(operand.mem.base) & ~(1U << kRsp);
    if (base != 0 && (base & pointers_) == 0) {
      pointers_ = static_cast<std::uint16_t>(pointers_ | base);
      registers[lowest(base)] = data_address(false);
    }
    if (operand.mem.type == ZYDIS_MEMOP_TYPE_VSIB) small_vectors_ = true;
  }
}

bool CaseBuilder::add_form(const Form& form) {
  Addressing addressing;
  addressing.bases = static_cast<std::uint16_t>(
      pointers_ | (random_() % 4 == 0 && !is_stack_lost ? 1U << kRsp : 0U));
  addressing.indexes = indexes_;
  addressing.fs = true;
  addressing.rip = is_rip_relative || (!is_single && random_() % 3 == 0);
  Bytes bytes = encode(form, addressing, random_);
  Decoded decoded;
  if (!decode(bytes, decoded) || decoded.instruction.mnemonic != form.mnemonic) return false;
  bytes.resize(decoded.instruction.length);
  if (decoded.instruction.raw.disp.size != 0 &&
      (decoded.instruction.attributes & ZYDIS_ATTRIB_HAS_MODRM) == 0) {
    // mov with an absolute address
    const std::uint64_t target = CASE_LOW + CASE_DATA + random_() % CASE_READABLE;
    for (unsigned i = 0; i < decoded.instruction.raw.disp.size / 8U; ++i)
      bytes[decoded.instruction.raw.disp.offset + i] =
          static_cast<std::uint8_t>(i < 8 ? target >> (8 * i) : 0);
  }
  if (!may_stand_here(decoded)) return false;
  if (may_be_emulated(form.mnemonic)) is_steppable = false;
  aim_at_data(bytes, decoded);
  add(bytes);
  // The engine may use flags that are undefined from here on: nothing may look at them.
  if (!is_single && decoded.instruction.cpu_flags->undefined != 0) add({0x39, 0xd8});  // cmp
  return true;
}

void CaseBuilder::add_forms(unsigned count) {
  for (int tries = 0; count > 0 && tries < 4000; ++tries) {
    if (starts_.size() + 24 > CASE_STARTS) return;
    if (add_form(forms_[random_() % forms_.size()])) --count;
  }
}

void CaseBuilder::add(const Bytes& instruction) {
  starts_.push_back(static_cast<std::uint16_t>(code_.size()));
  code_.insert(code_.end(), instruction.begin(), instruction.end());
}

void CaseBuilder::add_junk() {
  constexpr std::uint8_t kInvalid = 0x06;
  for (auto n = random_() % 20; n > 0; --n) code_.push_back(kInvalid);
}

std::size_t CaseBuilder::add_branch(const Bytes& opcode) {
  add(opcode);
  const std::uint8_t last = opcode.back();
  const bool is_wide = last == 0xe8 || last == 0xe9 || opcode[0] == 0x0f;
  const std::size_t at = code_.size();
  code_.resize(at + (is_wide ? 4 : 1));
  return at;
}

void CaseBuilder::land(std::size_t branch) {
  const bool is_wide = code_[branch - 1] == 0xe8 || code_[branch - 1] == 0xe9 ||
                       (branch >= 2 && code_[branch - 2] == 0x0f && code_[branch - 1] >> 4 == 8);
  const std::size_t distance = code_.size() - branch - (is_wide ? 4 : 1);
  if (!is_wide && distance > 127) give_up();
  for (unsigned i = 0; i < (is_wide ? 4U : 1U); ++i)
    code_[branch + i] = static_cast<std::uint8_t>(distance >> (8 * i));
}

void CaseBuilder::add_backwards(const Bytes& opcode, std::size_t target) {
  const std::size_t at = add_branch(opcode);
  const std::size_t distance = target - code_.size();
  for (std::size_t i = 0; at + i < code_.size(); ++i)
    code_[at + i] = static_cast<std::uint8_t>(distance >> (8 * i));
}

unsigned CaseBuilder::spare_register() {
  const unsigned taken = pointers_ | indexes_ | kept_ | 1U << kRsp;
  for (;;) {
    const unsigned reg = random_.below(16);
    if ((taken >> reg & 1) == 0) return reg;
  }
}

void CaseBuilder::add_indirect(unsigned digit, const std::function<std::uint64_t()>& target) {
  const auto byte = [](std::uint64_t value) { return static_cast<std::uint8_t>(value); };
  const unsigned field = digit << 3;
  const unsigned way = random_.below(6);
  if (way == 0) {  // a register
    const unsigned reg = spare_register();
    if (code_.empty() || (kept_ >> reg & 1) != 0) {
      Bytes bytes;
      if (reg >= 8) bytes.push_back(0x41);
      bytes.push_back(0xff);
      bytes.push_back(byte(0xc0 | field | (reg & 7)));
      add(bytes);
    } else {  // loaded first, since what came before may have changed it
      Bytes load{byte(0x48 | reg >> 3), byte(0xb8 | (reg & 7))};
      load.resize(10);
      const std::size_t at = code_.size() + 2;
      add(load);
      late_.push_back([this, at, target] {
        const std::uint64_t value = target();
        for (unsigned i = 0; i < 8; ++i)
          code_[at + i] = static_cast<std::uint8_t>(value >> (8 * i));
      });
      Bytes bytes;
      if (reg >= 8) bytes.push_back(0x41);
      bytes.push_back(0xff);
      bytes.push_back(byte(0xc0 | field | (reg & 7)));
      add(bytes);
    }
    late_.push_back([this, reg, target] { registers[reg] = target(); });
    return;
  }
  // Memory: nothing before may write where the target is.
  Bytes bytes;
  std::uint64_t place = (is_high_ ? CASE_HIGH : CASE_LOW) + CASE_DATA + 0x400;
  if (random_() % 4 == 0) bytes.push_back(0x3e);
  if (way == 1) {  // relative to RIP; with FS the base is added
    bytes.insert(bytes.end(), {0xff, byte(field | 5), 0, 0, 0, 0});
    const std::uint64_t distance = place - (address(code_.size()) + bytes.size());
    for (unsigned i = 0; i < 4; ++i) bytes[bytes.size() - 4 + i] = byte(distance >> (8 * i));
  } else if (way == 2) {  // through FS
    bytes.assign({0x64, 0xff, byte(field | 4), 0x25, 0x18, 0, 0, 0});
    fs_base_ &= ~7UL;
    place = fs_base_ + 0x18;
  } else if (way == 3 && !is_stack_lost) {
    if (!code_.empty()) give_up();  // which may have moved RSP
    bytes.insert(bytes.end(), {0xff, byte(field | 0x44), 0x24, 0x40});
    place = registers[kRsp] + 0x40;
  } else if (way == 4) {  // absolute
    place = CASE_LOW + CASE_DATA + 0x400;
    bytes.insert(bytes.end(), {0xff, byte(field | 4), 0x25});
    for (unsigned i = 0; i < 4; ++i) bytes.push_back(byte(place >> (8 * i)));
  } else {  // base and index
    const unsigned base = spare_register();
    keep(1U << base);
    const unsigned index = spare_register();
    if (!code_.empty()) give_up();
    keep(1U << index);
    const unsigned scale = random_.below(4);
    registers[base] = data_address(true) & ~7UL;
    registers[index] = random_() % 8 * 8;
    if (random_() % 4 == 0) bytes.push_back(0x67);
    bytes.push_back(byte(0x40 | (base >> 3) | (index >> 3) << 1 | random_() % 2 << 3));
    bytes.insert(bytes.end(), {0xff, byte(field | 0x44),
                               byte(scale << 6 | (index & 7) << 3 | (base & 7)), 0x20});
    place = registers[base] + (registers[index] << scale) + 0x20;
    if (bytes[0] == 0x67 || (bytes.size() > 1 && bytes[1] == 0x67)) place &= 0xffffffff;
  }
  add(bytes);
  late_.push_back([this, place, target] { poke(place, target()); });
}

void CaseBuilder::poke(std::uint64_t place, std::uint64_t value) {
  if (pokes_.size() < CASE_POKES)
    pokes_.push_back({place, value});
  else
    give_up();
}

void CaseBuilder::store() {
  for (const auto& late : late_) late();
  if (is_given_up_) return;
  Case made;
  made.kind = kind;
  made.is_steppable = is_steppable;
  made.untrapped = untrapped;
  made.has_elements = small_vectors_;
  instruction_case& data = made.data;
  data.code = start_;
  std::ranges::copy(registers, data.registers);
  data.flags = random_flags();
  data.fs_base = fs_base_;
  data.seed = random_();
  data.mxcsr = static_cast<std::uint32_t>(0x1f80 | random_() % 4 << 13 | random_() % 2 << 15);
  if (random_() % 8 == 0) data.mxcsr &= ~static_cast<std::uint32_t>(random_() % 64 << 7);
  data.fcw = static_cast<std::uint16_t>(0x7f | random_() % 16 << 8);
  if (random_() % 8 == 0) data.fcw &= static_cast<std::uint16_t>(~(random_() % 64));
  data.vectors = small_vectors_
                     ? static_cast<std::uint8_t>(1 + random_() % 2)
                     : static_cast<std::uint8_t>(random_() % 3 == 0 ? kCaseRandom : kCaseNumbers);
  data.pokes = static_cast<std::uint8_t>(pokes_.size());
  std::ranges::copy(pokes_, data.poke);
  data.starts = static_cast<std::uint32_t>(starts_.size());
  std::ranges::copy(starts_, data.start);
  made.code = code_;
  std::vector<std::uint8_t>& bytes = image();
  bytes.resize(start_ - (is_high_ ? CASE_HIGH : CASE_LOW));
  bytes.insert(bytes.end(), code_.begin(), code_.end());
  cases_.cases.push_back(std::move(made));
}

void CaseBuilder::finish() {
  Bytes way_out{0xff, 0x24, 0x25};
  for (unsigned i = 0; i < 4; ++i)
    way_out.push_back(static_cast<std::uint8_t>(CASE_WAY_OUT >> (8 * i)));
  add(way_out);
  store();
}

void CaseBuilder::finish_at_page_end(bool is_cut) {
  if (code_.empty() || code_.size() >= CASE_PAGE) return;
  if (is_cut && code_.size() - starts_.back() > 1)
    code_.resize(starts_.back() + 1 + random_() % (code_.size() - starts_.back() - 1));
  // The place moves, and what is relative to RIP with it, still into the data.
  const std::uint64_t base = is_high_ ? CASE_HIGH : CASE_LOW;
  const std::uint64_t page = (start_ + code_.size() + CASE_PAGE - 1) / CASE_PAGE * CASE_PAGE;
  start_ = page - code_.size();
  starts_.push_back(static_cast<std::uint16_t>(code_.size()));
  store();
  if (is_given_up_) return;
  cases_.holes.push_back(page);
  image().resize(page + CASE_PAGE - base);
}

}  // namespace bops::native
