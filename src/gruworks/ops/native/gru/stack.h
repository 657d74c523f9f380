// A stack of layers in one or two directions, or groups of units that each read a slice of the features, as one call.
#pragma once

#include <vector>

#include "gru/recurrence.h"

namespace gruworks {

// One layer in one direction. What is null in the backward is not computed.
template <class T> struct StackUnit {
  Weights<T> w;
  Packing<T>* packing;
  const T* h0;      // [B, H] or null
  T* final;         // [B, H]
  T* saved;         // [T * B][4Hp], in training
  const T* grad_final;
  T *grad_h0, *grad_w_ih, *grad_w_hh, *grad_b_ih, *grad_b_hh;
};

template <class T> struct Stack {
  Index steps, batch, I, H;
  int directions, groups;  // more than one group only with one layer; I is the input size of a group
  bool before, exact;
  std::vector<StackUnit<T>> units;  // by layer, then group, then direction
  Array3<const T> x;
  // By layer: output [T, B, D * H]; what the next layer reads, the same or the output times `mask`; dropout's mask. All
  // but the last layer's output are contiguous.
  std::vector<Array3<T>> output, passed;
  std::vector<const T*> mask;
  Array3<const T> grad_output;
  Array3<T> grad_x;

  Index layers() const { return static_cast<Index>(output.size()); }
  int abreast() const { return groups * directions; }  // units of a layer
  Index width() const { return abreast() * H; }
};

// With few rows, layers and directions run on a thread each, a layer some steps behind the one below; with many, one
// after the other with the rows divided among all threads. The bits are the same.
template <class T> void run_stack_forward(const Stack<T>&, int threads);
template <class T> void run_stack_backward(const Stack<T>&, int threads);

}  // namespace gruworks
