// Python module gruworks.ops._native: passes addresses, releases the interpreter lock, calls the kernels.
//
// Shapes, element types and layouts are checked in ops/recurrence.py, where the arrays have names. gruworks.h, through
// which layers and streams are called, checks sizes and missing operands again.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <memory>

#include "bindings/attention_decoder.h"
#include "bindings/ctc.h"
#include "bindings/layer.h"
#include "bindings/quantised.h"
#include "bindings/stack.h"
#include "bindings/torch.h"
#include "core/cpu.h"
#include "core/exact.h"
#include "core/team.h"
#include "gru/recurrence.h"

namespace nb = nanobind;

namespace gruworks {
namespace {

template <class T> struct Session {
  using Input = nb::ndarray<const T, nb::c_contig, nb::device::cpu>;
  gruworks_stream* stream = nullptr;
  size_t sessions, width;

  Session(const Sizes& n, const Four& w, Address state, int threads)
      : sessions(std::get<1>(n)), width(std::get<0>(w) ? std::get<2>(n) : 3 * std::get<3>(n)) {
    const gruworks_weights own = weights(n, w);
    check(gruworks_stream_create(kType<T>, &own, std::get<1>(n), at<void>(state), threads, &stream));
  }
  Session(const Session&) = delete;
  ~Session() { gruworks_stream_free(stream); }

  // False if x does not match the stream; the caller then raises the error.
  bool step(const Input& x) {
    const bool many = x.ndim() == 2 && x.shape(0) == sessions && x.shape(1) == width;
    if (!x.data() || (!many && !(sessions == 1 && x.ndim() == 1 && x.shape(0) == width))) return false;
    check(gruworks_stream_step(stream, x.data()));
    return true;
  }

  bool repeat(const Input& x, Index times) {
    bool fits = true;
    for (Index i = 0; fits && i < times; ++i) fits = step(x);
    return fits;
  }
};

template <class T> void bind_session(nb::module_& module, const char* name) {
  nb::class_<Session<T>>(module, name, "Steps for many sessions; the state is the caller's memory.")
      .def(nb::init<const Sizes&, const Four&, Address, int>())
      .def("step", &Session<T>::step, nb::arg().noconvert())
      .def("repeat", &Session<T>::repeat, nb::arg().noconvert(), nb::arg());
}

template <class T> void bind(nb::module_& module, const char* name, const char* kept) {
  nb::class_<Kept<T>>(module, kept, "Saved values of a plain call.")
      .def("backward", &Kept<T>::backward, nb::arg(), nb::arg().none(), nb::arg().none(), nb::arg(), nb::arg().none(),
           nb::arg().none(), nb::arg().none(), nb::arg().none(), nb::arg().none(), nb::arg(), nb::arg());
  nb::class_<Layer<T>>(module, name, "What is packed for one layer and direction, and its recurrence.")
      .def(nb::init<>())
      .def("plain", &Layer<T>::plain, nb::arg(), nb::arg().none(), nb::arg().none(), nb::arg(), nb::arg().none(),
           nb::arg().none(), nb::arg(), nb::arg(), nb::arg(), nb::arg(), nb::arg(), nb::arg(), nb::arg())
      .def("freeze", &Layer<T>::freeze)
      .def("forward", &Layer<T>::forward)
      .def("backward", &Layer<T>::backward);
}

std::vector<std::string> build_names() {
  std::vector<std::string> names;
  for (const Build* const* b = builds(); *b; ++b) names.emplace_back((*b)->name);
  return names;
}

// Calls part(first, rows) for every thread's rows; few rows stay on one, as in team.h.
template <class Part> void over_rows(Index rows, Index H, int threads, Part&& part) {
  const int n = rows * H < 1 << 16 ? 1 : usable_threads(threads);
  parallel_for(n, n, [&](Index i) { part(rows * i / n, rows * (i + 1) / n - rows * i / n); });
}

template <class T> void gates(Index rows, Index H, Address gi, Address gh, Address h, Address out, int threads) {
  const nb::gil_scoped_release free;
  over_rows(rows, H, threads, [&](Index b, Index n) {
    kernels<T>(build()).gates(n, H, at<T>(gi) + 3 * b * H, at<T>(gh) + 3 * b * H, at<T>(h) + b * H, at<T>(out) + b * H);
  });
}

template <class T>
void gates_backward(Index rows, Index H, Address gi, Address gh, Address h, Address grad, Address d_gi, Address d_gh,
                    Address d_h, int threads) {
  const nb::gil_scoped_release free;
  over_rows(rows, H, threads, [&](Index b, Index n) {
    kernels<T>(build()).gates_backward(n, H, at<T>(gi) + 3 * b * H, at<T>(gh) + 3 * b * H, at<T>(h) + b * H,
                                       at<T>(grad) + b * H, at<T>(d_gi) + 3 * b * H, at<T>(d_gh) + 3 * b * H,
                                       at<T>(d_h) + b * H);
  });
}

// n numbers, each `value` by chance `share`, else 0; the same for the same seed, whatever the threads.
template <class T> void chance(Address to, Index n, double share, double value, uint64_t seed, int threads) {
  const nb::gil_scoped_release free;
  over_rows((n + kBlock - 1) / kBlock, kBlock, threads, [&](Index block, Index count) {
    for (Index b = block; b < block + count; ++b)
      kernels<T>(build()).chance(at<T>(to) + b * kBlock, std::min(kBlock, n - b * kBlock), share,
                                 static_cast<T>(value), seed + 0x9e3779b97f4a7c15u * static_cast<uint64_t>(b));
  });
}

template <class T> void scan(Index steps, Index lanes, const std::array<Address, 4>& in, int threads, int by_steps) {
  Scan<T> s{};
  s.steps = steps, s.lanes = lanes;
  s.log_a = at<const T>(in[0]), s.log_b = at<const T>(in[1]), s.h0 = at<const T>(in[2]), s.states = at<T>(in[3]);
  const nb::gil_scoped_release free;
  run_scan<T>(s, false, threads, by_steps);
}

template <class T>
void scan_backward(Index steps, Index lanes, const std::array<Address, 4>& in, Address grad,
                   const std::array<Address, 3>& out, int threads, int by_steps) {
  Scan<T> s{};
  s.steps = steps, s.lanes = lanes;
  s.log_a = at<const T>(in[0]), s.log_b = at<const T>(in[1]), s.h0 = at<const T>(in[2]), s.states = at<T>(in[3]);
  s.grad = at<const T>(grad);
  s.d_log_a = at<T>(out[0]), s.d_log_b = at<T>(out[1]), s.d_h0 = at<T>(out[2]);
  const nb::gil_scoped_release free;
  run_scan<T>(s, true, threads, by_steps);
}

}  // namespace
}  // namespace gruworks

