#include "attention_decoder/decoder.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "core/team.h"

namespace gruworks {

namespace {
constexpr Index kRowsOfAThread = 16;  // fewer do not pay for a second thread, which reads all the weights too
}

float* AttentionDecoder::hold(Index n) {
  memory_.emplace_back(n);
  std::memset(memory_.back().get(), 0, sizeof(float) * n);
  return reinterpret_cast<float*>(memory_.back().get());
}

Affine AttentionDecoder::packed(const float* w, Index K, Index N) {
  float* const panels = hold(K * padded(N));
  kernels_.decoder->pack(w, K, N, panels);
  return {panels, K, N};
}

AttentionDecoder::AttentionDecoder(const DecoderWeights& w) : kernels_(narrow_kernels()) {
  DecoderLayer& d = layer_;
  d.H = w.H, d.A = w.A, d.E = w.E, d.symbols = w.symbols, d.before = w.before;
  const auto layer = [&](const float* w_hh, const float* b_hh) {
    return Weights<float>{0, w.H, w.before, nullptr, w_hh, nullptr, b_hh};
  };
  first_ = packings_[0].get(layer(w.first_w_hh, w.first_b_hh), false, 1);
  second_ = packings_[1].get(layer(w.second_w_hh, w.second_b_hh), false, 1);
  d.first = first_->parts, d.second = second_->parts, d.gru = &kernels<float>(*first_->from);
  const auto copied = [&](const float* from, Index n) {
    float* const to = hold(padded(n));
    std::copy(from, from + n, to);
    return to;
  };
  d.gain = copied(w.gain, w.H), d.shift = copied(w.shift, w.H), d.epsilon = w.epsilon;
  d.query = packed(w.query, w.H, w.A), d.score = copied(w.score, w.A);
  d.gates = packed(w.gates, w.H, 3 * w.H), d.gates_bias = copied(w.gates_bias, 3 * w.H);
  d.readout = packed(w.readout, w.H, w.E);
  d.first_projections = w.first_projections, d.word_projections = w.word_projections;
  d.part = (w.symbols + 2) / 3;
  d.kind = w.head.kind;
  d.head = pack_narrow(w.head, d.part, 0, 3, kernels_.lanes, memory_);
  const Index Vp = padded(d.part);
  float* const bias = hold(3 * Vp);
  std::fill(bias, bias + 3 * Vp, -std::numeric_limits<float>::infinity());
  for (Index i = 0; i < w.symbols; ++i) bias[i / d.part * Vp + i % d.part] = w.head_bias[i];
  d.head_bias = bias;
}

void AttentionDecoder::step(const Sources& sources, DecoderStep what, int wanted) {
  what.turn = turn_ ^= 1;
  Place place;
  place.groups = static_cast<int>(std::clamp<Index>(what.rows / kRowsOfAThread, 1, usable_threads(wanted)));
  place.threads = place.groups;
  const Index each = (kernels_.decoder->scratch(layer_, sources) + 63) / 32 * 32;
  if (each * place.threads > scratch_size_) {
    scratch_size_ = each * place.threads;
    scratch_ = Block<float>(scratch_size_);
  }
  on_grid(place, [&](Place mine) {
    const Index begin = what.rows * mine.group / mine.groups, end = what.rows * (mine.group + 1) / mine.groups;
    kernels_.decoder->step(layer_, sources, what, begin, end, scratch_.get() + each * mine.thread);
  });
}

}  // namespace gruworks
