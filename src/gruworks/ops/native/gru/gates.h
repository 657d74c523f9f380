// Gates and new state from given projections of input and state ("after"): gi, gh [rows, 3H], h [rows, H].
#pragma once

#include "core/simd.h"

namespace gruworks::GRUWORKS_ISA {

template <class T> struct Gates {
  Vec<T> r, z, n, product;  // product: the candidate's gh

  GRUWORKS_INLINE Gates(const T* gi, const T* gh, Index H, Index width) : product(load_part(gh + 2 * H, width)) {
    const auto sum = [&](Index g) { return load_part(gi + g * H, width) + load_part(gh + g * H, width); };
    r = sigmoid<T>(sum(0)), z = sigmoid<T>(sum(1));
    n = tanh_fraction<T>(load_part(gi + 2 * H, width) + r * product).value();
  }
};

template <class T> void gates(Index rows, Index H, const T* gi, const T* gh, const T* h, T* out) {
  for (Index b = 0; b < rows; ++b, gi += 3 * H, gh += 3 * H, h += H, out += H)
    for (Index j = 0; j < H; j += kLanes<T>) {
      const Index width = H - j;
      const Gates<T> g(gi + j, gh + j, H, width);
      store_part(out + j, g.n + g.z * (load_part(h + j, width) - g.n), width);
    }
}

// Gradients of the three operands from the new state's. The gates are recomputed, which is faster than saving them.
template <class T>
void gates_backward(Index rows, Index H, const T* gi, const T* gh, const T* h, const T* grad, T* d_gi, T* d_gh, T* d_h) {
  for (Index b = 0; b < rows; ++b, gi += 3 * H, gh += 3 * H, h += H, grad += H, d_gi += 3 * H, d_gh += 3 * H, d_h += H)
    for (Index j = 0; j < H; j += kLanes<T>) {
      const Index width = H - j;
      const Gates<T> g(gi + j, gh + j, H, width);
      const Vec<T> dh = load_part(grad + j, width), dn = dh * (T(1) - g.z) * (T(1) - g.n * g.n);
      const Vec<T> dr = dn * g.product * g.r * (T(1) - g.r);
      const Vec<T> dz = dh * (load_part(h + j, width) - g.n) * g.z * (T(1) - g.z);
      store_part(d_gi + j, dr, width), store_part(d_gh + j, dr, width);
      store_part(d_gi + H + j, dz, width), store_part(d_gh + H + j, dz, width);
      store_part(d_gi + 2 * H + j, dn, width), store_part(d_gh + 2 * H + j, dn * g.r, width);
      store_part(d_h + j, dh * g.z, width);
    }
}

}  // namespace gruworks::GRUWORKS_ISA
