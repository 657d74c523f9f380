// The kernels under the address and undefined-behaviour sanitizers: every build that this processor runs, every
// operand, buffers of exactly their size. The states are held against four plain lines, all gradients together against
// a central difference of the kernel itself along a random direction.
#include <cmath>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "attention_decoder/decoder.h"
#include "quantised/quantised.h"
#include "gru/recurrence.h"
#include "gru/stream.h"
#include "gruworks.h"

using namespace gruworks;
using Values = std::vector<double>;

static std::mt19937 engine(1);

static Values random_values(Index n, double low = -1, double high = 1) {
  std::uniform_real_distribution<double> draw(low, high);
  Values v(n);
  for (double& a : v) a = draw(engine);
  return v;
}

struct Case {
  Index T, B, I, H;
  bool before, reverse, ragged, decayed, terms;
  int threads;
  // x (or terms), h0, w_ih, w_hh, b_ih, b_hh, decay, replacement
  std::vector<Values> values;
  std::vector<int64_t> lengths;
  Values output, final, saved, states;
  bool replaced = false;
  Activations activations = {};
  std::vector<uint8_t> resets = {};

  void draw() {
    const double bound = 1 / std::sqrt(double(H));
    values = {random_values(T * B * (terms ? 3 * H : I)), random_values(B * H), random_values(3 * H * I, -bound, bound),
              random_values(3 * H * H, -bound, bound),    random_values(3 * H), random_values(3 * H),
              random_values(T * B * H, 0, 1),             random_values(B * H)};
    lengths.clear();
    for (Index b = 0; b < B; ++b) lengths.push_back(ragged ? std::uniform_int_distribution<Index>(0, T)(engine) : T);
    resets.clear();
    for (Index i = 0; i < T * B; ++i) resets.push_back(engine() % 3 == 0);
    output.assign(T * B * H, NAN), final.assign(B * H, NAN);
    saved.assign(T * B * 4 * padded(H), NAN), states.assign(T * B * H, NAN);
  }
  Weights<double> weights() {
    return {I, H, before, terms ? nullptr : values[2].data(), values[3].data(), terms ? nullptr : values[4].data(),
            values[5].data(), activations};
  }
  Sequence<double> sequence(bool keep) {
    Sequence<double> s{};
    s.steps = T, s.batch = B, s.I = terms ? 0 : I, s.H = H, s.before = before, s.reverse = reverse;
    if (terms) s.gi = {values[0].data(), B * 3 * H, 3 * H};
    else s.x = {values[0].data(), B * I, I};
    s.h0 = values[1].data(), s.h0_b = H;
    if (ragged) s.lengths = lengths.data();
    if (decayed) s.decay = {values[6].data(), B * H, H};
    if (replaced) s.resets = {resets.data(), B, 1};
    if (decayed || replaced) s.replacement = values[7].data(), s.replacement_b = H;
    s.activations = activations;
    s.output = {output.data(), B * H, H}, s.final = final.data();
    if (keep) s.saved = saved.data();
    if (keep && decayed) s.states = states.data();
    return s;
  }
  void forward(bool keep) {
    Packing<double> packing;
    run_forward<double>(sequence(keep), weights(), packing, threads);
  }
  double loss(const Values& by_output, const Values& by_final) {
    forward(false);
    double sum = 0;
    for (size_t i = 0; i < output.size(); ++i) sum += output[i] * by_output[i];
    for (size_t i = 0; i < final.size(); ++i) sum += final[i] * by_final[i];
    return sum;
  }
};

static double sigmoid(double a) { return 1 / (1 + std::exp(-a)); }
static double hard_sigmoid(double a) { return std::max(0., std::min(1., a / 6 + 0.5)); }

static double candidate(Activation by, double a) {
  switch (by) {
    case Activation::tanh: return std::tanh(a);
    case Activation::relu: return std::max(0., a);
    case Activation::sigmoid: return sigmoid(a);
    case Activation::hard_sigmoid: return hard_sigmoid(a);
    case Activation::softsign: return a / (1 + std::abs(a));
    case Activation::linear: break;
  }
  return a;
}

// Derivatives with jumps, which a difference may cross.
static bool kinked(Activations by) {
  return by.hard_gates || by.candidate == Activation::relu || by.candidate == Activation::hard_sigmoid;
}

