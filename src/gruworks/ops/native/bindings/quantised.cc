// Python binding of the stream with quantized weights. ops/stream.py has checked shapes and types.
#include "bindings/quantised.h"

#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>

#include "quantised/quantised.h"

namespace nb = nanobind;

namespace gruworks {
namespace {

using Address = uintptr_t;                                // 0: none
using Matrix = std::tuple<int, Address, Address, Index>;   // kind, rows [3H, K], scale [3H], K
using Input = nb::ndarray<const float, nb::c_contig, nb::device::cpu>;

NarrowMatrix matrix(const Matrix& m) {
  if (std::get<0>(m) < 0 || std::get<0>(m) > 3) throw nb::value_error("no such kind of weights");
  return {static_cast<Narrow>(std::get<0>(m)), reinterpret_cast<const void*>(std::get<1>(m)),
          reinterpret_cast<const float*>(std::get<2>(m)), std::get<3>(m)};
}

struct NarrowSession {
  NarrowStream stream;
  size_t sessions;

  NarrowSession(const Matrix& x, const Matrix& h, Address b_ih, Address b_hh, Index H, bool before, Index sessions,
                Address state, int threads)
      : stream(matrix(x), matrix(h), reinterpret_cast<const float*>(b_ih), reinterpret_cast<const float*>(b_hh), H,
               before, sessions, reinterpret_cast<float*>(state), threads),
        sessions(sessions) {}

  // False if x does not match the stream; the caller then raises the error.
  bool step(const Input& x) {
    const size_t width = stream.width();
    const bool many = x.ndim() == 2 && x.shape(0) == sessions && x.shape(1) == width;
    if (!x.data() || (!many && !(sessions == 1 && x.ndim() == 1 && x.shape(0) == width))) return false;
    stream.step(x.data());
    return true;
  }

  bool repeat(const Input& x, Index times) {
    bool fits = true;
    for (Index i = 0; fits && i < times; ++i) fits = step(x);
    return fits;
  }
};

}  // namespace

void bind_quantised(nb::module_& module) {
  module.def("allow_dot_products", &allow_dot_products,
             "Allow or forbid dot products of 8 bits in streams made from now on.");
  nb::class_<NarrowSession>(module, "NarrowStream", "Steps with narrow weights; the state is the caller's memory.")
      .def(nb::init<const Matrix&, const Matrix&, Address, Address, Index, bool, Index, Address, int>())
      .def("step", &NarrowSession::step, nb::arg().noconvert())
      .def("repeat", &NarrowSession::repeat, nb::arg().noconvert(), nb::arg())
      .def_prop_ro("build", [](const NarrowSession& s) { return std::string(s.stream.build()); });
}

}  // namespace gruworks
