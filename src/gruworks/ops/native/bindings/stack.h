#pragma once

#include <nanobind/nanobind.h>

namespace gruworks {
void bind_stacks(nanobind::module_&);
}
