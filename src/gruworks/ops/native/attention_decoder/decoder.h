// Attention decoder, step by step: two GRU layers, the attention between them, the output layer and the best tokens.
// ops/attention_decoder.py documents the computation.
#pragma once

#include "attention_decoder/layer.h"
#include "quantised/quantised.h"
#include "gru/recurrence.h"

namespace gruworks {

// The caller's arrays, contiguous. All are copied but the projections of the tokens, which must outlive the decoder.
struct DecoderWeights {
  Index H, A, E, symbols;
  bool before;
  const float *first_w_hh, *first_b_hh, *second_w_hh, *second_b_hh;
  const float *gain, *shift;
  float epsilon;
  const float *query, *score, *gates, *gates_bias, *readout;  // [H, A], [A], [H, 3H], [3H], [H, E]
  const float *first_projections, *word_projections;          // [., 3H], [., E]
  NarrowMatrix head;                                          // [3 part, E], zeros beyond the symbols
  const float* head_bias;                                     // [symbols]
};

class AttentionDecoder {
 public:
  explicit AttentionDecoder(const DecoderWeights&);
  // Tokens must be below V, and lengths from 1 to the sources' steps.
  void step(const Sources&, DecoderStep, int threads);

 private:
  float* hold(Index n);  // n zeros
  Affine packed(const float* w, Index K, Index N);

  const NarrowKernels& kernels_;
  std::vector<Block<uint32_t>> memory_;
  Packing<float> packings_[2];
  std::shared_ptr<const PackedWeights<float>> first_, second_;
  DecoderLayer layer_{};
  Block<float> scratch_;
  Index scratch_size_ = 0, turn_ = 0;
};

}  // namespace gruworks
