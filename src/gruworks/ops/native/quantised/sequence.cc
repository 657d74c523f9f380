#include "quantised/sequence.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "core/team.h"

namespace gruworks {

namespace {

// Rows, longest first, so that the rows of every step are a prefix.
std::vector<Index> by_length(const NarrowCall& call) {
  std::vector<Index> order(call.batch);
  std::iota(order.begin(), order.end(), Index{0});
  if (call.lengths)
    std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) { return call.lengths[a] > call.lengths[b]; });
  return order;
}

}  // namespace

NarrowSequence::NarrowSequence(const NarrowMatrix& x, const NarrowMatrix& h, const float* b_ih, const float* b_hh,
                               Index H, bool before)
    : weights_(x, h, b_ih, b_hh, H, before), projected_(weights_.layer) {
  projected_.input = Narrow::projected;
}

Index NarrowSequence::scratch(Index count) const {
  const NarrowKernels& kernels = weights_.kernels;
  const Index own = std::max(kernels.scratch(weights_.layer), kernels.project_scratch(weights_.layer));
  const Index H = weights_.layer.H;
  return (own + padded(count * H) + padded(std::max(kTogether, count) * 3 * H) + 127) / 64 * 64;
}

void NarrowSequence::run(const NarrowCall& call, int threads) const {
  const std::vector<Index> order = by_length(call);
  const Index H = weights_.layer.H, work = 3 * call.steps * call.batch * H * (H + weights_.layer.I);
  Place place;
  place.groups = work < kAlone8 ? 1 : static_cast<int>(std::min<Index>(usable_threads(threads), (call.batch + 3) / 4));
  place.threads = place.groups;
  const Index widest = scratch(call.batch);
  const Block<float> memory(widest * place.threads);
  on_grid(place, [&](Place mine) {
    const Index begin = call.batch * mine.group / mine.groups, end = call.batch * (mine.group + 1) / mine.groups;
    if (begin < end) rows(call, order.data() + begin, end - begin, memory.get() + widest * mine.thread);
  });
}

// Some rows from their first step to their last; `order` has the longest first.
void NarrowSequence::rows(const NarrowCall& call, const Index* order, Index count, float* memory) const {
  const NarrowKernels& kernels = weights_.kernels;
  const Index H = weights_.layer.H, together = steps_together(count), longest = call.length(order[0]);
  float *h = memory, *gi = h + padded(count * H), *own = gi + padded(count * together * 3 * H);
  for (Index i = 0; i < count; ++i)
    if (call.h0) std::memcpy(h + i * H, call.h0 + order[i] * H, sizeof(float) * H);
    else std::memset(h + i * H, 0, sizeof(float) * H);
  std::vector<const float*> x;
  std::vector<Index> active;
  for (Index first = 0; first < longest; first += together) {
    x.clear(), active.clear();
    for (Index step = first; step < std::min(longest, first + together); ++step) {
      Index i = 0;
      for (; i < count && call.length(order[i]) > step; ++i) x.push_back(call.x.at(call.time(order[i], step), order[i]));
      active.push_back(i);
    }
    kernels.project(weights_.layer, x.data(), static_cast<Index>(x.size()), gi, own);
    const float* at = gi;
    for (Index step = first; Index some : active) {
      kernels.step(projected_, at, h, some, own);
      for (Index i = 0; i < some; ++i)
        std::memcpy(call.output.at(call.time(order[i], step), order[i]), h + i * H, sizeof(float) * H);
      at += some * 3 * H, ++step;
    }
  }
  for (Index i = 0; i < count; ++i) std::memcpy(call.final + order[i] * H, h + i * H, sizeof(float) * H);
}

}  // namespace gruworks
