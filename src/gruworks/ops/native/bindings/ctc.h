#pragma once

#include <nanobind/nanobind.h>

namespace gruworks {

void bind_ctc(nanobind::module_& module);

}  // namespace gruworks
