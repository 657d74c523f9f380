// Activation functions other than those that the steps inline, chosen at run time, and derivatives by their values.
#pragma once

#include "core/simd.h"
#include "gru/problem.h"

namespace gruworks::GRUWORKS_ISA {

template <class T> GRUWORKS_INLINE Vec<T> hard_sigmoid(Vec<T> a) {
  return at_least<T>(0, at_most<T>(1, a * T(1. / 6) + T(0.5)));
}

// Piecewise linear and rational functions.
template <class T> GRUWORKS_INLINE Vec<T> simple_activation(Activation by, Vec<T> a) {
  if (by == Activation::relu) return at_least<T>(0, a);
  if (by == Activation::hard_sigmoid) return hard_sigmoid<T>(a);
  if (by == Activation::softsign) return a / (T(1) - below_zero<T>(a));
  return a;
}

template <class T, int N>
GRUWORKS_INLINE void candidate_fractions(const Activations& by, const Vec<T> (&a)[N], Fraction<T> (&to)[N]) {
  if (by.candidate == Activation::tanh) return tanh_fractions<T, N>(a, to);
  if (by.candidate == Activation::sigmoid) return sigmoid_fractions<T, N>(a, to);
  for (int j = 0; j < N; ++j) to[j] = {simple_activation<T>(by.candidate, a[j]), all<T>(1)};
}

template <class T, int N>
GRUWORKS_INLINE void gate_fractions(const Activations& by, const Vec<T> (&a)[N], Fraction<T> (&to)[N]) {
  if (!by.hard_gates) return sigmoid_fractions<T, N>(a, to);
  for (int j = 0; j < N; ++j) to[j] = {hard_sigmoid<T>(a[j]), all<T>(1)};
}

// `d` where the value lies between 0 and 1, else 0.
template <class T> GRUWORKS_INLINE Vec<T> inside(Vec<T> value, Vec<T> d) {
  return value > T(0) ? (value < T(1) ? d : Vec<T>{}) : Vec<T>{};
}

// Gradient of the pre-activation from that of the gate, or of the candidate.
template <class T> GRUWORKS_INLINE Vec<T> through_gate(const Activations& by, Vec<T> d, Vec<T> gate) {
  return by.hard_gates ? inside<T>(gate, d * T(1. / 6)) : d * gate * (T(1) - gate);
}
template <class T> GRUWORKS_INLINE Vec<T> through_candidate(const Activations& by, Vec<T> d, Vec<T> n) {
  switch (by.candidate) {
    case Activation::tanh: return d * (T(1) - n * n);
    case Activation::relu: return n > T(0) ? d : Vec<T>{};
    case Activation::sigmoid: return d * n * (T(1) - n);
    case Activation::hard_sigmoid: return inside<T>(n, d * T(1. / 6));
    case Activation::softsign: return d * (T(1) + below_zero<T>(n)) * (T(1) + below_zero<T>(n));
    case Activation::linear: break;
  }
  return d;
}

}  // namespace gruworks::GRUWORKS_ISA
