// One build of the steps from row-major weights, as kernels.cc is one of the rest.
#include "gru/row_major.h"
#include "gru/row_major_step.h"

namespace gruworks::GRUWORKS_ISA {

template <class T> constexpr RowMajor<T> of_type() {
  return {row_major_forward<T>, row_major_backward<T>};
}

extern const RowMajorBuild row_major_build;
const RowMajorBuild row_major_build = {of_type<float>(), of_type<double>()};

}  // namespace gruworks::GRUWORKS_ISA
