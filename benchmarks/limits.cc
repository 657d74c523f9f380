// What this processor can do: FMA on all threads and on one, and reading from the caches. Prints one JSON object.
#include <immintrin.h>
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#if defined(__AVX512F__)
constexpr int kBytes = 64, kChains = 24;  // of a vector; sums side by side, as many as the registers hold
#else
constexpr int kBytes = 32, kChains = 12;
#endif
typedef float V __attribute__((vector_size(kBytes)));

static double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

static double fma_rate(int threads) {  // GFLOP/s, best of many
  double best = 0;
  for (int round = 0; round < 40; ++round) {
    const double start = now();
#pragma omp parallel num_threads(threads)
    {
      V sums[kChains] = {}, a = V{} + 1.0000001f;
      for (long i = 0; i < 200000; ++i) {
#pragma GCC unroll 24
        for (int j = 0; j < kChains; ++j) {
          sums[j] = sums[j] * a + a;
          asm volatile("" : "+v"(sums[j]));
        }
      }
    }
    best = std::max(best, 200000. * kChains * kBytes / 2 * threads / (now() - start) / 1e9);
  }
  return best;
}

static double read_rate(long kib, int threads) {  // GB/s; each thread reads its own share of `kib`
  double best = 0;
  const long n = kib * 1024 / kBytes / threads;
  for (int round = 0; round < 20; ++round) {
    std::vector<double> spent(threads);
    const long turns = std::max(4l, 40000000 / (n * kBytes));
#pragma omp parallel num_threads(threads)
    {
      V* data = static_cast<V*>(std::aligned_alloc(64, n * kBytes));
      for (long i = 0; i < n; ++i) data[i] = V{} + 1;
      V a = {}, b = {}, c = {}, d = {};
#pragma omp barrier
      const double start = now();
      for (long turn = 0; turn < turns; ++turn)
        for (long i = 0; i + 4 <= n; i += 4) {
          a += data[i], b += data[i + 1], c += data[i + 2], d += data[i + 3];
          asm volatile("" : "+v"(a), "+v"(b), "+v"(c), "+v"(d));
        }
      spent[omp_get_thread_num()] = now() - start;
      std::free(data);
    }
    best = std::max(best, turns * n * double{kBytes} * threads / *std::max_element(spent.begin(), spent.end()) / 1e9);
  }
  return best;
}

int main() {
  const int threads = omp_get_max_threads();
  std::printf("{\"threads\": %d, \"fma\": %.1f, \"fma_one\": %.1f, \"read\": {", threads, fma_rate(threads), fma_rate(1));
  const long sizes[] = {32, 192, 393, 786, 1572, 3145, 6291};
  for (int i = 0; i < 7; ++i) std::printf("%s\"%ld\": %.1f", i ? ", " : "", sizes[i], read_rate(sizes[i], threads));
  std::printf("}}\n");
}
