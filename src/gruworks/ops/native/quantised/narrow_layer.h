// Operands of a step with quantized weights: plain pointers, as in problem.h.
//
// A word is 32 bits of one row: one float32, two bfloat16 or four int8 weights of adjacent inputs. All kinds
// share one packed layout, [panel of L rows][word][gate][L].
#pragma once

#include <cstdint>

#include "core/layout.h"

namespace gruworks {

enum class Narrow : int { float32, bfloat16, int8, projected };  // projected: x holds precomputed input projections

// Packed gates of one matrix; Hp = padded(H).
struct NarrowPacked {
  uint32_t* words;  // [Hp/L][words][gates][L]
  float* scale;     // [3][Hp]
  int32_t* sum;     // [3][Hp]: 128 times the sum of each row, the correction for the offset of unsigned states
  Index count;       // words of a row
};

struct NarrowLayer {
  Index I, H;
  bool before;
  Narrow kind, input;
  NarrowPacked x, h, n;  // n: "before" only, whose h holds r and z
  float* bias;           // [4][Hp]: r and z (both biases), input's n, state's n
};

struct DecoderKernels;

struct NarrowKernels {
  const char* name;
  Index lanes;
  void (*step)(const NarrowLayer&, const float* x, float* h, Index rows, float* scratch);
  Index (*scratch)(const NarrowLayer&);  // floats
  void (*project)(const NarrowLayer&, const float* const* x, Index count, float* gi, float* scratch);
  Index (*project_scratch)(const NarrowLayer&);  // floats
  const DecoderKernels* decoder;
};

}  // namespace gruworks
