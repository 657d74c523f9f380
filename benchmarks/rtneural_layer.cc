// RTNeural's compile-time-sized GRU behind the type of rtneural_step.h; compiled once for each of its backends.
#include "rtneural_step.h"

#include <RTNeural/RTNeural.h>

#include <cstring>

namespace rtneural = RTNEURAL_NAMESPACE;
using Rows = std::vector<std::vector<float>>;

// Columns of the gates z, r, n from rows of r, z, n.
static Rows columns(const std::vector<float>& rows, int width, int hidden) {
  Rows made(width, std::vector<float>(3 * hidden));
  const int from[] = {hidden, 0, 2 * hidden};
  for (int gate = 0; gate < 3; ++gate)
    for (int j = 0; j < hidden; ++j)
      for (int i = 0; i < width; ++i) made[i][gate * hidden + j] = rows[(from[gate] + j) * width + i];
  return made;
}

template <int I, int H>
static Layer layer(const Weights& weights) {
  auto gru = std::make_shared<rtneural::GRULayerT<float, I, H>>();
  gru->setWVals(columns(weights.w_ih, I, H));
  gru->setUVals(columns(weights.w_hh, H, H));
  gru->setBVals({columns(weights.b_ih, 1, H)[0], columns(weights.b_hh, 1, H)[0]});
  gru->reset();
  return [gru](const float* x, float* y, int steps) {
    for (int t = 0; t < steps; ++t, x += I, y += H) {
#if RTNEURAL_USE_EIGEN
      gru->forward(Eigen::Map<const Eigen::Matrix<float, I, 1>>(x));
      std::memcpy(y, gru->outs.data(), H * sizeof(float));
#else
      using V = xsimd::simd_type<float>;
      V in[(I + V::size - 1) / V::size];
      if (I == 1)
        in[0] = V(x[0]);
      else
        std::memcpy(in, x, I * sizeof(float));
      gru->forward(in);
      std::memcpy(y, gru->outs, H * sizeof(float));
#endif
    }
  };
}

Layer MAKE_LAYER(const Weights& weights) {
  switch (1000 * weights.inputs + weights.hidden) {
    case 1008: return layer<1, 8>(weights);
    case 16016: return layer<16, 16>(weights);
    case 1024: return layer<1, 24>(weights);
    case 1040: return layer<1, 40>(weights);
    case 64064: return layer<64, 64>(weights);
  }
  return {};
}
