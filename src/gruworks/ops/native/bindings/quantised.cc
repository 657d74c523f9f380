// Python binding of the stream with quantized weights. ops/stream.py has checked shapes and types.
#include "bindings/quantised.h"

#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>

#include "quantised/sequence.h"

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

const float* numbers(Address a) { return reinterpret_cast<const float*>(a); }

struct NarrowLayerCalls {
  NarrowSequence sequence;

  NarrowLayerCalls(const Matrix& x, const Matrix& h, Address b_ih, Address b_hh, Index H, bool before)
      : sequence(matrix(x), matrix(h), numbers(b_ih), numbers(b_hh), H, before) {}

  // Address and strides of steps and rows, of x and of the output.
  using Strided = std::array<Index, 3>;
  void run(Index steps, Index batch, bool reverse, const Strided& x, Address h0, Address lengths, const Strided& output,
           Address final, int threads) const {
    NarrowCall call{steps, batch, reverse, {numbers(x[0]), x[1], x[2]}, numbers(h0),
                    reinterpret_cast<const int64_t*>(lengths),
                    {reinterpret_cast<float*>(output[0]), output[1], output[2]}, reinterpret_cast<float*>(final)};
    nb::gil_scoped_release release;
    sequence.run(call, threads);
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
  nb::class_<NarrowLayerCalls>(module, "NarrowSequence", "Whole sequences with narrow weights.")
      .def(nb::init<const Matrix&, const Matrix&, Address, Address, Index, bool>())
      .def("run", &NarrowLayerCalls::run)
      .def_prop_ro("build", [](const NarrowLayerCalls& s) { return std::string(s.sequence.build()); });
}

}  // namespace gruworks
