#include "gru/stack.h"

#include <atomic>
#include <exception>
#include <numeric>

#include "core/pool.h"

namespace gruworks {

namespace {

// Steps that a layer is behind the one below.
constexpr Index kBehind = 8;

template <class T> Sequence<T> sequence(const Stack<T>& s, Index layer, int place) {
  const StackUnit<T>& unit = s.units[layer * s.abreast() + place];
  Sequence<T> of{};
  of.steps = s.steps, of.batch = s.batch, of.H = s.H, of.before = s.before, of.exact = s.exact;
  of.reverse = place % s.directions == 1, of.I = layer ? s.width() : s.I;
  const Array3<T> below = layer ? s.passed[layer - 1] : Array3<T>{};
  of.x = layer ? Array3<const T>{below.data, below.t, below.b} : s.x;
  of.h0 = unit.h0, of.h0_b = s.H, of.final = unit.final, of.saved = unit.saved;
  if (!layer) of.x.data += place / s.directions * s.I;
  of.output = s.output[layer], of.output.data += place * s.H;
  return of;
}

template <class T> void multiply_steps(Array3<T> to, Array3<T> from, const T* mask, Index begin, Index end, Index size) {
  for (Index i = begin * size; i < end * size; ++i) to.data[i] = from.data[i] * mask[i];
}

// What layer + 1 reads of some steps.
template <class T> void pass(const Stack<T>& s, Index layer, Index begin, Index end) {
  if (s.mask[layer])
    multiply_steps(s.passed[layer], s.output[layer], s.mask[layer], begin, end, s.batch * s.width());
}

// One layer and direction on one thread, part by part.
template <class T> class Unit {
  Sequence<T> s;
  std::shared_ptr<const PackedWeights<T>> packed;
  const Kernels<T>& run;
  std::vector<Index> order;
  Block<T> work, scratch, carry;

 public:
  Unit(const Sequence<T>& whole, const StackUnit<T>& unit, bool backward)
      : s(whole), packed(unit.packing->get(unit.w, backward, 1)), run(kernels<T>(*packed->from)), order(s.batch),
        scratch((backward ? run.backward_scratch(s, Place()) : run.forward_scratch(s, Place())) + 64) {
    std::iota(order.begin(), order.end(), Index{0});
    s.w = packed->parts, s.order = order.data();
    if (backward) carry = Block<T>(s.batch * padded(s.H));
    else if (!s.saved && s.before) work = Block<T>(s.batch * 4 * padded(s.H)), s.work = work.get();
  }

  void forward(Index begin, Index end) { run.forward(part(begin, end), Place(), scratch.get()); }

  void backward(Gradient<T> grad, Index begin, Index end) {
    grad.w_ih = grad.w_hh = grad.b_ih = grad.b_hh = nullptr;
    grad.carry = carry.get(), grad.continued = end < s.steps;
    if (begin) grad.h0 = nullptr;
    if (grad.output.data) grad.output.data += begin * grad.output.t;
    if (grad.x.data) grad.x.data += begin * grad.x.t;
    run.backward(part(begin, end), grad, Place(), scratch.get());
  }

  void weights(Gradient<T> grad) {
    grad.x = {}, grad.carry = carry.get(), grad.weights_only = true;
    run.backward(s, grad, Place(), scratch.get());
  }

 private:
  Sequence<T> part(Index begin, Index end) const {
    Sequence<T> of = s;
    of.steps = end - begin, of.turn = begin;
    of.x.data += begin * s.x.t, of.output.data += begin * s.output.t;
    if (begin) of.h0 = s.output.at(begin - 1, 0), of.h0_b = s.output.b;
    if (s.saved) of.saved += begin * s.batch * 4 * padded(s.H);
    return of;
  }
};

// Threads for units of one thread each; 1 where the threads divide the rows of each, or the work doesn't pay for two.
template <class T> int unit_threads(const Stack<T>& s, int wanted) {
  const Index units = static_cast<Index>(s.units.size());
  const double work = 3.0 * s.steps * s.batch * s.H * (s.H + s.I) * static_cast<double>(units);
  if (units == 1 || s.steps < 2 * kBehind || work < kAlone) return 1;
  const int threads = usable_threads(wanted);
  const bool rows = grid(threads, s.batch, s.H).groups > 1;
  return rows || (threads > 2 * units && s.H >= 256) ? 1 : static_cast<int>(std::min<Index>(threads, units));
}

// Progress of a layer, which the thread of the next one waits for.
struct alignas(128) Progress {
  std::atomic<Index> steps{0};

