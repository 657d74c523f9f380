// The kernels for float32, and the build that has both.
#include "gru/kernels.h"

#define GRUWORKS_TEXT(name) GRUWORKS_TEXT_OF(name)
#define GRUWORKS_TEXT_OF(name) #name

namespace gruworks::GRUWORKS_ISA {

const Kernels<float> kernels32 = kernels<float>();

extern const Build build;
const Build build = {GRUWORKS_TEXT(GRUWORKS_ISA), kRows, fingerprint, &kernels32, &kernels64};

}  // namespace gruworks::GRUWORKS_ISA
