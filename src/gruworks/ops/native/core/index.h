// Sizes, positions and strides: 64 bits also where `long` has 32.
#pragma once

#include <cstddef>

namespace gruworks {

using Index = std::ptrdiff_t;

}  // namespace gruworks
