#include "quantised/quantised.h"

#include <algorithm>
#include <cstring>

#include "core/compiler.h"
#include "core/cpu.h"
#include "core/team.h"
#include "gru/recurrence.h"

namespace gruworks {

#define GRUWORKS_BUILD(name)         \
  namespace name {                   \
  extern const NarrowKernels narrow; \
  }
GRUWORKS_BUILD(GRUWORKS_BASE)
#ifdef GRUWORKS_X86
GRUWORKS_BUILD(avx2)
GRUWORKS_BUILD(avx512)
GRUWORKS_BUILD(avx512vnni)
#endif
#ifdef GRUWORKS_AVX2VNNI
GRUWORKS_BUILD(avx2vnni)
#endif
#ifdef GRUWORKS_DOTPROD
GRUWORKS_BUILD(neondotprod)
#endif

namespace {
bool dot_products_allowed = true;
}
void allow_dot_products(bool allowed) { dot_products_allowed = allowed; }

const NarrowKernels& narrow_kernels() {
  [[maybe_unused]] const auto chosen = [](const char* name) { return std::strcmp(build().name, name) == 0; };
  [[maybe_unused]] const auto dot_products = [](const char* name) { return dot_products_allowed && supports(name); };
#ifdef GRUWORKS_AVX2VNNI
  if (chosen("avx2") && dot_products("avxvnni")) return avx2vnni::narrow;
#endif
#ifdef GRUWORKS_X86
  if (chosen("avx2")) return avx2::narrow;
  if (chosen("avx512")) return dot_products("avx512vnni") ? avx512vnni::narrow : avx512::narrow;
#endif
#ifdef GRUWORKS_DOTPROD
  if (dot_products("dotprod")) return neondotprod::narrow;
#endif
  return GRUWORKS_BASE::narrow;
}

namespace {

Index bytes_of(Narrow kind) { return kind == Narrow::int8 ? 1 : kind == Narrow::bfloat16 ? 2 : 4; }

uint32_t* zeros(Index n, std::vector<Block<uint32_t>>& memory) {
  memory.emplace_back(n);
  std::memset(memory.back().get(), 0, sizeof(uint32_t) * n);
  return memory.back().get();
}

}  // namespace

NarrowPacked pack_narrow(const NarrowMatrix& from, Index H, Index first, Index last, Index L,
                         std::vector<Block<uint32_t>>& memory) {
  const Index Hp = padded(H), gates = last - first, row = from.K * bytes_of(from.kind);
  NarrowPacked to;
  to.count = (row + 3) / 4;
  to.words = zeros(Hp * to.count * gates, memory);
  to.scale = reinterpret_cast<float*>(zeros(gates * Hp, memory));
  to.sum = reinterpret_cast<int32_t*>(zeros(gates * Hp, memory));
  for (Index g = 0; g < gates; ++g)
    for (Index j = 0; j < H; ++j) {
      const char* bytes = static_cast<const char*>(from.rows) + ((first + g) * H + j) * row;
      for (Index k = 0; k < to.count; ++k)
        std::memcpy(to.words + ((j / L * to.count + k) * gates + g) * L + j % L, bytes + 4 * k,
                    std::min<Index>(4, row - 4 * k));
      if (from.kind != Narrow::int8) continue;
      to.scale[g * Hp + j] = from.scale[(first + g) * H + j];
      for (Index k = 0; k < row; ++k) to.sum[g * Hp + j] += 128 * static_cast<signed char>(bytes[k]);
    }
  return to;
}

void NarrowWeights::pack_biases(const float* b_ih, const float* b_hh) {
  const Index H = layer.H, Hp = padded(H);
  layer.bias = reinterpret_cast<float*>(zeros(4 * Hp, memory));
  for (Index j = 0; j < H; ++j) {
    for (Index g = 0; g < 2; ++g)
      layer.bias[g * Hp + j] = (b_ih ? b_ih[g * H + j] : 0) + (b_hh ? b_hh[g * H + j] : 0);
    layer.bias[2 * Hp + j] = b_ih ? b_ih[2 * H + j] : 0;
    layer.bias[3 * Hp + j] = b_hh ? b_hh[2 * H + j] : 0;
  }
}

NarrowWeights::NarrowWeights(const NarrowMatrix& x, const NarrowMatrix& h, const float* b_ih, const float* b_hh,
                             Index H, bool before)
    : kernels(narrow_kernels()), layer{} {
  layer.I = x.K, layer.H = H, layer.before = before, layer.kind = h.kind, layer.input = x.kind;
  const auto packed = [&](const NarrowMatrix& from, Index first, Index last) {
    return pack_narrow(from, H, first, last, kernels.lanes, memory);
  };
  if (x.kind != Narrow::projected) layer.x = packed(x, 0, 3);
  layer.h = packed(h, 0, before ? 2 : 3);
  if (before) layer.n = packed(h, 2, 3);
  pack_biases(b_ih, b_hh);
}

NarrowStream::NarrowStream(const NarrowMatrix& x, const NarrowMatrix& h, const float* b_ih, const float* b_hh, Index H,
                           bool before, Index sessions, float* state, int threads)
    : weights_(x, h, b_ih, b_hh, H, before), sessions_(sessions), state_(state) {
  const Index work = 3 * sessions * H * (H + x.K);
  place_.groups = work < kAlone8 ? 1 : static_cast<int>(std::min<Index>(usable_threads(threads), (sessions + 3) / 4));
  place_.threads = place_.groups;
  flags_.resize(place_.threads);
  scratch_size_ = (weights_.kernels.scratch(weights_.layer) + 63) / 32 * 32;
  scratch_ = Block<float>(scratch_size_ * place_.threads);
}

void NarrowStream::step(const float* x) {
  on_grid(place_, flags_.data(), [&](Place mine) {
    const Index begin = sessions_ * mine.group / mine.groups, end = sessions_ * (mine.group + 1) / mine.groups;
    weights_.kernels.step(weights_.layer, x + begin * width(), state_ + begin * weights_.layer.H, end - begin,
                          scratch_.get() + scratch_size_ * mine.thread);
  });
}

}  // namespace gruworks
