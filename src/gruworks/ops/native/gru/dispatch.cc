// Choice of the kernels' build: the strongest that processor and operating system support, unless another is requested.
#include <cstring>

#include "gru/recurrence.h"
#include "gru/row_major.h"

namespace gruworks {

namespace portable {
extern const Build build;
extern const RowMajorBuild row_major_build;
}
#ifdef GRUWORKS_X86
namespace avx2 {
extern const Build build;
extern const RowMajorBuild row_major_build;
}
namespace avx512 {
extern const Build build;
extern const RowMajorBuild row_major_build;
}
#endif

namespace {

struct Found {
  const Build* list[4] = {&portable::build};  // ends with a null
  const Build* chosen = &portable::build;
  Found() {
#ifdef GRUWORKS_X86
    __builtin_cpu_init();
    int n = 1;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) list[n++] = &avx2::build;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
      list[n++] = &avx512::build;
    chosen = list[n - 1];
#endif
  }
};

Found& found() {
  static Found once;
  return once;
}

}  // namespace

const Build& build() { return *found().chosen; }
const Build* const* builds() { return found().list; }

const RowMajorBuild& row_major() {
#ifdef GRUWORKS_X86
  if (found().chosen == &avx2::build) return avx2::row_major_build;
  if (found().chosen == &avx512::build) return avx512::row_major_build;
#endif
  return portable::row_major_build;
}

bool choose_build(const char* name) {
  for (const Build* const* b = found().list; *b; ++b)
    if (std::strcmp((*b)->name, name) == 0) {
      found().chosen = *b;
      return true;
    }
  return false;
}

}  // namespace gruworks
