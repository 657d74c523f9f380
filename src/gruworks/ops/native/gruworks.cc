// The C interface: checks of operands, and the C++ structures of a call.
#include "gruworks.h"

#include <cstring>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

#include "core/exact.h"
#include "gru/layer.h"
#include "gru/stream.h"

using namespace gruworks;

namespace {

thread_local std::string last_message;

// Runs body and turns its exceptions into a status and a message.
template <class Body> gruworks_status guarded(Body&& body) noexcept try {
  body();
  return GRUWORKS_OK;
} catch (const std::invalid_argument& error) {
  last_message = error.what();
  return GRUWORKS_INVALID;
} catch (const std::bad_alloc&) {
  last_message = "out of memory";
  return GRUWORKS_MEMORY;
} catch (const std::exception& error) {
  last_message = error.what();
  return GRUWORKS_FAILURE;
}

void require(bool holds, const char* otherwise) {
  if (!holds) throw std::invalid_argument(otherwise);
}

template <class T> const T* in(const void* p) { return static_cast<const T*>(p); }
template <class T> T* out(void* p) { return static_cast<T*>(p); }
template <class T> Array3<const T> in(const gruworks_input& a) {
  return {in<T>(a.data), static_cast<Index>(a.t), static_cast<Index>(a.b)};
}
template <class T> Array3<T> out(const gruworks_output& a) {
  return {out<T>(a.data), static_cast<Index>(a.t), static_cast<Index>(a.b)};
}

Activations activations(const gruworks_weights& w) {
  require(static_cast<unsigned>(w.candidate_activation) <= GRUWORKS_LINEAR,
          "candidate_activation must be one of gruworks_activation");
  return {static_cast<Activation>(w.candidate_activation), w.hard_gates != 0};
}

template <class T> Weights<T> weights(const gruworks_weights& w) {
  require(w.hidden_size > 0 && w.input_size >= 0 && w.w_hh,
          "weights need a hidden size of at least 1, an input size of at least 0, and w_hh");
  return {static_cast<Index>(w.input_size), static_cast<Index>(w.hidden_size), w.reset_before != 0,
          in<T>(w.w_ih), in<T>(w.w_hh), in<T>(w.b_ih), in<T>(w.b_hh), activations(w)};
}

template <class T> Sequence<T> sequence(const gruworks_weights& w, const gruworks_sequence& of) {
  Sequence<T> s{};
  s.steps = of.steps, s.batch = of.batch, s.I = w.input_size, s.H = w.hidden_size;
  s.before = w.reset_before != 0, s.reverse = of.reverse != 0, s.activations = activations(w);
  s.x = in<T>(of.x), s.gi = in<T>(of.projections), s.output = out<T>(of.output), s.final = out<T>(of.final_state);
  s.h0 = in<T>(of.h0.data), s.h0_b = of.h0.b, s.lengths = of.lengths;
  s.saved = out<T>(of.saved), s.states = out<T>(of.states);
  s.decay = in<T>(of.decay), s.replacement = in<T>(of.replacement.data), s.replacement_b = of.replacement.b;
  s.resets = in<uint8_t>(of.resets);
  s.mask = in<T>(of.mask.data), s.mask_b = of.mask.b, s.zoneout = in<T>(of.zoneout);
  s.gain = in<T>(of.gain), s.input_gain = in<T>(of.input_gain);
  require(s.steps >= 0 && s.batch >= 0 && s.final && s.output.data && !s.x.data != !s.gi.data,
          "a recurrence needs sizes of at least 0 (H of 1), x or gi, and places for its results");
  require(!s.input_gain == !(s.gain && s.x.data) && !(s.mask && s.decay.data),
          "layer norm of x's terms and of the state's go together, and a masked state can't decay");
  for (Index b = 0; s.lengths && b < s.batch; ++b)
    require(s.lengths[b] >= 0 && s.lengths[b] <= s.steps, "lengths must lie between 0 and the number of steps T");
  if (s.gain && s.saved) {  // behind the gates' [T, B, 4Hp]
    const Index each = s.steps * s.batch * 4 * padded(s.H);
    s.terms = s.saved + each, s.scales = s.saved + 3 * each;
    if (s.input_gain) s.inputs = s.terms + each;
  }
  return s;
}

template <class T> Gradient<T> gradient(const gruworks_gradient& of) {
  Gradient<T> g{};
  g.output = in<T>(of.output), g.final = in<T>(of.final_state.data), g.final_b = of.final_state.b;
  g.x = out<T>(of.x), g.gi = out<T>(of.projections), g.decay = out<T>(of.decay);
  g.h0 = out<T>(of.h0), g.w_ih = out<T>(of.w_ih), g.w_hh = out<T>(of.w_hh);
  g.b_ih = out<T>(of.b_ih), g.b_hh = out<T>(of.b_hh);
  g.replacement = out<T>(of.replacement), g.gain = out<T>(of.gain), g.input_gain = out<T>(of.input_gain);
  return g;
}

}  // namespace

