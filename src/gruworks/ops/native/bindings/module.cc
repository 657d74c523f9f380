// Python module gruworks.ops._native: passes addresses, releases the interpreter lock, calls the kernels.
//
// Shapes, element types and layouts are checked in ops/recurrence.py, where the arrays have names. Invalid sizes and
// missing operands are checked here again.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include "core/cpu.h"
#include "bindings/ctc.h"
#include "bindings/attention_decoder.h"
#include "core/pool.h"
#include "bindings/quantised.h"
#include "gru/recurrence.h"
#include "gru/stream.h"
#include "core/team.h"

namespace nb = nanobind;

namespace gruworks {
namespace {

using Address = uintptr_t;  // 0: none
using Strided = std::tuple<Address, long, long>;

template <class T> Array3<T> array(const Strided& a) {
  return {reinterpret_cast<T*>(std::get<0>(a)), std::get<1>(a), std::get<2>(a)};
}
template <class T> T* at(Address a) { return reinterpret_cast<T*>(a); }

using Sizes = std::tuple<long, long, long, long, bool, bool>;         // T, B, I, H, before, reverse
using Four = std::tuple<Address, Address, Address, Address>;          // w_ih, w_hh, b_ih, b_hh
using Rows = std::tuple<Address, long>;                               // [B, H] and its stride
using Regular = std::tuple<Rows, Strided, Address, Address>;          // mask, zoneout, gain, input gain
// x, gi, h0, lengths, decay, replacement, regularization
using Inputs = std::tuple<Strided, Strided, Rows, Address, Strided, Rows, Regular>;

template <class T> Weights<T> weights(const Sizes& n, const Four& w) {
  return {std::get<2>(n), std::get<3>(n), std::get<4>(n), at<const T>(std::get<0>(w)), at<const T>(std::get<1>(w)),
          at<const T>(std::get<2>(w)), at<const T>(std::get<3>(w))};
}

template <class T>
Sequence<T> sequence(const Sizes& n, const Inputs& in, const Strided& output, Address final, Address saved,
                     Address states) {
  Sequence<T> s{};
  std::tie(s.steps, s.batch, s.I, s.H, s.before, s.reverse) = n;
  const auto& [mask, zoneout, gain, input_gain] = std::get<6>(in);
  s.mask = at<const T>(std::get<0>(mask)), s.mask_b = std::get<1>(mask);
  s.zoneout = array<const T>(zoneout), s.gain = at<const T>(gain), s.input_gain = at<const T>(input_gain);
  s.x = array<const T>(std::get<0>(in)), s.gi = array<const T>(std::get<1>(in));
  s.h0 = at<const T>(std::get<0>(std::get<2>(in))), s.h0_b = std::get<1>(std::get<2>(in));
  s.lengths = at<const int64_t>(std::get<3>(in));
  s.decay = array<const T>(std::get<4>(in));
  s.replacement = at<const T>(std::get<0>(std::get<5>(in))), s.replacement_b = std::get<1>(std::get<5>(in));
  s.output = array<T>(output), s.final = at<T>(final), s.saved = at<T>(saved), s.states = at<T>(states);
  const bool sizes = s.steps >= 0 && s.batch >= 0 && s.I >= 0 && s.H > 0;
  if (!sizes || !s.final || !s.output.data || !s.x.data == !s.gi.data)
    throw nb::value_error("a recurrence needs sizes of at least 0 (H of 1), x or gi, and places for its results");
  if (!s.input_gain != !(s.gain && s.x.data) || (s.mask && s.decay.data))
    throw nb::value_error("layer norm of x's terms and of the state's go together, and a masked state can't decay");
  if (s.gain && s.saved) {  // with the gates [T * B][12Hp], and then [T * B][8]
    const long each = s.steps * s.batch * 4 * padded(s.H);
    s.terms = s.saved + each, s.scales = s.saved + 3 * each;
    if (s.input_gain) s.inputs = s.terms + each;
  }
  for (long b = 0; s.lengths && b < s.batch; ++b)
    if (s.lengths[b] < 0 || s.lengths[b] > s.steps)
      throw nb::value_error("lengths must lie between 0 and the number of steps T");
  return s;
}

// Saved values of a plain forward, with x and h0 only, no lengths, no decay. Each tuple and tensor of a call from torch
// costs several microseconds, so addresses are separate arguments and the memory is allocated here.
template <class T> struct Kept {
  std::shared_ptr<Packing<T>> packing;
  Sequence<T> sequence;
  Pooled<T> saved;

  // Addresses of x, h0, output and the weights again: they may have moved. Gradients that are not needed are 0.
  // False if an earlier call has used the saved values.
  bool backward(Address x, Address h0, Address w_ih, Address w_hh, Address b_ih, Address b_hh, Address output,
                Address grad_output, long grad_t, long grad_b, Address grad_final, long grad_final_b, Address grad_x,
                Address grad_h0, Address grad_w_ih, Address grad_w_hh, Address grad_b_ih, Address grad_b_hh,
                int threads) {
    Sequence<T> s = sequence;
    const Pooled<T> memory = std::move(saved);
    if (!memory.get()) return false;
    s.saved = memory.get();
    (s.x.data ? s.x : s.gi).data = at<const T>(x), s.h0 = at<const T>(h0), s.output.data = at<T>(output);
    const Weights<T> w{s.I, s.H, s.before, at<const T>(w_ih), at<const T>(w_hh), at<const T>(b_ih), at<const T>(b_hh)};
    Gradient<T> g{};
    g.output = {at<const T>(grad_output), grad_t, grad_b};
    g.final = at<const T>(grad_final), g.final_b = grad_final_b;
    (s.x.data ? g.x : g.gi) = along<T>(s, grad_x, s.x.data ? s.I : 3 * s.H);
    g.h0 = at<T>(grad_h0), g.w_ih = at<T>(grad_w_ih), g.w_hh = at<T>(grad_w_hh);
    g.b_ih = at<T>(grad_b_ih), g.b_hh = at<T>(grad_b_hh);
    const nb::gil_scoped_release free;
    run_backward<T>(s, g, w, *packing, threads);
    return true;
  }

  // Contiguous [T, B, width], or [B, T, width] where the output is so.
  template <class U> static Array3<U> along(const Sequence<T>& s, Address a, long width) {
    const bool batch_first = s.output.b != s.H;
    return {at<U>(a), batch_first ? width : s.batch * width, batch_first ? s.steps * width : width};
  }
};

template <class T> struct Layer {
  std::shared_ptr<Packing<T>> packing = std::make_shared<Packing<T>>();

  // I = 0: x holds precomputed input projections.
  static Sequence<T> plain(long steps, long batch, long I, long H, bool before, bool reverse, bool batch_first,
                           Address x, long x_t, long x_b, Address h0, long h0_b, Address output, Address final) {
    Sequence<T> s{};
    s.steps = steps, s.batch = batch, s.I = I, s.H = H, s.before = before, s.reverse = reverse;
    (I ? s.x : s.gi) = Array3<const T>{at<const T>(x), x_t, x_b};
    s.h0 = at<const T>(h0), s.h0_b = h0_b;
    s.output = {at<T>(output), batch_first ? H : batch * H, batch_first ? steps * H : H}, s.final = at<T>(final);
    if (steps < 1 || batch < 1 || I < 0 || H < 1 || !x || !output || !final)
      throw nb::value_error("a plain recurrence needs sizes of at least 1 and places for its results");
    return s;
  }

  void forward_plain(long steps, long batch, long I, long H, bool before, bool reverse, bool batch_first, Address x,
                     long x_t, long x_b, Address h0, long h0_b, Address output, Address final, Address w_ih,
                     Address w_hh, Address b_ih, Address b_hh, int threads) {
    const Sequence<T> s = plain(steps, batch, I, H, before, reverse, batch_first, x, x_t, x_b, h0, h0_b, output, final);
    const nb::gil_scoped_release free;
    run_forward<T>(s, {I, H, before, at<const T>(w_ih), at<const T>(w_hh), at<const T>(b_ih), at<const T>(b_hh)},
                   *packing, threads);
  }

  Kept<T> forward_kept(long steps, long batch, long I, long H, bool before, bool reverse, bool batch_first, Address x,
                       long x_t, long x_b, Address h0, long h0_b, Address output, Address final, Address w_ih,
                       Address w_hh, Address b_ih, Address b_hh, int threads) {
    Sequence<T> s = plain(steps, batch, I, H, before, reverse, batch_first, x, x_t, x_b, h0, h0_b, output, final);
    Pooled<T> saved(steps * batch * 4 * padded(H));
    s.saved = saved.get();
    {
      const nb::gil_scoped_release free;
      run_forward<T>(s, {I, H, before, at<const T>(w_ih), at<const T>(w_hh), at<const T>(b_ih), at<const T>(b_hh)},
                     *packing, threads);
    }
    return {packing, s, std::move(saved)};
  }

  void forward(const Sizes& n, const Four& w, const Inputs& in, const Strided& output, Address final, Address saved,
               Address states, int threads) {
    const Sequence<T> s = sequence<T>(n, in, output, final, saved, states);
    const nb::gil_scoped_release free;
    run_forward<T>(s, weights<T>(n, w), *packing, threads);
  }

  // grads: output, final, x, gi, decay; h0, w_ih, w_hh, b_ih, b_hh, replacement, gain, input gain
  void backward(const Sizes& n, const Four& w, const Inputs& in, const Strided& output, Address saved, Address states,
                const std::tuple<Strided, Rows, Strided, Strided, Strided>& grads,
                const std::array<Address, 8>& flat, int threads) {
    Sequence<T> s = sequence<T>(n, in, output, saved, saved, states);
    if (!saved) throw nb::value_error("the backward needs what the forward saved");
    Gradient<T> g{};
    g.output = array<const T>(std::get<0>(grads));
    g.final = at<const T>(std::get<0>(std::get<1>(grads))), g.final_b = std::get<1>(std::get<1>(grads));
    g.x = array<T>(std::get<2>(grads)), g.gi = array<T>(std::get<3>(grads)), g.decay = array<T>(std::get<4>(grads));
    T** const into[] = {&g.h0, &g.w_ih, &g.w_hh, &g.b_ih, &g.b_hh, &g.replacement, &g.gain, &g.input_gain};
    for (int i = 0; i < 8; ++i) *into[i] = at<T>(flat[i]);
    const nb::gil_scoped_release free;
    run_backward<T>(s, g, weights<T>(n, w), *packing, threads);
  }
};

template <class T> struct Session {
  using Input = nb::ndarray<const T, nb::c_contig, nb::device::cpu>;
  Stream<T> stream;
  size_t sessions, width;

  Session(const Sizes& n, const Four& w, Address state, int threads)
      : stream(weights<T>(n, w), std::get<1>(n), at<T>(state), threads), sessions(std::get<1>(n)),
        width(std::get<0>(w) ? std::get<2>(n) : 3 * std::get<3>(n)) {}

  // False if x does not match the stream; the caller then raises the error.
  bool step(const Input& x) {
    const bool many = x.ndim() == 2 && x.shape(0) == sessions && x.shape(1) == width;
    if (!x.data() || (!many && !(sessions == 1 && x.ndim() == 1 && x.shape(0) == width))) return false;
    stream.step(x.data());
    return true;
  }

  bool repeat(const Input& x, long times) {
    bool fits = true;
    for (long i = 0; fits && i < times; ++i) fits = step(x);
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
  nb::class_<Kept<T>>(module, kept, "What a plain forward kept.").def("backward", &Kept<T>::backward);
  nb::class_<Layer<T>>(module, name, "What is packed for one layer and direction, and its recurrence.")
      .def(nb::init<>())
      .def("forward_plain", &Layer<T>::forward_plain)
      .def("forward_kept", &Layer<T>::forward_kept)
      .def("forward", &Layer<T>::forward)
      .def("backward", &Layer<T>::backward);
}

// A new tensor in memory of the pool, passed to torch by DLPack and released with the tensor's storage.
template <class T> nb::ndarray<nb::pytorch, T> pooled(const std::vector<size_t>& shape) {
  long n = 1;
  for (const size_t size : shape) n *= static_cast<long>(size);
  auto* const memory = new Pooled<T>(n);
  const nb::capsule owner(memory, [](void* p) noexcept { delete static_cast<Pooled<T>*>(p); });
  return {memory->get(), shape.size(), shape.data(), owner};
}

std::vector<std::string> build_names() {
  std::vector<std::string> names;
  for (const Build* const* b = builds(); *b; ++b) names.emplace_back((*b)->name);
  return names;
}

// Calls part(first, rows) for every thread's rows; few rows stay on one, as in team.h.
template <class Part> void over_rows(long rows, long H, int threads, Part&& part) {
  const int n = rows * H < 1 << 16 ? 1 : usable_threads(threads);
#pragma omp parallel for schedule(static) num_threads(n) if (n > 1)
  for (int i = 0; i < n; ++i) part(rows * i / n, rows * (i + 1) / n - rows * i / n);
}

template <class T> void gates(long rows, long H, Address gi, Address gh, Address h, Address out, int threads) {
  const nb::gil_scoped_release free;
  over_rows(rows, H, threads, [&](long b, long n) {
    kernels<T>(build()).gates(n, H, at<T>(gi) + 3 * b * H, at<T>(gh) + 3 * b * H, at<T>(h) + b * H, at<T>(out) + b * H);
  });
}

template <class T>
void gates_backward(long rows, long H, Address gi, Address gh, Address h, Address grad, Address d_gi, Address d_gh,
                    Address d_h, int threads) {
  const nb::gil_scoped_release free;
  over_rows(rows, H, threads, [&](long b, long n) {
    kernels<T>(build()).gates_backward(n, H, at<T>(gi) + 3 * b * H, at<T>(gh) + 3 * b * H, at<T>(h) + b * H,
                                       at<T>(grad) + b * H, at<T>(d_gi) + 3 * b * H, at<T>(d_gh) + 3 * b * H,
                                       at<T>(d_h) + b * H);
  });
}

// n numbers, each `value` by chance `share`, else 0; the same for the same seed, whatever the threads.
template <class T> void chance(Address to, long n, double share, double value, uint64_t seed, int threads) {
  const nb::gil_scoped_release free;
  over_rows((n + kBlock - 1) / kBlock, kBlock, threads, [&](long block, long count) {
    for (long b = block; b < block + count; ++b)
      kernels<T>(build()).chance(at<T>(to) + b * kBlock, std::min(kBlock, n - b * kBlock), share,
                                 static_cast<T>(value), seed + 0x9e3779b97f4a7c15u * static_cast<uint64_t>(b));
  });
}

template <class T> void scan(long steps, long lanes, const std::array<Address, 4>& in, int threads, int by_steps) {
  Scan<T> s{};
  s.steps = steps, s.lanes = lanes;
  s.log_a = at<const T>(in[0]), s.log_b = at<const T>(in[1]), s.h0 = at<const T>(in[2]), s.states = at<T>(in[3]);
  const nb::gil_scoped_release free;
  run_scan<T>(s, false, threads, by_steps);
}

template <class T>
void scan_backward(long steps, long lanes, const std::array<Address, 4>& in, Address grad,
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
  bind_ctc(module);
  bind_quantised(module);
  bind_decoder(module);
}
