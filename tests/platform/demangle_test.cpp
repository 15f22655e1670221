#include "platform/demangle.hpp"

#include <gtest/gtest.h>

namespace bops {
namespace {

TEST(Demangle, shows_cxx_names_as_they_were_written) {
  EXPECT_EQ(demangled("_ZNSt6vectorIiSaIiEE9push_backERKi"),
            "std::vector<int, std::allocator<int> >::push_back(int const&)");
  EXPECT_EQ(demangled("_Z4workv.constprop.0"), "work() [clone .constprop.0]");
}

TEST(Demangle, drops_the_hash_of_legacy_rust_names_and_undoes_their_escapes) {
  EXPECT_EQ(demangled("_ZN4core3fmt9Formatter3pad17h0123456789abcdefE"),
            "core::fmt::Formatter::pad");
  EXPECT_EQ(demangled("_ZN55_$LT$core..slice..Iter$LT$T$GT$$u20$as$u20$Iterator$GT$4next"
                      "17h0123456789abcdefE"),
            "<core::slice::Iter<T> as Iterator>::next");
  EXPECT_EQ(demangled("_ZN3std4main28_$u7b$$u7b$closure$u7d$$u7d$17h0123456789abcdefE"),
            "std::main::{{closure}}");
}

TEST(Demangle, leaves_what_only_looks_like_rust) {
  EXPECT_EQ(demangled("_ZN4core17h0123456789abcdeXE"), "core::h0123456789abcdeX");
  EXPECT_EQ(demangled("_ZN4core4h012E"), "core::h012");
}

TEST(Demangle, keeps_versions_and_plt_behind_the_name) {
  EXPECT_EQ(demangled("_Znwm@plt"), "operator new(unsigned long)@plt");
  EXPECT_EQ(demangled("_Znwm@@GLIBCXX_3.4"), "operator new(unsigned long)@@GLIBCXX_3.4");
  EXPECT_EQ(demangled("memcpy@plt"), "memcpy@plt");
}

TEST(Demangle, leaves_everything_else_alone) {
  for (const std::string name : {"", "main", "_start", "_RNvC6sample4main", "_Z", "_ZN", "@",
                                 "_Z9x", "_ZN99999999999999999999E", "i"})
    EXPECT_EQ(demangled(name), name);
  const std::string endless = "_ZN" + std::string(1 << 20, '1') + "aE";
  EXPECT_EQ(demangled(endless), endless);
}

}  // namespace
}  // namespace bops
