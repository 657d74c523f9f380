// Nanoseconds of a GRU's step, ours and RTNeural's, by turns: one line of JSON for each (I, H).
//
// Built by rtneural.py. Every engine copies its output after each step. "difference" is the largest of any output to ours.
#include "rtneural_step.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>

#include "gruworks.h"

constexpr int kSteps = 512;

static void check(gruworks_status status) {
  if (status == GRUWORKS_OK) return;
  std::fprintf(stderr, "%s\n", gruworks_message());
  std::exit(1);
}

static Layer our_layer(const Weights& w) {
  const gruworks_weights given{w.inputs, w.hidden, 0, w.w_ih.data(), w.w_hh.data(), w.b_ih.data(), w.b_hh.data()};
  gruworks_stream* made = nullptr;
  check(gruworks_stream_create(GRUWORKS_FLOAT32, &given, 1, nullptr, 1, &made));
  const std::shared_ptr<gruworks_stream> stream(made, gruworks_stream_free);
  return [stream, I = w.inputs, H = w.hidden](const float* x, float* y, int steps) {
    for (int t = 0; t < steps; ++t, x += I, y += H) {
      check(gruworks_stream_step(stream.get(), x));
      std::memcpy(y, gruworks_stream_state(stream.get()), H * sizeof(float));
    }
  };
}

static double least(const Layer& layer, const std::vector<float>& x, std::vector<float>& y, double milliseconds) {
  using Clock = std::chrono::steady_clock;
  const auto since = [](Clock::time_point t) { return std::chrono::duration<double>(Clock::now() - t).count(); };
  const auto begun = Clock::now();
  double found = 1e9;
  while (since(begun) < milliseconds / 1e3) {
    const auto start = Clock::now();
    layer(x.data(), y.data(), kSteps);
    found = std::min(found, since(start));
  }
  return found * 1e9 / kSteps;
}

int main(int count, char** given) {
  const int rounds = count > 1 ? std::atoi(given[1]) : 7;
  if (count > 2) check(gruworks_choose_build(given[2]));
  std::mt19937 draw(0);
  for (const auto [I, H] : {std::pair{1, 8}, {16, 16}, {1, 24}, {1, 40}, {64, 64}}) {
    std::uniform_real_distribution<float> uniform(-1 / std::sqrt(H), 1 / std::sqrt(H));
    const auto random = [&](int size) {
      std::vector<float> made(size);
      std::generate(made.begin(), made.end(), [&] { return uniform(draw); });
      return made;
    };
    const Weights weights{I, H, random(3 * H * I), random(3 * H * H), random(3 * H), random(3 * H)};
    const std::vector<float> x = random(kSteps * I);
    const Layer layers[] = {our_layer(weights), eigen_layer(weights), xsimd_layer(weights)};
    std::vector<float> outputs[3], times[3];
    double difference = 0;
    for (int i = 0; i < 3; ++i) {
      outputs[i].resize(kSteps * H);
      layers[i](x.data(), outputs[i].data(), kSteps);
      for (int j = 0; j < kSteps * H; ++j)
        difference = std::max<double>(difference, std::fabs(outputs[i][j] - outputs[0][j]));
    }
    for (int round = 0; round < rounds; ++round)
      for (int i = 0; i < 3; ++i) times[i].push_back(least(layers[i], x, outputs[i], 40));
    for (auto& own : times) std::nth_element(own.begin(), own.begin() + rounds / 2, own.end());
    std::printf("{\"size\": [%d, %d], \"gruworks\": %.2f, \"eigen\": %.2f, \"xsimd\": %.2f, \"difference\": %.2g}\n", I,
                H, times[0][rounds / 2], times[1][rounds / 2], times[2][rounds / 2], difference);
    std::fflush(stdout);
  }
}
