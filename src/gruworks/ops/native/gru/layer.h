// A layer of the C interface: packed weights of either element type.
#pragma once

#include "gru/recurrence.h"
#include "gruworks.h"

struct gruworks_layer {
  gruworks_type type;
  gruworks::Packing<float> f32;
  gruworks::Packing<double> f64;

  template <class T> gruworks::Packing<T>& packing() {
    if constexpr (sizeof(T) == 4) return f32;
    else return f64;
  }
};
