// One layer in one direction, as Python calls it: addresses and strides in, gruworks.h behind.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/tuple.h>

#include <memory>
#include <stdexcept>

#include "core/pool.h"
#include "gruworks.h"

namespace gruworks {

namespace nb = nanobind;

using Address = uintptr_t;  // 0: none
using Strided = std::tuple<Address, Index, Index>;

template <class T> T* at(Address a) { return reinterpret_cast<T*>(a); }
template <class T> constexpr gruworks_type kType = sizeof(T) == 4 ? GRUWORKS_FLOAT32 : GRUWORKS_FLOAT64;

inline void check(gruworks_status status) {
  if (status == GRUWORKS_OK) return;
  if (status == GRUWORKS_MEMORY) throw std::bad_alloc();
  if (status == GRUWORKS_INVALID) throw nb::value_error(gruworks_message());
  throw std::runtime_error(gruworks_message());
}

// T, B, I, H, before, reverse, candidate activation, hard gates
using Sizes = std::tuple<Index, Index, Index, Index, bool, bool, int, bool>;
using Four = std::tuple<Address, Address, Address, Address>;   // w_ih, w_hh, b_ih, b_hh
using Rows = std::tuple<Address, Index>;                        // [B, H] and its stride
using Regular = std::tuple<Rows, Strided, Address, Address>;   // mask, zoneout, gain, input gain
// x, gi, h0, lengths, decay, replacement, resets, regularization
using Inputs = std::tuple<Strided, Strided, Rows, Address, Strided, Rows, Strided, Regular>;

inline gruworks_input in(const Strided& a) { return {at<void>(std::get<0>(a)), std::get<1>(a), std::get<2>(a)}; }
inline gruworks_input in(const Rows& a) { return {at<void>(std::get<0>(a)), 0, std::get<1>(a)}; }
inline gruworks_output out(const Strided& a) { return {at<void>(std::get<0>(a)), std::get<1>(a), std::get<2>(a)}; }

inline gruworks_weights weights(Index I, Index H, bool before, const Four& w) {
  return {I, H, before, at<void>(std::get<0>(w)), at<void>(std::get<1>(w)), at<void>(std::get<2>(w)),
          at<void>(std::get<3>(w)), GRUWORKS_TANH, 0};
}
inline gruworks_weights weights(const Sizes& n, const Four& w) {
  gruworks_weights of = weights(std::get<2>(n), std::get<3>(n), std::get<4>(n), w);
  of.candidate_activation = static_cast<gruworks_activation>(std::get<6>(n)), of.hard_gates = std::get<7>(n);
  return of;
}

inline gruworks_sequence sequence(const Sizes& n, const Inputs& of, const Strided& output, Address final, Address saved,
                           Address states) {
  gruworks_sequence s{};
  s.steps = std::get<0>(n), s.batch = std::get<1>(n), s.reverse = std::get<5>(n);
  const auto& [x, gi, h0, lengths, decay, replacement, resets, regular] = of;
  s.x = in(x), s.projections = in(gi), s.h0 = in(h0), s.lengths = at<int64_t>(lengths);
  s.decay = in(decay), s.replacement = in(replacement), s.resets = in(resets);
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

}  // namespace gruworks
