#pragma once

#include <nanobind/nanobind.h>

namespace gruworks {

void bind_decoder(nanobind::module_& module);

}  // namespace gruworks
