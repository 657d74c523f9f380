// One layer in one direction, as Python calls it: addresses and strides in, gruworks.h behind.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/tuple.h>

#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "bindings/torch.h"
#include "core/pool.h"
#include "gru/layer.h"
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

// A new tensor in memory of the pool, passed to torch by DLPack and released with the tensor's storage.
template <class T> nb::ndarray<nb::pytorch, T> pooled(const std::vector<size_t>& shape) {
  Index n = 1;
  for (const size_t size : shape) n *= static_cast<Index>(size);
  auto* const memory = new Pooled<T>(n);
  const nb::capsule owner(memory, [](void* p) noexcept { delete static_cast<Pooled<T>*>(p); });
  return {memory->get(), shape.size(), shape.data(), owner};
}

// An uninitialized gradient of a tensor; a large one from the pool, because page faults cost more than DLPack's 4 us.
template <class T> nb::object made_like(const View& of, void*& data) {
  constexpr Index kLarge = Index{1} << 16;
  Index n = 1;
  for (Index i = 0; i < of.axes; ++i) n *= of.size[i];
  if (n < kLarge) return make(sizeof(T), of.size, of.axes, data);
  auto made = pooled<T>({of.size, of.size + of.axes});
  data = made.data();
  return nb::cast(std::move(made));
}

using Tensors = std::array<nb::handle, 6>;  // x, h0, w_ih, w_hh, b_ih, b_hh

// Form of a plain call: x is [B, I] for one step, else [T, B, I], or [B, T, I] if batch_first; h0 and the final state
// are [1, B, H] if `lead`, else [B, H].
struct PlainForm {
  bool step, before, reverse, batch_first, lead;

  Index t_axis() const { return batch_first ? 1 : 0; }
  Index b_axis() const { return step || batch_first ? 0 : 1; }
};

// A plain call as the kernel takes it: x and h0, or input projections in place of x where there is no w_ih.
template <class T> struct PlainCall {
  PlainForm form;
  gruworks_weights weights{};
  gruworks_sequence sequence{};
  View views[6];

  Index I() const { return weights.input_size; }
  Index width() const { return I() ? I() : 3 * weights.hidden_size; }
  bool as_large_as(const PlainCall& other) const {
    return sequence.steps == other.sequence.steps && sequence.batch == other.sequence.batch && I() == other.I() &&
           weights.hidden_size == other.weights.hidden_size;
  }

  // False for tensors that the kernel can't read as they lie. `shared`: see read_shared.
  bool read(const Tensors& of, bool shared) {
    View& x = views[0];
    if (!(shared ? read_shared : gruworks::read)(of[0], sizeof(T), x) || x.axes != (form.step ? 2 : 3) ||
        !memory(of, 3) || views[3].axes != 2)
      return false;
    const Index width = x.size[x.axes - 1], H = views[3].size[1];
    const Index steps = form.step ? 1 : x.size[form.t_axis()], batch = x.size[form.b_axis()];
    const bool projected = of[2].is_none();
    if (!steps || !batch || !width || (width > 1 && x.stride[x.axes - 1] != 1) || !views[3].fills({3 * H, H}) ||
        (projected ? width != 3 * H : !memory(of, 2) || !views[2].fills({3 * H, width})))
      return false;
    for (const int bias : {4, 5})
      if (!of[bias].is_none() && (!memory(of, bias) || !views[bias].fills({3 * H}))) return false;
    if (!of[1].is_none() &&
        (!memory(of, 1) || !(form.lead ? views[1].fills({1, batch, H}) : views[1].fills({batch, H}))))
      return false;
    weights = {projected ? 0 : width, H, form.before, views[2].data, views[3].data, views[4].data, views[5].data};
    sequence.steps = steps, sequence.batch = batch, sequence.reverse = form.reverse;
    (projected ? sequence.projections : sequence.x) =
        gruworks_input{x.data, form.step ? 0 : x.stride[form.t_axis()], x.stride[form.b_axis()]};
    sequence.h0 = {views[1].data, 0, H};
    return true;
  }

  // Array [T, B, width] without gaps, in the order of x's axes.
  gruworks_output along(void* data, Index width) const {
    const gruworks_sequence& s = sequence;
    return {data, form.batch_first ? width : s.batch * width, form.batch_first ? s.steps * width : width};
  }
  bool is_output(const View& of) const {
    const Index steps = sequence.steps, batch = sequence.batch, H = weights.hidden_size;
    return form.batch_first ? of.fills({batch, steps, H}) : of.fills({steps, batch, H});
  }

 private:
  bool memory(const Tensors& of, int i) { return gruworks::read(of[i], sizeof(T), views[i]); }
};

