#include <curl/curl.h>

#include <memory>

#include "platform/shared_library.hpp"
#include "usage/work_scraper.hpp"

namespace bops {
namespace {

constexpr std::size_t kMaxBody = std::size_t{16} << 20U;

std::size_t take(char* data, std::size_t size, std::size_t count, void* body) {
  auto* text = static_cast<std::string*>(body);
  if (text->size() + size * count > kMaxBody) return 0;
  text->append(data, size * count);
  return size * count;
}

struct Libcurl {
  decltype(&::curl_easy_init) curl_easy_init = nullptr;
  decltype(&::curl_easy_setopt) curl_easy_setopt = nullptr;
  decltype(&::curl_easy_perform) curl_easy_perform = nullptr;
  decltype(&::curl_easy_strerror) curl_easy_strerror = nullptr;
  decltype(&::curl_easy_cleanup) curl_easy_cleanup = nullptr;
};

Result<Libcurl> load_libcurl() {
  Libcurl curl;
  SharedLibrary library("libcurl.so.4");
  library.find("curl_easy_init", curl.curl_easy_init)
      .find("curl_easy_setopt", curl.curl_easy_setopt)
      .find("curl_easy_perform", curl.curl_easy_perform)
      .find("curl_easy_strerror", curl.curl_easy_strerror)
      .find("curl_easy_cleanup", curl.curl_easy_cleanup);
  if (auto complete = library.complete("libcurl4"); !complete)
    return tl::unexpected(complete.error());
  return curl;
}

}  // namespace

Result<std::string> http_get(const std::string& url, int timeout_ms) {
  static const Result<Libcurl> library = load_libcurl();
  if (!library) return tl::unexpected(library.error());
  const std::unique_ptr<CURL, decltype(&::curl_easy_cleanup)> curl(library->curl_easy_init(),
                                                                   library->curl_easy_cleanup);
  if (!curl) return failure("cannot start an HTTP request");
  const auto set_option = library->curl_easy_setopt;
  std::string body;
  set_option(curl.get(), CURLOPT_URL, url.c_str());
  set_option(curl.get(), CURLOPT_PROTOCOLS_STR, "http");
  set_option(curl.get(), CURLOPT_PROXY, "");
  set_option(curl.get(), CURLOPT_NOSIGNAL, 1L);
  set_option(curl.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(timeout_ms));
  set_option(curl.get(), CURLOPT_FAILONERROR, 1L);
  set_option(curl.get(), CURLOPT_WRITEFUNCTION, take);
  set_option(curl.get(), CURLOPT_WRITEDATA, &body);
  const CURLcode code = library->curl_easy_perform(curl.get());
  if (code != CURLE_OK)
    return failure("cannot read " + url + ": " + library->curl_easy_strerror(code));
  return body;
}

}  // namespace bops