// The largest difference of the states from the equations.
static double against_equations(Case& c) {
  double worst = 0;
  for (Index b = 0; b < c.B; ++b) {
    Values h(c.values[1].begin() + b * c.H, c.values[1].begin() + (b + 1) * c.H);
    for (Index step = 0; step < c.lengths[b]; ++step) {
      const Index t = c.reverse ? c.lengths[b] - 1 - step : step;
      if (c.replaced && c.resets[t * c.B + b])
        h.assign(c.values[7].begin() + b * c.H, c.values[7].begin() + (b + 1) * c.H);
      for (Index j = 0; c.decayed && j < c.H; ++j) {
        const double d = c.values[6][(t * c.B + b) * c.H + j];
        h[j] = d * h[j] + (1 - d) * c.values[7][b * c.H + j];
      }
      const auto input = [&](Index row) {
        if (c.terms) return c.values[0][(t * c.B + b) * 3 * c.H + row];
        double sum = c.values[4][row];
        for (Index i = 0; i < c.I; ++i) sum += c.values[2][row * c.I + i] * c.values[0][(t * c.B + b) * c.I + i];
        return sum;
      };
      const auto state = [&](Index row, const Values& from) {
        double sum = c.values[5][row];
        for (Index k = 0; k < c.H; ++k) sum += c.values[3][row * c.H + k] * from[k];
        return sum;
      };
      Values r(c.H), rh(c.H), next(c.H);
      const auto gate = c.activations.hard_gates ? hard_sigmoid : sigmoid;
      for (Index j = 0; j < c.H; ++j) r[j] = gate(input(j) + state(j, h)), rh[j] = r[j] * h[j];
      for (Index j = 0; j < c.H; ++j) {
        const double z = gate(input(c.H + j) + state(c.H + j, h)), x = input(2 * c.H + j);
        const double n = candidate(c.activations.candidate, x + (c.before ? state(2 * c.H + j, rh) : r[j] * state(2 * c.H + j, h)));
        next[j] = n + z * (h[j] - n);
      }
      h = next;
      for (Index j = 0; j < c.H; ++j) worst = std::max(worst, std::abs(h[j] - c.output[(t * c.B + b) * c.H + j]));
    }
    for (Index j = 0; j < c.H; ++j) worst = std::max(worst, std::abs(h[j] - c.final[b * c.H + j]));
  }
  return worst;
}

// <gradient, direction> against a central difference.
static double against_difference(Case& c) {
  const Values by_output = random_values(c.output.size()), by_final = random_values(c.final.size());
  std::vector<Values> grads, direction;
  for (const Values& v : c.values) grads.emplace_back(v.size(), 0.), direction.push_back(random_values(v.size()));
  c.forward(true);
  Gradient<double> g{};
  g.output = {by_output.data(), c.B * c.H, c.H}, g.final = by_final.data(), g.final_b = c.H;
  if (c.terms) g.gi = {grads[0].data(), c.B * 3 * c.H, 3 * c.H};
  else g.x = {grads[0].data(), c.B * c.I, c.I}, g.w_ih = grads[2].data(), g.b_ih = grads[4].data();
  g.h0 = grads[1].data(), g.w_hh = grads[3].data(), g.b_hh = grads[5].data();
  if (c.decayed) g.decay = {grads[6].data(), c.B * c.H, c.H};
  if (c.decayed || c.replaced) g.replacement = grads[7].data();
  Packing<double> packing;
  run_backward<double>(c.sequence(true), g, c.weights(), packing, c.threads);

  double along = 0, values[2];
  const auto original = c.values;
  for (int side = 0; side < 2; ++side) {
    for (size_t v = 0; v < original.size(); ++v)
      for (size_t i = 0; i < original[v].size(); ++i)
        c.values[v][i] = original[v][i] + (side ? -1e-6 : 1e-6) * direction[v][i];
    values[side] = c.loss(by_output, by_final);
  }
  c.values = original;
  for (size_t v = 0; v < grads.size(); ++v)
    for (size_t i = 0; i < grads[v].size(); ++i) along += grads[v][i] * direction[v][i];
  return std::abs(along - (values[0] - values[1]) / 2e-6) / (1 + std::abs(along));
}

static bool streams(const char* name) {
  Case c{1, 3, 2, 19, false, false, false, false, false, 1, {}, {}, {}, {}, {}, {}};
  c.draw();
  c.forward(false);
  Values state = c.values[1];
  Stream<double> stream(c.weights(), 3, state.data(), 2);
  stream.step(c.values[0].data());
  for (size_t i = 0; i < state.size(); ++i)
    if (std::abs(state[i] - c.final[i]) > 1e-13) return std::printf("%s: stream\n", name), false;
  return true;
}

