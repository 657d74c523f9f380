// One build of the steps with narrow weights, as kernels.cc is one of the rest; "avx512vnni" is built of this alone.
#include "narrow_step.h"

#define GRUWORKS_TEXT(name) GRUWORKS_TEXT_OF(name)
#define GRUWORKS_TEXT_OF(name) #name

namespace gruworks::GRUWORKS_ISA {

extern const NarrowKernels narrow;
const NarrowKernels narrow = {GRUWORKS_TEXT(GRUWORKS_ISA), kL, narrow_step, NarrowScratch::size};

}  // namespace gruworks::GRUWORKS_ISA
