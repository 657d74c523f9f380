// The kernels for float64.
#include "gru/kernels.h"

namespace gruworks::GRUWORKS_ISA {

const Kernels<double> kernels64 = kernels<double>();

}  // namespace gruworks::GRUWORKS_ISA
