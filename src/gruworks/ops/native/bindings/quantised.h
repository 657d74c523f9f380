#pragma once

#include <nanobind/nanobind.h>

namespace gruworks {

void bind_quantised(nanobind::module_& module);

}  // namespace gruworks
