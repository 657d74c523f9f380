// Partition of rows and columns among threads.
#pragma once

#include <algorithm>
#include <vector>

#include "core/layout.h"
#include "core/threads.h"

namespace gruworks {

// Multiply-adds under which one thread is faster than waking a second: about 20 us of one core.
constexpr double kAlone = 5e5;

// Minimum rows of a group. With many columns, where the weights exceed the caches, every group reads all of them.
inline Index rows_of_a_group(Index H) { return H < 768 ? 4 : 8; }

// Hidden units from which on threads divide the columns. Below, a step takes no longer than the meeting after it, and far
// less where another process has the other processor.
constexpr Index kColumns = 128;

// Groups divide the rows; the threads of a group divide the columns.
inline Place grid(int threads, Index batch, Index H, bool columns = true) {
  const Index vectors = padded(H) / kPad;
  int groups = 1;
  for (int g = 2; g <= threads; ++g)
    if (threads % g == 0 && batch >= rows_of_a_group(H) * g) groups = g;
  Place place;
  place.groups = groups;
  const bool divide = columns && H >= kColumns;
  place.members = divide ? static_cast<int>(std::min<Index>(threads / groups, vectors)) : 1;
  place.threads = place.groups * place.members;
  return place;
}

inline Place at(Place place, int thread) {
  place.thread = thread;
  place.group = thread / place.members;
  place.member = thread % place.members;
  return place;
}

// Calls part(place) on every thread of the grid. Where the pool grants fewer threads than the grid has, the first does
// all the work: waiting for a missing thread would deadlock.
template <class Part> void on_grid(const Place& place, Flag* flags, Part&& part) {
  if (place.threads == 1) return part(at(place, 0));
  std::fill(flags, flags + place.threads, Flag());
  auto work = [&](int thread, int threads) {
    const bool granted = threads == place.threads;
    Place mine = granted ? place : Place();
    mine.flags = flags;
    mine = at(mine, thread);
    if (granted && mine.members > 1) mine.spread();
    if (granted || thread == 0) part(mine);
  };
  parallel(place.threads, work);
}

template <class Part> void on_grid(const Place& place, Part&& part) {
  std::vector<Flag> flags(place.threads);
  on_grid(place, flags.data(), part);
}

// Elements of scratch memory for all threads of a grid, or for one that does all the work; offset of each thread's.
template <class T, class Size> Index scratch_of(const Place& place, Size&& size, std::vector<Index>& starts) {
  Index total = 0;
  for (int thread = 0; thread < place.threads; ++thread) {
    starts.push_back(total);
    total += (size(at(place, thread)) + 127) / 64 * 64;
  }
  return std::max(total, size(Place()) + 64);
}

}  // namespace gruworks
