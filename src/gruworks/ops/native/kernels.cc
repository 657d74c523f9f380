// One build of the kernels; compiled once for each instruction set with GRUWORKS_ISA as its name.
#include "backward.h"
#include "fingerprint.h"
#include "forward.h"
#include "pack.h"

#define GRUWORKS_TEXT(name) GRUWORKS_TEXT_OF(name)
#define GRUWORKS_TEXT_OF(name) #name

namespace gruworks::GRUWORKS_ISA {

// The gates alone, for callers that form both terms themselves ("after"): gi, gh [rows, 3H], h [rows, H].
template <class T> void gates(long rows, long H, const T* gi, const T* gh, const T* h, T* out) {
  constexpr long L = kLanes<T>;
  for (long b = 0; b < rows; ++b, gi += 3 * H, gh += 3 * H, h += H, out += H)
    for (long j = 0; j < H; j += L) {
      const long width = H - j;
      auto sum = [&](long g) { return load_part(gi + g * H + j, width) + load_part(gh + g * H + j, width); };
      const Vec<T> r = sigmoid<T>(sum(0)), z = sigmoid<T>(sum(1));
      const Fraction<T> f =
          tanh_fraction<T>(load_part(gi + 2 * H + j, width) + r * load_part(gh + 2 * H + j, width));
      const Vec<T> n = f.top / f.bottom;
      store_part(out + j, n + z * (load_part(h + j, width) - n), width);
    }
}

template <class T> constexpr Kernels<T> kernels() {
  return {pack<T>, forward<T>, forward_scratch<T>, backward<T>, backward_scratch<T>, gates<T>};
}

extern const Build build;
const Build build = {GRUWORKS_TEXT(GRUWORKS_ISA), kRows, fingerprint, kernels<float>(), kernels<double>()};

}  // namespace gruworks::GRUWORKS_ISA
