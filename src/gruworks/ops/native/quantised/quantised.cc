#include "quantised/quantised.h"

#include <algorithm>
#include <cstring>

#include "gru/recurrence.h"
#include "core/team.h"

namespace gruworks {

namespace portable {
extern const NarrowKernels narrow;
}
#ifdef GRUWORKS_X86
namespace avx2 {
extern const NarrowKernels narrow;
}
namespace avx512 {
extern const NarrowKernels narrow;
}
namespace avx512vnni {
extern const NarrowKernels narrow;
}
#endif

namespace {
bool vnni_allowed = true;
}
void allow_vnni(bool allowed) { vnni_allowed = allowed; }

const NarrowKernels& narrow_kernels() {
#ifdef GRUWORKS_X86
  if (std::strcmp(build().name, "avx2") == 0) return avx2::narrow;
  if (std::strcmp(build().name, "avx512") == 0)
    return vnni_allowed && __builtin_cpu_supports("avx512vnni") ? avx512vnni::narrow : avx512::narrow;
#endif
  return portable::narrow;
}

namespace {

constexpr long kAlone8 = 2000000;  // multiply-adds of 8 bits below which a second thread does not pay

long bytes_of(Narrow kind) { return kind == Narrow::int8 ? 1 : kind == Narrow::bfloat16 ? 2 : 4; }

uint32_t* zeros(long n, std::vector<Block<uint32_t>>& memory) {
  memory.emplace_back(n);
  std::memset(memory.back().get(), 0, sizeof(uint32_t) * n);
  return memory.back().get();
}

}  // namespace

NarrowPacked pack_narrow(const NarrowMatrix& from, long H, long first, long last, long L,
                         std::vector<Block<uint32_t>>& memory) {
  const long Hp = padded(H), gates = last - first, row = from.K * bytes_of(from.kind);
  NarrowPacked to;
  to.count = (row + 3) / 4;
  to.words = zeros(Hp * to.count * gates, memory);
  to.scale = reinterpret_cast<float*>(zeros(gates * Hp, memory));
  to.sum = reinterpret_cast<int32_t*>(zeros(gates * Hp, memory));
  for (long g = 0; g < gates; ++g)
    for (long j = 0; j < H; ++j) {
      const char* bytes = static_cast<const char*>(from.rows) + ((first + g) * H + j) * row;
      for (long k = 0; k < to.count; ++k)
        std::memcpy(to.words + ((j / L * to.count + k) * gates + g) * L + j % L, bytes + 4 * k, std::min(4l, row - 4 * k));
      if (from.kind != Narrow::int8) continue;
      to.scale[g * Hp + j] = from.scale[(first + g) * H + j];
      for (long k = 0; k < row; ++k) to.sum[g * Hp + j] += 128 * static_cast<signed char>(bytes[k]);
    }
  return to;
}

void NarrowStream::pack_biases(const float* b_ih, const float* b_hh) {
  const long H = layer_.H, Hp = padded(H);
  layer_.bias = reinterpret_cast<float*>(zeros(4 * Hp, memory_));
  for (long j = 0; j < H; ++j) {
    for (long g = 0; g < 2; ++g)
      layer_.bias[g * Hp + j] = (b_ih ? b_ih[g * H + j] : 0) + (b_hh ? b_hh[g * H + j] : 0);
    layer_.bias[2 * Hp + j] = b_ih ? b_ih[2 * H + j] : 0;
    layer_.bias[3 * Hp + j] = b_hh ? b_hh[2 * H + j] : 0;
  }
}

NarrowStream::NarrowStream(const NarrowMatrix& x, const NarrowMatrix& h, const float* b_ih, const float* b_hh, long H,
                           bool before, long sessions, float* state, int threads)
    : kernels_(narrow_kernels()), layer_{}, sessions_(sessions), state_(state) {
  layer_.I = x.K, layer_.H = H, layer_.before = before, layer_.kind = h.kind, layer_.input = x.kind;
  const auto packed = [&](const NarrowMatrix& from, long first, long last) {
    return pack_narrow(from, H, first, last, kernels_.lanes, memory_);
  };
  if (x.kind != Narrow::projected) layer_.x = packed(x, 0, 3);
  layer_.h = packed(h, 0, before ? 2 : 3);
  if (before) layer_.n = packed(h, 2, 3);
  pack_biases(b_ih, b_hh);
  const long work = 3 * sessions * H * (H + x.K);
  place_.groups = work < kAlone8 ? 1 : static_cast<int>(std::min<long>(usable_threads(threads), (sessions + 3) / 4));
  place_.threads = place_.groups;
  flags_.resize(place_.threads);
  scratch_size_ = (kernels_.scratch(layer_) + 63) / 32 * 32;
  scratch_ = Block<float>(scratch_size_ * place_.threads);
}

void NarrowStream::step(const float* x) {
  on_grid(place_, flags_.data(), [&](Place mine) {
    const long begin = sessions_ * mine.group / mine.groups, end = sessions_ * (mine.group + 1) / mine.groups;
    kernels_.step(layer_, x + begin * width(), state_ + begin * layer_.H, end - begin,
                  scratch_.get() + scratch_size_ * mine.thread);
  });
}

}  // namespace gruworks