  void wait(Index wanted) const {
    for (int turns = 0; steps.load(std::memory_order_acquire) < wanted; ++turns)
      if (turns > 300) yield();
      else if (turns > 200) relax();
  }
  void reach(Index done) { steps.store(done, std::memory_order_release); }
};

// Calls advance(layer, part) for all parts of all layers, first to last or last to first, each after the same part of the
// layer before, and finish(layer) after a layer's last. A layer is the work of one thread.
template <class Advance, class Finish>
void in_a_wave(Index layers, Index parts, int threads, bool backwards, Advance&& advance, Finish&& finish) {
  std::vector<Progress> done(layers);
  auto work = [&](int thread, int granted) {
    for (Index n = thread; n < layers; n += granted) {
      const Index layer = backwards ? layers - 1 - n : n;
      for (Index part = 0; part < parts; ++part) {
        if (n) done[n - 1].wait(part + 1);
        advance(layer, backwards ? parts - 1 - part : part);
        done[n].reach(part + 1);
      }
      finish(layer);
    }
  };
  parallel(threads, work);
}

// Parts of kBehind steps; the last takes what remains.
struct Parts {
  Index steps;
  Index count() const { return std::max<Index>(steps / kBehind, 1); }
  Index begin(Index part) const { return part * kBehind; }
  Index end(Index part) const { return part + 1 == count() ? steps : (part + 1) * kBehind; }
};

template <class T> Array3<const T> constant(const Array3<T>& a) { return {a.data, a.t, a.b}; }

// Gradients of one call by layer: those of each layer's output, and of the input by direction.
template <class T> class StackGradients {
  const Stack<T>& s;
  std::vector<Pooled<T>> memory;
  std::vector<Array3<T>> of_input;  // of each unit's x

 public:
  explicit StackGradients(const Stack<T>& stack) : s(stack), of_input(stack.units.size()) {
    memory.reserve(of_input.size());
    for (Index layer = 0; layer < s.layers(); ++layer)
      for (int place = 0; place < s.abreast(); ++place) {
        Array3<T>& to = of_input[layer * s.abreast() + place];
        const bool first = place % s.directions == 0;
        if (layer || (!first && s.grad_x.data)) to = fresh(layer ? s.width() : s.I);
        else if ((to = s.grad_x).data) to.data += place / s.directions * s.I;
      }
  }

  Gradient<T> of(Index layer, int place) const {
    const StackUnit<T>& unit = s.units[layer * s.abreast() + place];
    Gradient<T> g{};
    g.output = layer + 1 == s.layers() ? s.grad_output : constant(of_input[(layer + 1) * s.abreast()]);
    if (g.output.data) g.output.data += place * s.H;
    g.final = unit.grad_final, g.final_b = s.H, g.h0 = unit.grad_h0;
    g.w_ih = unit.grad_w_ih, g.w_hh = unit.grad_w_hh, g.b_ih = unit.grad_b_ih, g.b_hh = unit.grad_b_hh;
    g.x = of_input[layer * s.abreast() + place];
    return g;
  }

  // The gradient of the output below, complete: both directions, and dropout.
  void pass(Index layer, Index begin, Index end) {
    const Index first = layer * s.abreast();
    const Array3<T> to = of_input[first];
    if (!to.data) return;
    for (int place = 1; s.directions == 2 && place < s.abreast(); place += 2)
      add(of_input[first + place - 1], of_input[first + place], layer ? s.width() : s.I, begin, end);
    if (layer && s.mask[layer - 1])
      multiply_steps(to, to, s.mask[layer - 1], begin, end, s.batch * s.width());
  }

 private:
  Array3<T> fresh(Index width) {
    memory.emplace_back(s.steps * s.batch * width);
    return {memory.back().get(), s.batch * width, width};
  }
  void add(Array3<T> to, Array3<T> from, Index width, Index begin, Index end) {
    for (Index t = begin; t < end; ++t)
      for (Index b = 0; b < s.batch; ++b)
        for (Index i = 0; i < width; ++i) to.at(t, b)[i] += from.at(t, b)[i];
  }
};

template <class T> std::vector<std::unique_ptr<Unit<T>>> units(const Stack<T>& s, bool backward) {
  std::vector<std::unique_ptr<Unit<T>>> made;
  for (Index layer = 0; layer < s.layers(); ++layer)
    made.push_back(std::make_unique<Unit<T>>(sequence(s, layer, 0), s.units[layer], backward));
  return made;
}

// Calls f for each unit of a layer; an exception in any thread is thrown again on the caller's.
template <class F> void abreast(int units, int threads, F&& f) {
  std::vector<std::exception_ptr> failed(units);
  parallel_for(units, std::min(threads, units), [&](Index place) {
    try {
      f(static_cast<int>(place));
    } catch (...) {
      failed[place] = std::current_exception();
    }
  });
  for (const std::exception_ptr& error : failed)
    if (error) std::rethrow_exception(error);
}

}  // namespace

template <class T> void run_stack_forward(const Stack<T>& s, int wanted) {
  const int threads = unit_threads(s, wanted);
  if (threads > 1 && s.abreast() == 1) {
    const auto made = units(s, false);
    const Parts parts{s.steps};
    return in_a_wave(s.layers(), parts.count(), threads, false, [&](Index layer, Index part) {
      if (layer) pass(s, layer - 1, parts.begin(part), parts.end(part));
      made[layer]->forward(parts.begin(part), parts.end(part));
    }, [](Index) {});
  }
  for (Index layer = 0; layer < s.layers(); ++layer) {
    if (layer) pass(s, layer - 1, 0, s.steps);
    abreast(s.abreast(), threads, [&](int place) {
      const StackUnit<T>& unit = s.units[layer * s.abreast() + place];
      run_forward(sequence(s, layer, place), unit.w, *unit.packing, threads > 1 ? 1 : wanted);
    });
  }
}

template <class T> void run_stack_backward(const Stack<T>& s, int wanted) {
  const int threads = unit_threads(s, wanted);
  StackGradients<T> grads(s);
  if (threads > 1 && s.abreast() == 1) {
    const auto made = units(s, true);
    const Parts parts{s.steps};
    return in_a_wave(s.layers(), parts.count(), threads, true, [&](Index layer, Index part) {
      made[layer]->backward(grads.of(layer, 0), parts.begin(part), parts.end(part));
      grads.pass(layer, parts.begin(part), parts.end(part));
    }, [&](Index layer) { made[layer]->weights(grads.of(layer, 0)); });
  }
  for (Index layer = s.layers() - 1; layer >= 0; --layer) {
    abreast(s.abreast(), threads, [&](int place) {
      const StackUnit<T>& unit = s.units[layer * s.abreast() + place];
      run_backward(sequence(s, layer, place), grads.of(layer, place), unit.w, *unit.packing, threads > 1 ? 1 : wanted);
    });
    grads.pass(layer, 0, s.steps);
  }
}

template void run_stack_forward<float>(const Stack<float>&, int);
template void run_stack_forward<double>(const Stack<double>&, int);
template void run_stack_backward<float>(const Stack<float>&, int);
template void run_stack_backward<double>(const Stack<double>&, int);

}  // namespace gruworks
