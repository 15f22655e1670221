#include "collectors/cuda/injection/nvtx_ranges.hpp"

#include <nvtx3/nvToolsExt.h>
// Needs those before.
#include <generated_nvtx_meta.h>

#include <algorithm>
#include <vector>

#include "collectors/cuda/wire.hpp"

namespace bops::cuda::injection {
namespace {

constexpr std::size_t kLongestName = 256;
constexpr std::size_t kDeepest = 32;  ///< what is pushed below is counted with its parent

struct Ranges {
  std::vector<std::size_t> ends;  ///< of each range's parent in `path`
  std::size_t beyond = 0;         ///< pushed deeper than kDeepest
  std::string path;
};

/// Leaked: the thread may launch while its thread-local objects are destroyed.
Ranges& ranges() {
  static thread_local Ranges* mine = nullptr;
  if (mine == nullptr) mine = new Ranges;
  return *mine;
}

void push(std::string name) {
  Ranges& mine = ranges();
  if (mine.ends.size() >= kDeepest) {
    ++mine.beyond;
    return;
  }
  std::replace(name.begin(), name.end(), wire::kRangeSeparator, '?');
  if (name.empty()) name = "[unnamed]";
  name.resize(std::min(name.size(), kLongestName));
  mine.ends.push_back(mine.path.size());
  if (!mine.path.empty()) mine.path += wire::kRangeSeparator;
  mine.path += name;
}

void pop() {
  Ranges& mine = ranges();
  if (mine.beyond > 0) {
    --mine.beyond;
  } else if (!mine.ends.empty()) {
    mine.path.resize(mine.ends.back());
    mine.ends.pop_back();
  }
}

/// ASCII of a wide name; anything else becomes '?'.
std::string narrow(const wchar_t* text) {
  std::string name;
  for (; text != nullptr && *text != 0; ++text)
    name += *text > 0 && *text < 0x7f ? static_cast<char>(*text) : '?';
  return name;
}

std::string name_of(const nvtxEventAttributes_t* event) {
  if (event == nullptr) return "";
  if (event->messageType == NVTX_MESSAGE_TYPE_ASCII && event->message.ascii != nullptr)
    return event->message.ascii;
  if (event->messageType == NVTX_MESSAGE_TYPE_UNICODE) return narrow(event->message.unicode);
  return "";  // registered strings: only their handle is told here
}

}  // namespace

void note_nvtx(CUpti_CallbackId id, const CUpti_NvtxData& data) {
  const void* parameters = data.functionParams;
  switch (id) {
    case CUPTI_CBID_NVTX_nvtxRangePushA: {
      const char* message = static_cast<const nvtxRangePushA_params*>(parameters)->message;
      push(message != nullptr ? message : "");
      break;
    }
    case CUPTI_CBID_NVTX_nvtxRangePushW:
      push(narrow(static_cast<const nvtxRangePushW_params*>(parameters)->message));
      break;
    case CUPTI_CBID_NVTX_nvtxRangePushEx:
      push(name_of(static_cast<const nvtxRangePushEx_params*>(parameters)->eventAttrib));
      break;
    case CUPTI_CBID_NVTX_nvtxDomainRangePushEx:
      push(name_of(static_cast<const nvtxDomainRangePushEx_params*>(parameters)->core.eventAttrib));
      break;
    case CUPTI_CBID_NVTX_nvtxRangePop:
    case CUPTI_CBID_NVTX_nvtxDomainRangePop: pop(); break;
    default: break;
  }
}

const std::string& current_ranges() {
  return ranges().path;
}

}  // namespace bops::cuda::injection
