// The Python module gruworks.ops._native: checks nothing, computes nothing, only hands over.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "cpu.h"

NB_MODULE(_native, module) {
  module.doc() = "Compiled parts of gruworks.ops";
  module.def("instruction_sets", &gruworks::instruction_sets,
             "Instruction sets of this processor that kernels are compiled for, weakest first.");
}