// Saved values of a plain call.
template <class T> struct Kept {
  LayerPointer layer;
  PlainCall<T> of;
  Pooled<T> saved;

  // Gradients of x, h0, w_ih, w_hh, b_ih and b_hh, where needed; None for tensors of another layout than the call's.
  // To be called once, because it overwrites the saved values.
  nb::object backward(nb::handle x, nb::handle h0, nb::handle w_ih, nb::handle w_hh, nb::handle b_ih, nb::handle b_hh,
                      nb::handle output, nb::handle grad_output, nb::handle grad_final, Tuple needed, int threads) {
    const size_t bytes = sizeof(T);
    PlainCall<T> call{of.form};
    View states, of_output, of_final;
    if (!call.read({x, h0, w_ih, w_hh, b_ih, b_hh}, true) || !call.as_large_as(of)) return nb::none();
    // The backward of a single step doesn't read its output.
    if (!of.form.step && !(read_shared(output, bytes, states) && call.is_output(states))) return nb::none();
    const Index T_ = call.sequence.steps, B = call.sequence.batch, H = call.weights.hidden_size;
    if (!grad_output.is_none() &&
        !(read(grad_output, bytes, of_output) && of_output.axes == 3 && of_output.size[of.form.t_axis()] == T_ &&
          of_output.size[of.form.b_axis()] == B && of_output.size[2] == H && of_output.stride[2] == 1))
      return nb::none();
    if (!grad_final.is_none() && !(read(grad_final, bytes, of_final) &&
                                   (of.form.lead ? of_final.fills({1, B, H}) : of_final.fills({B, H}))))
      return nb::none();
    void* into[6]{};
    nb::object made[6];
    for (int i = 0; i < 6; ++i)
      made[i] = call.views[i].data && nb::cast<bool>(needed[i]) ? made_like<T>(call.views[i], into[i]) : nb::none();
    gruworks_sequence& s = call.sequence;
    s.saved = s.final_state = saved.get(), s.output = call.along(of.form.step ? s.saved : states.data, H);
    gruworks_gradient g{};
    g.output = {of_output.data, of_output.stride[of.form.t_axis()], of_output.stride[of.form.b_axis()]};
    g.final_state = {of_final.data, 0, H};
    (call.I() ? g.x : g.projections) = call.along(into[0], call.width());
    g.h0 = into[1], g.w_ih = into[2], g.w_hh = into[3], g.b_ih = into[4], g.b_hh = into[5];
    {
      const nb::gil_scoped_release free;
      check(gruworks_backward(layer.get(), &call.weights, &s, &g, threads));
    }
    return nb::make_tuple(made[0], made[1], made[2], made[3], made[4], made[5]);
  }
};

template <class T> struct Layer {
  LayerPointer layer;

  Layer() {
    gruworks_layer* made = nullptr;
    check(gruworks_layer_create(kType<T>, &made));
    layer = LayerPointer(made, gruworks_layer_free);
  }

  bool freeze(bool on) { return layer->template packing<T>().freeze(on); }

  // Output and final state, or only the new state of a single step, and, if `keep`, saved values. None for tensors that the
  // kernel can't read as they lie.
  nb::object plain(nb::handle x, nb::handle h0, nb::handle w_ih, nb::handle w_hh, nb::handle b_ih, nb::handle b_hh,
                   bool step, bool before, bool reverse, bool batch_first, bool lead, bool keep, int threads) {
    PlainCall<T> call{{step, before, reverse, batch_first, lead}};
    if (!call.read({x, h0, w_ih, w_hh, b_ih, b_hh}, keep)) return nb::none();
    gruworks_sequence& s = call.sequence;
    const Index T_ = s.steps, B = s.batch, H = call.weights.hidden_size;
    void *states, *last;
    const nb::object output = step ? make(sizeof(T), {B, H}, states)
                              : batch_first ? make(sizeof(T), {B, T_, H}, states) : make(sizeof(T), {T_, B, H}, states);
    const nb::object final = step ? nb::none() : lead ? make(sizeof(T), {1, B, H}, last) : make(sizeof(T), {B, H}, last);
    s.output = call.along(states, H), s.final_state = step ? states : last;
    const auto run = [&] {
      const nb::gil_scoped_release free;
      check(gruworks_forward(layer.get(), &call.weights, &s, threads));
    };
    const nb::object results = step ? nb::make_tuple(output) : nb::make_tuple(output, final);
    if (!keep) return run(), nb::make_tuple(results, nb::none());
    Pooled<T> saved(gruworks_saved_size(T_, B, H, 0));
    s.saved = saved.get();
    run();
    return nb::make_tuple(results, Kept<T>{layer, call, std::move(saved)});
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