// Bounds alone: numbers are tests/ops/test_quantised.py's. Rows of int8 or bfloat16 bytes, each exactly as long as it is.
static bool narrow_streams(const char* name) {
  bool fine = true;
  for (int form = 0; form < 16; ++form) {
    const bool before = form & 1, bfloat16 = form & 2, terms = form & 4;
    const Index I = form & 8 ? 5 : 33, H = 19, sessions = 7, wide = bfloat16 ? 2 : 1;
    std::vector<char> x(3 * H * I * wide, 1), h(3 * H * H * wide, 1);
    std::vector<float> scale(3 * H, .01f), bias(3 * H, .1f), state(sessions * H, .5f), in(sessions * (terms ? 3 * H : I));
    const Narrow kind = bfloat16 ? Narrow::bfloat16 : Narrow::int8;
    NarrowStream stream({terms ? Narrow::projected : kind, x.data(), scale.data(), terms ? 0 : I},
                        {kind, h.data(), scale.data(), H}, bias.data(), bias.data(), H, before, sessions, state.data(), 2);
    for (int t = 0; t < 3; ++t) stream.step(in.data());
    for (const float one : state) fine &= std::abs(one) <= 1;
  }
  if (!fine) std::printf("%s: narrow stream\n", name);
  return fine;
}

// Bounds, and that probabilities sum to one: numbers are tests/tasks/translate/test_fused_decoder.py's.
static bool decodes(const char* name) {
  bool fine = true;
  for (int form = 0; form < 8; ++form) {
    const bool before = form & 1, int8 = form & 2, ragged = form & 4;
    const Index H = ragged ? 19 : 32, A = ragged ? 7 : 64, E = ragged ? 21 : 16, V = 50, B = 3, S = 5, part = (V + 2) / 3;
    const Index read = padded(3 * H) + padded(E), rows = ragged ? 51 : 6, best = 4;
    const auto some = [](Index n) {
      const Values drawn = random_values(n);
      return std::vector<float>(drawn.begin(), drawn.end());
    };
    const auto w_hh = some(3 * H * H), b_hh = some(3 * H), gain = some(H), query = some(H * A), score = some(A);
    const auto gates = some(H * 3 * H), readout = some(H * E);
    const auto first_projections = some(V * 3 * H), word_projections = some(V * E);
    const auto bias = some(V), scale = std::vector<float>(3 * part, .01f), head = some(3 * part * E);
    const std::vector<char> head8(3 * part * E, 3);
    const NarrowMatrix matrix{int8 ? Narrow::int8 : Narrow::float32,
                              int8 ? static_cast<const void*>(head8.data()) : head.data(), scale.data(), E};
    AttentionDecoder decoder({H, A, E, V, before, w_hh.data(), b_hh.data(), w_hh.data(), nullptr, gain.data(),
                              gain.data(), 1e-5f, query.data(), score.data(), gates.data(), b_hh.data(), readout.data(),
                              first_projections.data(), word_projections.data(), matrix, bias.data()});
    const auto keys = some(B * S * A), from = some(B * S * read), first = some(rows * H), second = some(rows * H);
    const std::vector<int64_t> lengths{5, 1, 3}, tokens(rows, V - 1);
    std::vector<float> one(rows * H), two(rows * H), values(rows * best), answer(rows * V);
    std::vector<int64_t> symbols(rows * best);
    DecoderStep what{};
    what.rows = rows, what.tokens = tokens.data(), what.first = first.data(), what.second = second.data();
    what.first_out = one.data(), what.second_out = two.data(), what.log_probabilities = answer.data();
    what.values = values.data(), what.best_symbols = symbols.data(), what.best = best;
    decoder.step({keys.data(), from.data(), lengths.data(), B, S}, what, 2);
    for (Index i = 0; i < rows; ++i) {
      double sum = 0;
      for (Index v = 0; v < V; ++v) sum += std::exp(answer[i * V + v]);
      fine &= std::abs(sum - 1) < 1e-4 && answer[i * V + symbols[i * best]] == values[i * best];
    }
  }
  if (!fine) std::printf("%s: decoder\n", name);
  return fine;
}

