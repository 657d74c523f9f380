// One build of the kernels: compiled once for each instruction set and element type, with GRUWORKS_ISA as its name.
#pragma once

#include "core/chance.h"
#include "core/fingerprint.h"
#include "gru/backward.h"
#include "gru/forward.h"
#include "gru/gates.h"
#include "gru/pack.h"
#include "gru/scan.h"

namespace gruworks::GRUWORKS_ISA {

template <class T> constexpr Kernels<T> kernels() {
  return {pack<T>, forward<T>, forward_scratch<T>, small_step<T>, backward<T>, backward_scratch<T>, gates<T>,
          gates_backward<T>, chance<T>, scan<T>, scan_backward<T>};
}

extern const Kernels<double> kernels64;

}  // namespace gruworks::GRUWORKS_ISA
