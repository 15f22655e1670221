// replay CORPUS [MUTATIONS]: runs a fuzzer's function over the files of a folder, then over a fixed
// sequence of mutations of them. The poor man's libFuzzer, for every compiler and every test run.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

// NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Bytes = std::vector<std::uint8_t>;

std::vector<Bytes> read_corpus(const std::string& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    paths.push_back(entry.path());
  }
  std::ranges::sort(paths);  // the order of a directory differs between machines
  std::vector<Bytes> corpus;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    corpus.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return corpus;
}

class Mutator {
 public:
  // A piece of one seed, or now and then the whole, without which a format of parts that refer to
  // each other is never reached; some of its bytes changed, some removed, some of another seed put
  // in.
  Bytes mutate(const std::vector<Bytes>& corpus) {
    const Bytes& seed = corpus[below(corpus.size())];
    constexpr std::size_t kWholeSeedEvery = 8;
    Bytes bytes = below(kWholeSeedEvery) == 0 ? seed : piece(seed);
    for (std::size_t changes = below(4); changes > 0; --changes) change(bytes, corpus);
    return bytes;
  }

 private:
  // Not std::uniform_int_distribution, whose sequence the standard leaves open.
  std::size_t below(std::size_t limit) { return limit == 0 ? 0 : random_() % limit; }

  Bytes piece(const Bytes& seed) {
    constexpr std::size_t kLongest = 48;
    const std::size_t start = below(seed.size());
    const std::size_t size = std::min(seed.size() - start, 1 + below(kLongest));
    const auto first = seed.begin() + static_cast<std::ptrdiff_t>(start);
    return {first, first + static_cast<std::ptrdiff_t>(size)};
  }

  void change(Bytes& bytes, const std::vector<Bytes>& corpus) {
    if (bytes.empty()) return;
    const auto at = bytes.begin() + static_cast<std::ptrdiff_t>(below(bytes.size()));
    switch (below(5)) {
      case 0: *at = static_cast<std::uint8_t>(*at ^ (1U << below(8))); break;
      case 1: *at = static_cast<std::uint8_t>(below(256)); break;
      case 2: bytes.erase(at); break;
      case 3: bytes.insert(at, static_cast<std::uint8_t>(below(256))); break;
      default: {
        const Bytes other = piece(corpus[below(corpus.size())]);
        bytes.insert(at, other.begin(), other.end());
      }
    }
  }

  std::mt19937_64 random_{20240501};
};

int replay(const std::string& folder, unsigned long mutations) {
  const std::vector<Bytes> corpus = read_corpus(folder);
  if (corpus.empty()) {
    std::fprintf(stderr, "no seeds in %s\n", folder.c_str());
    return 1;
  }
  for (const Bytes& bytes : corpus) LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  Mutator mutator;
  for (unsigned long count = 0; count < mutations; ++count) {
    const Bytes bytes = mutator.mutate(corpus);
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  }
  std::printf("%zu seeds and %lu mutations\n", corpus.size(), mutations);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s CORPUS [MUTATIONS]\n", argv[0]);
    return 1;
  }
  try {
    return replay(argv[1], argc > 2 ? std::stoul(argv[2]) : 0);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