// Bounds, and that both ways of sharing out give one result.
static bool scans(const char* name) {
  bool fine = true;
  for (const Index lanes : {1, 17, 70})
    for (const Index steps : {0, 1, 50}) {
      std::vector<Values> in, out[2];
      for (int i = 0; i < 2; ++i) {
        in.push_back(random_values(steps * lanes));
        for (double& one : in.back()) one = -std::abs(one);
      }
      const Values grad = random_values(steps * lanes), h0 = random_values(lanes);
      for (int by_steps = 0; by_steps < 2; ++by_steps) {
        auto& to = out[by_steps];
        for (int i = 0; i < 3; ++i) to.emplace_back(steps * lanes);
        to.emplace_back(lanes);
        const Scan<double> s{steps, lanes, in[0].data(), in[1].data(), h0.data(), to[0].data(), grad.data(),
                             to[1].data(), to[2].data(), to[3].data(), nullptr};
        run_scan(s, false, 3, by_steps);
        run_scan(s, true, 3, by_steps);
      }
      for (int i = 0; i < 4; ++i)
        for (size_t j = 0; j < out[0][i].size(); ++j) fine &= std::abs(out[0][i][j] - out[1][i][j]) < 1e-12;
    }
  if (!fine) std::printf("%s: scan\n", name);
  return fine;
}

// The C interface: errors by status and message, a stream's state saved and restored.
static bool c_interface() {
  const std::vector<float> w_ih(6, 0.5f), w_hh(12, -0.25f), x{1, 2, 3};
  const gruworks_weights none{1, 0, 0, w_ih.data(), w_hh.data(), nullptr, nullptr, GRUWORKS_TANH, 0};
  const gruworks_weights weights{1, 2, 0, w_ih.data(), w_hh.data(), nullptr, nullptr, GRUWORKS_TANH, 0};
  gruworks_stream* stream = nullptr;
  if (gruworks_stream_create(GRUWORKS_FLOAT32, &none, 1, nullptr, 1, &stream) != GRUWORKS_INVALID || stream) return false;
  if (std::string(gruworks_message()).find("hidden size") == std::string::npos) return false;
  if (gruworks_choose_build("none") != GRUWORKS_INVALID) return false;
  if (gruworks_stream_create(GRUWORKS_FLOAT32, &weights, 1, nullptr, 1, &stream) != GRUWORKS_OK) return false;
  float saved[2], after[2];
  bool right = gruworks_stream_step(stream, nullptr) == GRUWORKS_INVALID;
  right &= gruworks_stream_step(stream, &x[0]) == GRUWORKS_OK && gruworks_stream_save(stream, saved) == GRUWORKS_OK;
  right &= gruworks_stream_step(stream, &x[1]) == GRUWORKS_OK && gruworks_stream_save(stream, after) == GRUWORKS_OK;
  right &= gruworks_stream_restore(stream, saved) == GRUWORKS_OK && gruworks_stream_step(stream, &x[1]) == GRUWORKS_OK;
  const float* state = static_cast<const float*>(gruworks_stream_state(stream));
  right &= state[0] == after[0] && state[1] == after[1] && saved[0] != after[0];
  gruworks_stream_free(stream);
  return right;
}

int main() {
  int failed = !c_interface(), cases = 0;
  for (const Build* const* b = builds(); *b; ++b) {
    choose_build((*b)->name);
    failed += !streams((*b)->name) + !narrow_streams((*b)->name) + !decodes((*b)->name) + !scans((*b)->name);
    allow_dot_products(false);
    failed += !narrow_streams((*b)->name) + !decodes((*b)->name) + !scans((*b)->name);
    allow_dot_products(true);
    for (Index H : {1, 17, 48, 70, 385})
      for (Index B : H > 100 ? std::vector<Index>{1} : std::vector<Index>{0, 1, 2, 9, 17})
        for (int form = 0; form < 32; ++form) {
          Case c{7, B, B == 9 ? 20 : 3, H, bool(form & 1), bool(form & 2), bool(form & 4), bool(form & 8), bool(form & 16),
                 int(1 + (form + B) % 4), {}, {}, {}, {}, {}, {}};
          c.replaced = cases % 3 == 0;
          if (cases % 4 == 1) c.activations = {static_cast<Activation>(cases / 4 % 6), cases / 24 % 2 == 1};
          c.draw();
          c.forward(false);
          const double state = against_equations(c), slope = against_difference(c);
          ++cases;
          if (state < 1e-12 && (slope < 1e-6 || kinked(c.activations))) continue;
          ++failed;
          std::printf("%s H %td B %td form %d: states %g, gradients %g\n", (*b)->name, H, B, form, state, slope);
        }
  }
  std::printf("%d cases, %d failed\n", cases, failed);
  return failed != 0;
}