// The state of a stream in either element type.
struct gruworks_stream {
  virtual ~gruworks_stream() = default;
  virtual void step(const void* x) = 0;
  void* state = nullptr;
  size_t bytes = 0;
};

namespace {

template <class T> struct Typed : gruworks_stream {
  Block<T> own;
  std::unique_ptr<Stream<T>> stream;

  Typed(const gruworks_weights& of, Index sessions, void* given, int threads) {
    const Weights<T> w = weights<T>(of);
    require(sessions > 0, "a stream needs at least one session");
    bytes = sizeof(T) * sessions * w.H;
    if (!given) own = Block<T>(sessions * w.H), std::memset(own.get(), 0, bytes);
    state = given ? given : own.get();
    stream = std::make_unique<Stream<T>>(w, sessions, out<T>(state), threads);
  }
  void step(const void* x) override { stream->step(in<T>(x)); }
};

}  // namespace

extern "C" {

const char* gruworks_version(void) { return GRUWORKS_VERSION; }
const char* gruworks_message(void) { return last_message.c_str(); }
const char* gruworks_build(void) { return build().name; }
int gruworks_set_exact(int on) { return std::exchange(exact(), on != 0); }
const char* gruworks_thread_pool(void) { return pool().name; }

gruworks_status gruworks_choose_build(const char* name) {
  return guarded([&] {
    if (!name || !choose_build(name))
      throw std::invalid_argument(std::string("this processor has no build ") + (name ? name : "null"));
  });
}

gruworks_status gruworks_layer_create(gruworks_type type, gruworks_layer** layer) {
  return guarded([&] { *layer = new gruworks_layer{type, {}, {}}; });
}
void gruworks_layer_free(gruworks_layer* layer) { delete layer; }

int64_t gruworks_saved_size(int64_t steps, int64_t batch, int64_t hidden_size, int layer_norm) {
  const int64_t gates = 4 * padded(hidden_size);
  return steps * batch * (layer_norm ? 3 * gates + 8 : gates);
}

gruworks_status gruworks_forward(gruworks_layer* layer, const gruworks_weights* w, const gruworks_sequence* s, int threads) {
  return guarded([&] {
    if (layer->type == GRUWORKS_FLOAT32)
      run_forward<float>(sequence<float>(*w, *s), weights<float>(*w), layer->f32, threads);
    else run_forward<double>(sequence<double>(*w, *s), weights<double>(*w), layer->f64, threads);
  });
}

gruworks_status gruworks_backward(gruworks_layer* layer, const gruworks_weights* w, const gruworks_sequence* s,
                                  const gruworks_gradient* g, int threads) {
  return guarded([&] {
    require(s->saved, "the backward needs what the forward saved");
    if (layer->type == GRUWORKS_FLOAT32)
      run_backward<float>(sequence<float>(*w, *s), gradient<float>(*g), weights<float>(*w), layer->f32, threads);
    else run_backward<double>(sequence<double>(*w, *s), gradient<double>(*g), weights<double>(*w), layer->f64, threads);
  });
}

gruworks_status gruworks_stream_create(gruworks_type type, const gruworks_weights* w, int64_t sessions, void* state,
                                       int threads, gruworks_stream** stream) {
  return guarded([&] {
    if (type == GRUWORKS_FLOAT32) *stream = new Typed<float>(*w, sessions, state, threads);
    else *stream = new Typed<double>(*w, sessions, state, threads);
  });
}
void gruworks_stream_free(gruworks_stream* stream) { delete stream; }

gruworks_status gruworks_stream_step(gruworks_stream* stream, const void* x) {
  return guarded([&] {
    require(x, "a step needs an input");
    stream->step(x);
  });
}
const void* gruworks_stream_state(const gruworks_stream* stream) { return stream->state; }
gruworks_status gruworks_stream_save(const gruworks_stream* stream, void* to) {
  return guarded([&] { std::memcpy(to, stream->state, stream->bytes); });
}
gruworks_status gruworks_stream_restore(gruworks_stream* stream, const void* from) {
  return guarded([&] { std::memcpy(stream->state, from, stream->bytes); });
}

}  // extern "C"
