// One build of the kernels; compiled once for each instruction set with GRUWORKS_ISA as its name.
#include "gru/backward.h"
#include "core/chance.h"
#include "core/fingerprint.h"
#include "gru/forward.h"
#include "gru/gates.h"
#include "gru/pack.h"
#include "gru/scan.h"

#define GRUWORKS_TEXT(name) GRUWORKS_TEXT_OF(name)
#define GRUWORKS_TEXT_OF(name) #name

namespace gruworks::GRUWORKS_ISA {

template <class T> constexpr Kernels<T> kernels() {
  return {pack<T>, forward<T>, forward_scratch<T>, backward<T>, backward_scratch<T>, gates<T>, gates_backward<T>,
          chance<T>, scan<T>, scan_backward<T>};
}

extern const Build build;
const Build build = {GRUWORKS_TEXT(GRUWORKS_ISA), kRows, fingerprint, kernels<float>(), kernels<double>()};

}  // namespace gruworks::GRUWORKS_ISA
