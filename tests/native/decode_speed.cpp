// How long the engine's decoder takes: decode_speed [ELF file], all its code in order, again and
// again for about two seconds. Of each piece the fastest pass counts, as other programs disturb.
#include <algorithm>
#include <chrono>
#include <iostream>
#include <limits>

#include "collectors/exact/native/engine/instruction.hpp"
#include "tests/native/executable_code.hpp"

namespace {

using bops::native::decode_instruction;
using bops::native::Instruction;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kPieceBytes = 32768;

// From an instruction's start to that of the first instruction beyond kPieceBytes.
struct Piece {
  const std::uint8_t* first = nullptr;
  const std::uint8_t* last = nullptr;
  const std::uint8_t* readable_end = nullptr;
  std::uint64_t instructions = 0;
  std::uint64_t unknown = 0;
  double best_ns = std::numeric_limits<double>::infinity();
};

void decode(Piece& piece) {
  Instruction instruction;
  piece.instructions = 0;
  piece.unknown = 0;
  const auto start = Clock::now();
  for (const std::uint8_t* at = piece.first; at < piece.last; ++piece.instructions) {
    const auto available = static_cast<std::size_t>(piece.readable_end - at);
    const bool known = decode_instruction(at, available, instruction);
    piece.unknown += known ? 0 : 1;
    at += known ? instruction.length : 1U;
  }
  const std::chrono::duration<double, std::nano> took = Clock::now() - start;
  piece.best_ns = std::min(piece.best_ns, took.count());
}

// A piece's end is where its last instruction ends, so each starts at an instruction.
std::vector<Piece> cut(const std::vector<std::vector<std::uint8_t>>& sections) {
  std::vector<Piece> pieces;
  Instruction instruction;
  for (const auto& section : sections) {
    const std::uint8_t* at = section.data();
    const std::uint8_t* end = at + section.size();
    while (at < end) {
      Piece piece{.first = at, .readable_end = end};
      while (at < end && at < piece.first + kPieceBytes) {
        const auto available = static_cast<std::size_t>(end - at);
        at += decode_instruction(at, available, instruction) ? instruction.length : 1U;
      }
      piece.last = at;
      pieces.push_back(piece);
    }
  }
  return pieces;
}

}  // namespace

int main(int count, char** arguments) {
  const std::string path = count > 1 ? arguments[1] : "/lib/x86_64-linux-gnu/libc.so.6";
  const auto sections = bops::native::executable_sections(path);
  if (sections.empty()) {
    std::cerr << "decode_speed: no code in " << path << '\n';
    return 1;
  }
  std::vector<Piece> pieces = cut(sections);
  const auto start = Clock::now();
  do {
    for (Piece& piece : pieces) decode(piece);
  } while (Clock::now() - start < std::chrono::seconds(2));
  Piece sum{.best_ns = 0};
  for (const Piece& piece : pieces) {
    sum.instructions += piece.instructions;
    sum.unknown += piece.unknown;
    sum.best_ns += piece.best_ns;
  }
  std::cout << path << ": " << sum.instructions << " instructions, " << sum.unknown << " unknown, "
            << sum.best_ns / static_cast<double>(sum.instructions) << " ns each\n";
  return 0;
}
