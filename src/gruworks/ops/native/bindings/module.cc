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
#include "bindings/quantised.h"
#include "core/cpu.h"
#include "core/pool.h"
#include "core/team.h"
#include "gru/recurrence.h"
#include "gruworks.h"

namespace nb = nanobind;

namespace gruworks {
namespace {

using Address = uintptr_t;  // 0: none
using Strided = std::tuple<Address, Index, Index>;

template <class T> T* at(Address a) { return reinterpret_cast<T*>(a); }
template <class T> constexpr gruworks_type kType = sizeof(T) == 4 ? GRUWORKS_FLOAT32 : GRUWORKS_FLOAT64;

void check(gruworks_status status) {
  if (status == GRUWORKS_OK) return;
  if (status == GRUWORKS_MEMORY) throw std::bad_alloc();
  if (status == GRUWORKS_INVALID) throw nb::value_error(gruworks_message());
  throw std::runtime_error(gruworks_message());
}

using Sizes = std::tuple<Index, Index, Index, Index, bool, bool>;  // T, B, I, H, before, reverse
using Four = std::tuple<Address, Address, Address, Address>;   // w_ih, w_hh, b_ih, b_hh
using Rows = std::tuple<Address, Index>;                        // [B, H] and its stride
using Regular = std::tuple<Rows, Strided, Address, Address>;   // mask, zoneout, gain, input gain
// x, gi, h0, lengths, decay, replacement, regularization
using Inputs = std::tuple<Strided, Strided, Rows, Address, Strided, Rows, Regular>;

gruworks_input in(const Strided& a) { return {at<void>(std::get<0>(a)), std::get<1>(a), std::get<2>(a)}; }
gruworks_input in(const Rows& a) { return {at<void>(std::get<0>(a)), 0, std::get<1>(a)}; }
gruworks_output out(const Strided& a) { return {at<void>(std::get<0>(a)), std::get<1>(a), std::get<2>(a)}; }

gruworks_weights weights(Index I, Index H, bool before, const Four& w) {
  return {I, H, before, at<void>(std::get<0>(w)), at<void>(std::get<1>(w)), at<void>(std::get<2>(w)),
          at<void>(std::get<3>(w))};
}
gruworks_weights weights(const Sizes& n, const Four& w) {
  return weights(std::get<2>(n), std::get<3>(n), std::get<4>(n), w);
}

gruworks_sequence sequence(const Sizes& n, const Inputs& of, const Strided& output, Address final, Address saved,
                           Address states) {
  gruworks_sequence s{};
  s.steps = std::get<0>(n), s.batch = std::get<1>(n), s.reverse = std::get<5>(n);
  const auto& [x, gi, h0, lengths, decay, replacement, regular] = of;
  s.x = in(x), s.projections = in(gi), s.h0 = in(h0), s.lengths = at<int64_t>(lengths);
  s.decay = in(decay), s.replacement = in(replacement);
  s.mask = in(std::get<0>(regular)), s.zoneout = in(std::get<1>(regular));
  s.gain = at<void>(std::get<2>(regular)), s.input_gain = at<void>(std::get<3>(regular));
  s.output = out(output), s.final_state = at<void>(final), s.saved = at<void>(saved), s.states = at<void>(states);
  return s;
}

using LayerPointer = std::shared_ptr<gruworks_layer>;

// Saved values of a plain forward, with x and h0 only, no lengths, no decay. Each tuple and tensor of a call from torch
// costs several microseconds, so addresses are separate arguments and the memory is allocated here.
template <class T> struct Kept {
  LayerPointer layer;
  Index I, H;
  bool before;
  gruworks_sequence of;
  Pooled<T> saved;

  // Addresses of x, h0, output and the weights again: they may have moved. Gradients that are not needed are 0.
  // False if an earlier call has used the saved values.
  bool backward(Address x, Address h0, Address w_ih, Address w_hh, Address b_ih, Address b_hh, Address output,
                Address grad_output, Index grad_t, Index grad_b, Address grad_final, Index grad_final_b, Address grad_x,
                Address grad_h0, Address grad_w_ih, Address grad_w_hh, Address grad_b_ih, Address grad_b_hh,
                int threads) {
    gruworks_sequence s = of;
    const Pooled<T> memory = std::move(saved);
    if (!memory.get()) return false;
    s.saved = memory.get();
    (I ? s.x : s.projections).data = at<void>(x), s.h0.data = at<void>(h0), s.output.data = at<void>(output);
    const gruworks_weights w = weights(I, H, before, {w_ih, w_hh, b_ih, b_hh});
    gruworks_gradient g{};
    g.output = {at<void>(grad_output), grad_t, grad_b};
    g.final_state = {at<void>(grad_final), 0, grad_final_b};
    (I ? g.x : g.projections) = along(grad_x, I ? I : 3 * H);
    g.h0 = at<void>(grad_h0), g.w_ih = at<void>(grad_w_ih), g.w_hh = at<void>(grad_w_hh);
    g.b_ih = at<void>(grad_b_ih), g.b_hh = at<void>(grad_b_hh);
    const nb::gil_scoped_release free;
    check(gruworks_backward(layer.get(), &w, &s, &g, threads));
    return true;
  }

  // Contiguous [T, B, width], or [B, T, width] where the output is so.
  gruworks_output along(Address a, Index width) const {
    const bool batch_first = of.output.b != H;
    return {at<void>(a), batch_first ? width : of.batch * width, batch_first ? of.steps * width : width};
  }
};

template <class T> struct Layer {
  LayerPointer layer;

  Layer() {
    gruworks_layer* made = nullptr;
    check(gruworks_layer_create(kType<T>, &made));
    layer = LayerPointer(made, gruworks_layer_free);
  }

  // I = 0: x holds precomputed input projections.
  static gruworks_sequence plain(Index steps, Index batch, Index I, Index H, bool reverse, bool batch_first, Address x,
                                 Index x_t, Index x_b, Address h0, Index h0_b, Address output, Address final) {
    gruworks_sequence s{};
    s.steps = steps, s.batch = batch, s.reverse = reverse;
    (I ? s.x : s.projections) = gruworks_input{at<void>(x), x_t, x_b};
    s.h0 = {at<void>(h0), 0, h0_b};
    s.output = {at<void>(output), batch_first ? H : batch * H, batch_first ? steps * H : H};
    s.final_state = at<void>(final);
    return s;
  }

  void forward_plain(Index steps, Index batch, Index I, Index H, bool before, bool reverse, bool batch_first, Address x,
                     Index x_t, Index x_b, Address h0, Index h0_b, Address output, Address final, Address w_ih,
                     Address w_hh, Address b_ih, Address b_hh, int threads) {
    const gruworks_sequence s = plain(steps, batch, I, H, reverse, batch_first, x, x_t, x_b, h0, h0_b, output, final);
    const gruworks_weights w = weights(I, H, before, {w_ih, w_hh, b_ih, b_hh});
    const nb::gil_scoped_release free;
    check(gruworks_forward(layer.get(), &w, &s, threads));
  }

  Kept<T> forward_kept(Index steps, Index batch, Index I, Index H, bool before, bool reverse, bool batch_first, Address x,
                       Index x_t, Index x_b, Address h0, Index h0_b, Address output, Address final, Address w_ih,
                       Address w_hh, Address b_ih, Address b_hh, int threads) {
    gruworks_sequence s = plain(steps, batch, I, H, reverse, batch_first, x, x_t, x_b, h0, h0_b, output, final);
    const gruworks_weights w = weights(I, H, before, {w_ih, w_hh, b_ih, b_hh});
    Pooled<T> saved(gruworks_saved_size(steps, batch, H, 0));
    s.saved = saved.get();
    {
      const nb::gil_scoped_release free;
      check(gruworks_forward(layer.get(), &w, &s, threads));
    }
    return {layer, I, H, before, s, std::move(saved)};
  }

  void forward(const Sizes& n, const Four& w, const Inputs& of, const Strided& output, Address final, Address saved,
               Address states, int threads) {
    const gruworks_sequence s = sequence(n, of, output, final, saved, states);
    const gruworks_weights own = weights(n, w);
    const nb::gil_scoped_release free;
    check(gruworks_forward(layer.get(), &own, &s, threads));
  }

  // grads: output, final, x, gi, decay; h0, w_ih, w_hh, b_ih, b_hh, replacement, gain, input gain
  void backward(const Sizes& n, const Four& w, const Inputs& of, const Strided& output, Address saved, Address states,
                const std::tuple<Strided, Rows, Strided, Strided, Strided>& grads,
                const std::array<Address, 8>& flat, int threads) {
    const gruworks_sequence s = sequence(n, of, output, saved, saved, states);
    const gruworks_weights own = weights(n, w);
    gruworks_gradient g{};
    g.output = in(std::get<0>(grads)), g.final_state = in(std::get<1>(grads));
    g.x = out(std::get<2>(grads)), g.projections = out(std::get<3>(grads)), g.decay = out(std::get<4>(grads));
    void** const into[] = {&g.h0, &g.w_ih, &g.w_hh, &g.b_ih, &g.b_hh, &g.replacement, &g.gain, &g.input_gain};
    for (int i = 0; i < 8; ++i) *into[i] = at<void>(flat[i]);
    const nb::gil_scoped_release free;
    check(gruworks_backward(layer.get(), &own, &s, &g, threads));
  }
};

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
  Index n = 1;
  for (const size_t size : shape) n *= static_cast<Index>(size);
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
  bind_ctc(module);
  bind_quantised(module);
  bind_decoder(module);
}
