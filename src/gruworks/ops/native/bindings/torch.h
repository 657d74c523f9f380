// Tensors of torch, read and made from C++. DLPack's exchange API gives sizes, strides and addresses without a call of
// Python's; such calls took most of the time of a plain layer at (T, B, I, H) = (1, 1, 64, 64).
#pragma once

#include <nanobind/nanobind.h>

#include <initializer_list>

#include "core/index.h"

namespace gruworks {

namespace nb = nanobind;

using Tuple = nb::typed<nb::tuple, nb::object, nb::ellipsis>;

// A tensor of up to three axes; its memory is another's.
struct View {
  void* data = nullptr;
  Index axes = 0, size[3]{}, stride[3]{};

  // With these sizes and without gaps.
  bool fills(std::initializer_list<Index> shape) const;
};

// Reads a tensor of torch's own classes. False for any other object, for lazy negation, and where the tensor is not on
// the CPU, not strided, of another element type (bytes an element), without memory, or of more than three axes.
bool read(nb::handle tensor, size_t bytes, View& view);

// The same; memory that the tensor shares copy-on-write stays shared.
bool read_shared(nb::handle tensor, size_t bytes, View& view);

// An uninitialized tensor of these sizes, and its address.
nb::object make(size_t bytes, const Index* sizes, Index axes, void*& data);
nb::object make(size_t bytes, std::initializer_list<Index> sizes, void*& data);

// Defines `connect_torch`, which the functions above need.
void bind_torch(nb::module_& module);

}  // namespace gruworks
