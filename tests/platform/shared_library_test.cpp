#include "platform/shared_library.hpp"

#include <gtest/gtest.h>

namespace bops {
namespace {

using Root = double(double);

TEST(SharedLibrary, gives_the_functions_it_is_asked_for) {
  Root* root = nullptr;
  SharedLibrary library("libm.so.6");
  library.find("sqrt", root);
  ASSERT_TRUE(library.complete("libc6"));
  EXPECT_EQ(root(9.0), 3.0);
}

TEST(SharedLibrary, that_is_not_there_names_itself_and_its_package) {
  Root* root = nullptr;
  SharedLibrary library("libm.so.600");
  library.find("sqrt", root);
  const auto complete = library.complete("libc600");
  ASSERT_FALSE(complete);
  EXPECT_EQ(root, nullptr);
  EXPECT_NE(complete.error().message.find("libm.so.600"), std::string::npos);
  EXPECT_NE(complete.error().remedy.find("libc600"), std::string::npos);
}

TEST(SharedLibrary, that_lacks_a_function_says_which) {
  Root* root = nullptr;
  Root* other = nullptr;
  SharedLibrary library("libm.so.6");
  library.find("quartic_root_of_nothing", other).find("sqrt", root);
  const auto complete = library.complete("libc6");
  ASSERT_FALSE(complete);
  EXPECT_NE(complete.error().message.find("quartic_root_of_nothing"), std::string::npos);
}

}  // namespace
}  // namespace bops
