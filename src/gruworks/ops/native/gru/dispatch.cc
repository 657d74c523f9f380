// Choice of the kernels' build: the strongest that processor and operating system support, unless another is requested.
#include <cstring>

#include "core/compiler.h"
#include "core/cpu.h"
#include "gru/recurrence.h"
#include "gru/row_major.h"

namespace gruworks {

#define GRUWORKS_BUILD(name)                  \
  namespace name {                            \
  extern const Build build;                   \
  extern const RowMajorBuild row_major_build; \
  }
GRUWORKS_BUILD(GRUWORKS_BASE)
#ifdef GRUWORKS_X86
GRUWORKS_BUILD(avx2)
GRUWORKS_BUILD(avx512)
#endif

namespace {

struct Found {
  const Build* list[4] = {&GRUWORKS_BASE::build};  // ends with a null
  const Build* chosen = &GRUWORKS_BASE::build;
  Found() {
#ifdef GRUWORKS_X86
    int n = 1;
    if (supports("avx2") && supports("fma")) list[n++] = &avx2::build;
    if (supports("avx512f") && supports("avx512bw") && supports("avx512dq") && supports("avx512vl"))
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
  return GRUWORKS_BASE::row_major_build;
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
