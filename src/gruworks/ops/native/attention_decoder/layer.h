// Operands of an attention decoder's step: plain pointers, as in problem.h.
// ops/attention_decoder.py documents the step.
#pragma once

#include "gru/problem.h"
#include "quantised/narrow_layer.h"

namespace gruworks {

// Affine map of x [N, K], W packed for multiply.h: vectors of columns in groups of three (the last of two or one),
// [K][V][L] each.
struct Affine {
  const float* panels;
  Index K, N;
};

struct DecoderLayer {
  Index H, A, E, symbols;                        // state, keys, features, vocabulary
  bool before;
  Packed<float> first, second;                  // both GRU layers, over precomputed input projections
  const float *gain, *shift;                    // layer norm of the first one's state [H]
  float epsilon;
  Affine query, gates, readout;                 // [H, A], [H, 3H], [H, E]
  const float* score;                           // [Ap], zeros beyond A
  const float* gates_bias;                      // [padded(3H)], zeros beyond
  // Each token's precomputed projections for the first layer [., 3H] and the readout [., E].
  const float *first_projections, *word_projections;
  Narrow kind;                                  // of the output layer: int8 or float32
  NarrowPacked head;                            // its rows in three parts, in the layout of gates, `part` tokens each
  const float* head_bias;                       // [3][Vp], -inf beyond the vocabulary
  Index part;
  const Kernels<float>* gru;
};

// Source sentences, one for every W adjacent rows.
struct Sources {
  const float *keys, *read;  // [B, S, A], [B, S, padded(3H) + padded(E)]
  const int64_t* lengths;    // [B], each from 1 to S
  Index count, steps;         // B, S
};

struct DecoderStep {
  Index rows;                    // N, a multiple of B
  const int64_t* tokens;        // [N]
  const float *first, *second;  // states before it [N, H]
  float *first_out, *second_out;
  float* log_probabilities;     // [N, symbols], or null
  float* values;                // [N, best] and their tokens, in descending order; best may be 0
  int64_t* best_symbols;
  Index best;
  Index turn;                    // step counter: weights are read in alternating directions
};

struct DecoderKernels {
  void (*pack)(const float* w, Index K, Index N, float* panels);  // w [K, N]
  void (*step)(const DecoderLayer&, const Sources&, const DecoderStep&, Index begin, Index end, float* scratch);
  Index (*scratch)(const DecoderLayer&, const Sources&);  // floats
};

}  // namespace gruworks