NB_MODULE(_native, module) {
  using namespace gruworks;
  // A layer that is still referenced when the interpreter exits is not a leak.
  nb::set_leak_warnings(false);
  module.doc() = "Compiled parts of gruworks.ops";
  module.def("instruction_sets", &instruction_sets,
             "Instruction sets of this processor that kernels are compiled for, weakest first.");
  module.def("builds", &build_names, "Builds of the kernels that this processor can run, weakest first.");
  module.def("build", [] { return std::string(build().name); }, "The build in use.");
  module.def("choose_build", [](const std::string& name) { return choose_build(name.c_str()); },
             "Use another build; false where this processor has no such one.");
  module.def("set_exact", [](bool on) { return std::exchange(exact(), on); },
             "Set this thread's exact mode; returns the mode before.");
  module.def("thread_pool", [] { return std::string(pool().name); }, "The pool of threads in use: openmp, or own.");
  module.def("padded", &padded, "H rounded up to whole vectors: what a step saves is 4 times that.");
  module.def("pooled32", &pooled<float>, "An empty float32 tensor of this shape, its memory from the pool.");
  module.def("pooled64", &pooled<double>, "The same in float64.");
  module.def("gates32", &gates<float>);
  module.def("gates64", &gates<double>);
  module.def("gates_backward32", &gates_backward<float>);
  module.def("gates_backward64", &gates_backward<double>);
  module.def("chance32", &chance<float>);
  module.def("chance64", &chance<double>);
  module.def("scan32", &scan<float>);
  module.def("scan64", &scan<double>);
  module.def("scan_backward32", &scan_backward<float>);
  module.def("scan_backward64", &scan_backward<double>);
  bind<float>(module, "Layer32", "Kept32");
  bind<double>(module, "Layer64", "Kept64");
  bind_session<float>(module, "Stream32");
  bind_session<double>(module, "Stream64");
  bind_torch(module);
  bind_ctc(module);
  bind_quantised(module);
  bind_stacks(module);
  bind_decoder(module);
}
