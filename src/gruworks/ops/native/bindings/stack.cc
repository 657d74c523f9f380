// Python binding of a stack of layers in one or two directions. nn/recurrence/stack.py has checked shapes and types.
#include "bindings/stack.h"

#include <nanobind/stl/vector.h>

#include "bindings/layer.h"
#include "gru/layer.h"
#include "gru/stack.h"

namespace gruworks {
namespace {

template <class T> using Layers = std::vector<Layer<T>*>;
using Addresses = std::vector<Address>;

// What a stack's forward keeps for its backward: gates of every unit, outputs below the last layer, those with dropout.
template <class T> struct StackKept {
  std::vector<LayerPointer> layers;
  Stack<T> stack;
  std::vector<Pooled<T>> memory;
  bool used = false;

  StackKept() = default;
  StackKept(StackKept&&) = default;  // and no copy

  // False if an earlier call has used the gates.
  bool backward(Address x, Address h0, Address output, const Addresses& weights, const Addresses& masks,
                const Strided& grad_output, Address grad_final, Address grad_x, Address grad_h0, const Addresses& grads,
                int threads) {
    if (used) return false;
    used = true;
    Stack<T> s = stack;
    s.x.data = at<T>(x), s.output.back().data = at<T>(output);
    s.grad_output = {at<const T>(std::get<0>(grad_output)), std::get<1>(grad_output), std::get<2>(grad_output)};
    const bool batch_first = s.output.back().b != s.directions * s.H;
    s.grad_x = {at<T>(grad_x), batch_first ? s.I : s.batch * s.I, batch_first ? s.steps * s.I : s.I};
    const Index state = s.batch * s.H;
    for (size_t i = 0; i < masks.size(); ++i) s.mask[i] = at<T>(masks[i]);
    for (size_t i = 0; i < s.units.size(); ++i) {
      StackUnit<T>& unit = s.units[i];
      set_weights(unit, &weights[4 * i]);
      const auto part = [&](Address all) { return all ? at<T>(all) + static_cast<Index>(i) * state : nullptr; };
      unit.h0 = part(h0), unit.grad_final = part(grad_final), unit.grad_h0 = part(grad_h0);
      unit.grad_w_ih = at<T>(grads[4 * i]), unit.grad_w_hh = at<T>(grads[4 * i + 1]);
      unit.grad_b_ih = at<T>(grads[4 * i + 2]), unit.grad_b_hh = at<T>(grads[4 * i + 3]);
    }
    const nb::gil_scoped_release free;
    run_stack_backward(s, threads);
    memory.clear();
    return true;
  }

  static void set_weights(StackUnit<T>& unit, const Address* w) {
    unit.w.w_ih = at<T>(w[0]), unit.w.w_hh = at<T>(w[1]), unit.w.b_ih = at<T>(w[2]), unit.w.b_hh = at<T>(w[3]);
  }
};

template <class T>
StackKept<T> forward(bool keep, const Layers<T>& layers, Index steps, Index batch, Index I, Index H, int directions,
                     bool before, bool batch_first, const Strided& x, Address h0, Address output, Address final,
                     const Addresses& weights, const Addresses& masks, int threads) {
  StackKept<T> kept;
  Stack<T>& s = kept.stack;
  s.steps = steps, s.batch = batch, s.I = I, s.H = H, s.directions = directions, s.before = before;
  s.x = {at<const T>(std::get<0>(x)), std::get<1>(x), std::get<2>(x)};
  const Index width = directions * H, count = static_cast<Index>(layers.size());
  kept.memory.reserve(3 * layers.size());
  const auto fresh = [&](Index n) {
    kept.memory.emplace_back(n);
    return kept.memory.back().get();
  };
  for (Index layer = 0; layer < count / directions; ++layer) {
    const bool last = layer + 1 == count / directions;
    const T* const mask = layer < static_cast<Index>(masks.size()) ? at<T>(masks[layer]) : nullptr;
    const auto steps_of = [&](T* data) { return Array3<T>{data, batch * width, width}; };
    s.output.push_back(!last ? steps_of(fresh(steps * batch * width))
                       : batch_first ? Array3<T>{at<T>(output), width, steps * width} : steps_of(at<T>(output)));
    s.passed.push_back(mask ? steps_of(fresh(steps * batch * width)) : s.output.back());
    s.mask.push_back(mask);
  }
  for (Index i = 0; i < count; ++i) {
    StackUnit<T> unit{};
    unit.w.I = i < directions ? I : width, unit.w.H = H, unit.w.before = before;
    StackKept<T>::set_weights(unit, &weights[4 * i]);
    unit.packing = &layers[i]->layer->template packing<T>();
    unit.h0 = h0 ? at<T>(h0) + i * batch * H : nullptr, unit.final = at<T>(final) + i * batch * H;
    if (keep) unit.saved = fresh(steps * batch * 4 * padded(H));
    s.units.push_back(unit);
    kept.layers.push_back(layers[i]->layer);
  }
  const nb::gil_scoped_release free;
  run_stack_forward(s, threads);
  return kept;
}

template <class T> void bind(nb::module_& module, const char* kept, const char* plain, const char* keeping) {
  nb::class_<StackKept<T>>(module, kept, "Saved values of a stack's forward.").def("backward", &StackKept<T>::backward);
  module.def(plain, [](const Layers<T>& layers, Index steps, Index batch, Index I, Index H, int directions, bool before,
                       bool batch_first, const Strided& x, Address h0, Address output, Address final,
                       const Addresses& weights, const Addresses& masks, int threads) {
    forward<T>(false, layers, steps, batch, I, H, directions, before, batch_first, x, h0, output, final, weights, masks,
               threads);
  }, "Output and final states of a stack.");
  module.def(keeping, [](const Layers<T>& layers, Index steps, Index batch, Index I, Index H, int directions, bool before,
                         bool batch_first, const Strided& x, Address h0, Address output, Address final,
                         const Addresses& weights, const Addresses& masks, int threads) {
    return forward<T>(true, layers, steps, batch, I, H, directions, before, batch_first, x, h0, output, final, weights,
                      masks, threads);
  }, "The same, and what the backward needs.");
}

}  // namespace

void bind_stacks(nb::module_& module) {
  bind<float>(module, "StackKept32", "stack32", "stack_kept32");
  bind<double>(module, "StackKept64", "stack64", "stack_kept64");
}

}  // namespace gruworks
