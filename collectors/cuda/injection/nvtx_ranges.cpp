#include "collectors/cuda/injection/nvtx_ranges.hpp"

#include <nvtx3/nvToolsExt.h>
// Needs those before.
#include <generated_nvtx_meta.h>

#include <algorithm>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "collectors/cuda/wire.hpp"

namespace bops::cuda::injection {
namespace {

constexpr std::size_t kLongestName = 256;
constexpr std::size_t kDeepest = 32;  ///< what is pushed below is counted with its parent
constexpr std::size_t kMostStrings = 65536;

struct Ranges {
  std::vector<std::size_t> ends;  ///< of each range's parent in `path`
  std::size_t beyond = 0;         ///< pushed deeper than kDeepest
  std::string path;
};

/// Names of registered strings by their handles. Leaked, as what may be asked after the end of main
/// is.
struct Strings {
  std::mutex mutex;
  std::unordered_map<nvtxStringHandle_t, std::string> names;
};

Strings& strings() {
  static auto* all = new Strings;
  return *all;
}

thread_local Ranges* mine = nullptr;  ///< null before the thread's first range
thread_local bool over = false;       ///< its thread-local objects are destroyed; it may yet launch

struct End {
  ~End() {
    delete std::exchange(mine, nullptr);
    over = true;
  }
};

void push(std::string name) {
  if (over) return;
  static thread_local const End end;
  if (mine == nullptr) mine = new Ranges;
  if (mine->ends.size() >= kDeepest) {
    ++mine->beyond;
    return;
  }
  std::replace(name.begin(), name.end(), wire::kRangeSeparator, '?');
  if (name.empty()) name = "[unnamed]";
  name.resize(std::min(name.size(), kLongestName));
  mine->ends.push_back(mine->path.size());
  if (!mine->path.empty()) mine->path += wire::kRangeSeparator;
  mine->path += name;
}

void pop() {
  if (mine == nullptr) return;
  if (mine->beyond > 0) {
    --mine->beyond;
  } else if (!mine->ends.empty()) {
    mine->path.resize(mine->ends.back());
    mine->ends.pop_back();
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
  if (event->messageType != NVTX_MESSAGE_TYPE_REGISTERED) return "";
  Strings& all = strings();
  const std::scoped_lock lock(all.mutex);
  const auto name = all.names.find(event->message.registered);
  return name != all.names.end() ? name->second : "";
}

/// `returned`: where CUPTI keeps what the call returned, null if it does not tell.
void keep(const void* returned, std::string name) {
  const auto* const handle = static_cast<const nvtxStringHandle_t*>(returned);
  if (handle == nullptr || *handle == nullptr) return;
  name.resize(std::min(name.size(), kLongestName));
  Strings& all = strings();
  const std::scoped_lock lock(all.mutex);
  if (all.names.size() < kMostStrings) all.names.insert_or_assign(*handle, std::move(name));
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
    case CUPTI_CBID_NVTX_nvtxDomainRegisterStringA: {
      const auto* call = static_cast<const nvtxDomainRegisterStringA_params*>(parameters);
      if (call->string != nullptr) keep(data.functionReturnValue, call->string);
      break;
    }
    case CUPTI_CBID_NVTX_nvtxDomainRegisterStringW: {
      // Of wide characters, whatever the type in that header.
      const auto* call = static_cast<const nvtxDomainRegisterStringW_params*>(parameters);
      keep(data.functionReturnValue, narrow(reinterpret_cast<const wchar_t*>(call->string)));
      break;
    }
    default: break;
  }
}

const std::string& current_ranges() {
  static const auto* none = new std::string;
  return mine != nullptr ? mine->path : *none;
}

}  // namespace bops::cuda::injection
