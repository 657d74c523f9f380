// Python binding of a stack of layers in one or two directions, in torch's tensors.
#include "bindings/stack.h"

#include <nanobind/stl/vector.h>

#include "bindings/layer.h"
#include "core/exact.h"
#include "gru/layer.h"
#include "gru/stack.h"

namespace gruworks {
namespace {

template <class T> using Layers = std::vector<Layer<T>*>;  // by layer, then group, then direction

// A stack's tensors as the kernel takes them: x, h0 and, for each unit, w_ih, w_hh, b_ih and b_hh.
template <class T> struct StackCall {
  Stack<T> stack;
  bool batch_first;
  std::vector<View> views;

  // False for tensors that the kernel can't read as they lie.
  bool read(Tuple of) {
    views.assign(of.size(), {});
    const size_t units = (of.size() - 2) / 4;
    View &x = views[0], &first = views[3];
    if (!read_shared(of[0], sizeof(T), x) || x.axes != 3 || !memory(of, 3) || first.axes != 2) return false;
    const Index width = x.size[2] / stack.groups, H = first.size[1], t = batch_first ? 1 : 0;
    const Index steps = x.size[t], batch = x.size[1 - t], abreast = stack.abreast();
    if (!steps || !batch || !width || width * stack.groups != x.size[2] || (x.size[2] > 1 && x.stride[2] != 1) ||
        !fills(of, 1, {static_cast<Index>(units), batch, H}, true))
      return false;
    stack.steps = steps, stack.batch = batch, stack.I = width, stack.H = H;
    stack.x = {static_cast<const T*>(x.data), x.stride[t], x.stride[1 - t]};
    stack.units.resize(units);
    for (size_t i = 0; i < units; ++i) {
      const size_t at = 2 + 4 * i;
      StackUnit<T>& unit = stack.units[i];
      const Index I = static_cast<Index>(i) < abreast ? width : abreast * H;
      if (!fills(of, at, {3 * H, I}, false) || !fills(of, at + 1, {3 * H, H}, false) ||
          !fills(of, at + 2, {3 * H}, true) || !fills(of, at + 3, {3 * H}, true))
        return false;
      unit.w = {I, H, stack.before, data(at), data(at + 1), data(at + 2), data(at + 3)};
      unit.h0 = state(data(1), i);
    }
    return true;
  }

  T* data(size_t i) const { return static_cast<T*>(views[i].data); }
  T* state(void* all, size_t unit) const {  // of one unit in [L·D, B, H]
    return all ? static_cast<T*>(all) + static_cast<Index>(unit) * stack.batch * stack.H : nullptr;
  }
  bool as_large_as(const StackCall& other) const {
    return stack.steps == other.stack.steps && stack.batch == other.stack.batch && stack.I == other.stack.I &&
           stack.H == other.stack.H;
  }
  Array3<T> along(void* all, Index width) const {  // in the order of x's axes, without gaps
    return {static_cast<T*>(all), batch_first ? width : stack.batch * width, batch_first ? stack.steps * width : width};
  }
  bool read_masks(Tuple masks) {
    for (size_t i = 0; i < masks.size(); ++i) {
      View mask;
      if (!gruworks::read(masks[i], sizeof(T), mask) ||
          !mask.fills({stack.steps, stack.batch, stack.width()}))
        return false;
      stack.mask[i] = static_cast<const T*>(mask.data);
    }
    return true;
  }

 private:
  bool memory(Tuple of, size_t i) { return gruworks::read(of[i], sizeof(T), views[i]); }
  bool fills(Tuple of, size_t i, std::initializer_list<Index> shape, bool optional) {
    return of[i].is_none() ? optional : memory(of, i) && views[i].fills(shape);
  }
};

// What a stack's forward keeps for its backward: gates of every unit, outputs below the last layer, those with dropout.
template <class T> struct StackKept {
  std::vector<LayerPointer> layers;
  StackCall<T> of;
  std::vector<Pooled<T>> memory;

  StackKept() = default;
  StackKept(StackKept&&) = default;  // and no copy

  // Gradients of the tensors, where needed; None for tensors of another layout than the call's. To be called once.
  nb::object backward(Tuple tensors, Tuple masks, nb::handle output, nb::handle grad_output,
                      nb::handle grad_final, Tuple needed, int threads) {
    const size_t bytes = sizeof(T);
    StackCall<T> call = of;
    View states, of_output, of_final;
    if (!call.read(tensors) || !call.as_large_as(of) || !call.read_masks(masks) || !read_shared(output, bytes, states) ||
        (!grad_output.is_none() && !read(grad_output, bytes, of_output)) ||
        (!grad_final.is_none() && !read(grad_final, bytes, of_final)))
      return nb::none();
    Stack<T>& s = call.stack;
    const Index t = call.batch_first ? 1 : 0, width = s.width();
    for (const View* one : {&states, &of_output})
      if (one->data && !(one->axes == 3 && one->size[t] == s.steps && one->size[1 - t] == s.batch &&
                         one->size[2] == width && one->stride[2] == 1))
        return nb::none();
    if (of_final.data && !of_final.fills({static_cast<Index>(s.units.size()), s.batch, s.H})) return nb::none();
    s.output.back() = {static_cast<T*>(states.data), states.stride[t], states.stride[1 - t]};
    if (s.mask.back() == nullptr) s.passed.back() = s.output.back();
    s.grad_output = {static_cast<const T*>(of_output.data), of_output.stride[t], of_output.stride[1 - t]};
    const size_t count = tensors.size();
    std::vector<void*> into(count);
    nb::list made;
    for (size_t i = 0; i < count; ++i)
      if (call.views[i].data && nb::cast<bool>(needed[i])) made.append(made_like<T>(call.views[i], into[i]));
      else made.append(nb::none());
    const auto gradient = [&](size_t i) { return static_cast<T*>(into[i]); };
    s.grad_x = call.along(into[0], s.groups * s.I);
    for (size_t i = 0; i < s.units.size(); ++i) {
      StackUnit<T>&unit = s.units[i], &before = of.stack.units[i];
      const size_t at = 2 + 4 * i;
      unit.packing = before.packing, unit.saved = before.saved, unit.final = before.final;
      unit.grad_final = call.state(of_final.data, i), unit.grad_h0 = call.state(into[1], i);
      unit.grad_w_ih = gradient(at), unit.grad_w_hh = gradient(at + 1);
      unit.grad_b_ih = gradient(at + 2), unit.grad_b_hh = gradient(at + 3);
    }
    const nb::gil_scoped_release free;
    run_stack_backward(s, threads);
    return made;
  }
};

// Output, final states and, if `keep`, saved values; None for tensors that the kernel can't read as they lie.
template <class T>
nb::object stack_forward(const Layers<T>& layers, Tuple tensors, Tuple masks, int directions, int groups, bool before,
                   bool batch_first, bool keep, int threads) {
  StackKept<T> kept;
  StackCall<T>& call = kept.of;
  Stack<T>& s = call.stack;
  s.directions = directions, s.groups = groups, s.before = before, s.exact = exact(), call.batch_first = batch_first;
  s.mask.resize(layers.size() / s.abreast());
  if (!call.read(tensors) || !call.read_masks(masks)) return nb::none();
  const Index width = s.width(), steps = s.steps, batch = s.batch, count = static_cast<Index>(layers.size());
  void *states, *last;
  nb::object output = batch_first ? make(sizeof(T), {batch, steps, width}, states)
                                  : make(sizeof(T), {steps, batch, width}, states);
  nb::object final = make(sizeof(T), {count, batch, s.H}, last);
  kept.memory.reserve(3 * layers.size());
  const auto fresh = [&](Index n) {
    kept.memory.emplace_back(n);
    return kept.memory.back().get();
  };
  for (const T* mask : s.mask) {
    const auto steps_of = [&](T* data) { return Array3<T>{data, batch * width, width}; };
    const bool top = static_cast<Index>(s.output.size() + 1) == count / s.abreast();
    s.output.push_back(top ? call.along(states, width) : steps_of(fresh(steps * batch * width)));
    s.passed.push_back(mask ? steps_of(fresh(steps * batch * width)) : s.output.back());
  }
  for (size_t i = 0; i < layers.size(); ++i) {
    StackUnit<T>& unit = s.units[i];
    unit.packing = &layers[i]->layer->template packing<T>();
    unit.final = call.state(last, i);
    if (keep) unit.saved = fresh(steps * batch * 4 * padded(s.H));
    kept.layers.push_back(layers[i]->layer);
  }
  {
    const nb::gil_scoped_release free;
    run_stack_forward(s, threads);
  }
  const nb::object results = nb::make_tuple(output, final);
  return keep ? nb::make_tuple(results, std::move(kept)) : nb::make_tuple(results, nb::none());
}

template <class T> void bind_stack(nb::module_& module, const char* kept, const char* name) {
  nb::class_<StackKept<T>>(module, kept, "Saved values of a stack's forward.")
      .def("backward", &StackKept<T>::backward, nb::arg(), nb::arg(), nb::arg(), nb::arg().none(), nb::arg().none(),
           nb::arg(), nb::arg());
  module.def(name, &stack_forward<T>, "A stack of layers in torch's tensors.");
}

}  // namespace

void bind_stacks(nb::module_& module) {
  bind_stack<float>(module, "StackKept32", "stack32");
  bind_stack<double>(module, "StackKept64", "stack64");
}

}  // namespace gruworks
