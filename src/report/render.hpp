// What a report format is asked for.
#pragma once

namespace bops {

struct RenderOptions {
  bool per_thread = false;  ///< list the threads, too; formats for programs always do
  bool colour = false;      ///< ANSI escapes; only the text format has any
};

}  // namespace bops
