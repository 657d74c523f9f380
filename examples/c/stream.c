/* A GRU of 2 inputs and 3 states over numbers from standard input, two a line; prints the state after each line.
 *
 *   cmake -S . -B build/c -DGRUWORKS_PYTHON=OFF && cmake --build build/c && cmake --install build/c --prefix out
 *   cc -Iout/include examples/c/stream.c -Lout/lib -lgruworks_core -lstdc++ -lgomp -lm -lpthread -o stream
 *   printf '1 2\n3 4\n' | ./stream
 */
#include <stdio.h>

#include "gruworks.h"

int main(void) {
  float w_ih[9 * 2], w_hh[9 * 3], x[2];
  for (int i = 0; i < 18; ++i) w_ih[i] = 0.1f * (i % 5 - 2);
  for (int i = 0; i < 27; ++i) w_hh[i] = 0.1f * (i % 7 - 3);
  const gruworks_weights weights = {2, 3, 0, w_ih, w_hh, NULL, NULL, GRUWORKS_TANH, 0};
  gruworks_stream* stream;
  if (gruworks_stream_create(GRUWORKS_FLOAT32, &weights, 1, NULL, 1, &stream)) return fprintf(stderr, "%s\n", gruworks_message()), 1;
  while (scanf("%f %f", &x[0], &x[1]) == 2 && gruworks_stream_step(stream, x) == GRUWORKS_OK) {
    const float* h = gruworks_stream_state(stream);
    printf("%.7g %.7g %.7g\n", h[0], h[1], h[2]);
  }
  gruworks_stream_free(stream);
  return 0;
}
