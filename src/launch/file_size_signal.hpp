// SIGXFSZ, which ends who writes beyond the limit of file sizes (ulimit -f).
#pragma once

namespace bops {

/// From then on such a write fails with EFBIG in bops, as one to a full disk does with ENOSPC. To
/// be called once, by the first thread.
void ignore_file_size_signal();

/// Puts back the disposition that bops was started with, if it was changed; async-signal-safe, for
/// a forked child.
void restore_file_size_signal();

}  // namespace bops
