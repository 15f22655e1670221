// The types of a language (plain.hpp, counted.hpp) by short names. Kernels are written in these.
#pragma once

namespace bops::workloads {

template <class L, class T>
using Value = typename L::template Value<T>;

/// A pointer; loop_pointer is one whose comparison is the test of a loop.
template <class L, class T>
using Pointer = typename L::template Pointer<T>;
template <class L, class T>
using LoopPointer = typename L::template LoopPointer<T>;

/// a[i], and a[i][j] over an array of row pointers.
template <class L, class T>
using Array = typename L::template Array<T>;
template <class L, class T>
using Rows = typename L::template Rows<T>;

/// A subscript; LoopIndex is one whose step and comparison are a loop's own.
template <class L>
using Index = typename L::Index;
template <class L>
using LoopIndex = typename L::LoopIndex;

}  // namespace bops::workloads
