// Arguments of the kernels: plain pointers and strides in elements. T time, B batch, I input size, H hidden size.
#pragma once

#include <cstdint>

#include "core/layout.h"
#include "core/threads.h"

namespace gruworks {

// Activation function of the candidate; the numbers are those of gruworks.h.
enum class Activation { tanh, relu, sigmoid, hard_sigmoid, softsign, linear };

struct Activations {
  Activation candidate = Activation::tanh;
  bool hard_gates = false;  // max(0, min(1, a / 6 + 1 / 2)) instead of the logistic function

  bool usual() const { return candidate == Activation::tanh && !hard_gates; }
};

// Weights as torch stores them: rows r, z, n; biases may be null.
template <class T> struct Weights {
  Index I, H;
  bool before;
  const T *w_ih, *w_hh, *b_ih, *b_hh;
  Activations activations = {};
};

// Packed weights (pack.h). Hp = padded(H), L lanes of a vector.
template <class T> struct Packed {
  T* x;       // [Hp/L][I][3][L]   gates r, z, n of L columns together
  T* h;       // [Hp/L][H][3][L]; "before": [Hp/L][H][2][L], gates r, z
  T* n;       // "before": [Hp/L][H][L], W_hn
  T* bias;    // [4][Hp]: r and z (both biases), input's n, state's n
  T* back_h;  // [Hp/L][3Hp][L]: columns of W_hh, rows n r z ("after") or r z n ("before")
  T* back_x;  // [Ip/L][3Hp][L]: columns of W_ih, rows r z n
};

constexpr Index kSmall = 64;  // hidden units of a small unit at most

// One layer in one direction. In training, `saved` [T * B][4Hp] holds hn|r|z|n of each step ("after") or rh|r|z|n
// ("before") and the backward overwrites them with their gradients (rh stays), so that those of the state's products
// are the first three quarters and those of the input projections the last three.
template <class T> struct Sequence {
  Index steps, batch, I, H;
  bool before, reverse;
  bool exact;                   // one order of sums, see core/exact.h
  Activations activations;
  Index turn;                   // added to the step number, whose parity is the direction in which weights are read
  Packed<T> w;
  Array3<const T> x, gi;       // one of the two
  const T* h0;                 // [B, H] or null for zeros
  Index h0_b;
  const int64_t* lengths;      // [B] or null
  const Index* order;           // rows, longest first within each group
  Array3<const uint8_t> resets;  // [T, B] or null: not 0 where the state is replaced before the step, in order of processing
  Array3<const T> decay;       // or null
  const T* replacement;        // [B, H] target of resets and decay, or null for zeros
  Index replacement_b;
  Array3<T> output;            // [T, B, H]
  T* final;                    // [B, H]
  T* saved;                    // or null
  T* states;                   // with decay or mask: states as products read them, [T * B][H] in training, else [2 * B][H]
  T* work;                     // without `saved`, "before" or columns split: [B][4Hp]
  T* exchange;                 // columns split, no states: [2 * B][Hp], where members read each other's states
  const T* mask;               // recurrent dropout [B, H] or null; never with decay
  Index mask_b;
  Array3<const T> zoneout;     // weight of the previous state, or null
  const T *gain, *input_gain;  // layer norm of the products of state and x [3H] (columns are then never split), or null
  T *terms, *inputs;           // those products, normalized, in the layout of `saved`: n|r|z|- or rh|r|z|n; -|r|z|n
                               // [T * B][4Hp] in training, overwritten by their gradients, else [B][4Hp]
  T* scales;                   // in training: 1 / deviation of each gate's products: state's r z n -, x's, [T * B][8]

  // A small unit with nothing but x, h0 and ready input terms: a row alone takes the steps of small.h.
  bool small() const {
    return H <= kSmall && !exact && !before && !states && !gain && !zoneout.data && !lengths && !resets.data &&
           activations.usual();
  }
  Index length(Index b) const { return lengths ? lengths[b] : steps; }
  Index time(Index b, Index step) const { return reverse ? length(b) - 1 - step : step; }
};

// Columns from which on a member of a group waits for the others before its sum, not after a partial one.
constexpr Index kOnePass = 384, kOnePassAfter = 128;  // the second: forward of "after", with one barrier a step

template <class T> struct Gradient {
  Array3<const T> output;  // or null
  const T* final;          // [B, H] or null
  Index final_b;
  Array3<T> x;             // or null
  Array3<T> gi;            // or null
  T *h0, *w_ih, *w_hh, *b_ih, *b_hh, *replacement;  // contiguous; each or null
  T *gain, *input_gain;
  Array3<T> decay;         // or null
  T* carry;                // [B][Hp]
  T* gains;                // with gain: [groups][6Hp], sums over each group's rows, state's and x's
  bool continued;          // the carry holds the gradient from the steps after these
  bool weights_only;       // the steps' gradients are in `saved` already
};

// h_t = a_t h_{t-1} + b_t for `lanes` columns; everything is contiguous, [T, lanes] or [lanes].
template <class T> struct Scan {
  Index steps, lanes;
  const T *log_a, *log_b, *h0;
  T* states;
  const T* grad;                 // of the states, and the resulting gradients
  T *d_log_a, *d_log_b, *d_h0;
  T* exchange;                   // steps divided among groups: [groups][2][lanes]
};

// One build of the kernels. Every function is the work of one thread.
template <class T> struct Kernels {
  void (*pack)(const Weights<T>&, const Packed<T>&, bool backward, Place);
  void (*forward)(const Sequence<T>&, Place, T* scratch);
  Index (*forward_scratch)(const Sequence<T>&, Place);
  void (*small_step)(const Sequence<T>&);
  void (*backward)(const Sequence<T>&, const Gradient<T>&, Place, T* scratch);
  Index (*backward_scratch)(const Sequence<T>&, Place);
  void (*gates)(Index rows, Index H, const T* gi, const T* gh, const T* h, T* out);
  void (*gates_backward)(Index rows, Index H, const T* gi, const T* gh, const T* h, const T* grad, T* d_gi, T* d_gh,
                         T* d_h);
  void (*chance)(T* to, Index n, double share, T value, uint64_t seed);
  void (*scan)(const Scan<T>&, Place);
  void (*scan_backward)(const Scan<T>&, Place);
};

struct Build {
  const char* name;
  int rows;  // of the batch that one block of registers holds
  uint64_t (*fingerprint)(const void* data, Index bytes);
  const Kernels<float>* f32;
  const Kernels<double>* f64;
};

template <class T> const Kernels<T>& kernels(const Build& from) {
  if constexpr (sizeof(T) == 4) return *from.f32;
  else return *from.f64;
}

}  // namespace gruworks
