/* C interface of the recurrence: one GRU layer in one direction, forward, backward and step by step.
 *
 *   z = sigmoid(W_iz x + b_iz + W_hz h + b_hz)          r likewise
 *   n = tanh(W_in x + b_in + r * (W_hn h + b_hn))       reset_before: tanh(W_in x + b_in + W_hn (r * h) + b_hn)
 *   h = (1 - z) * n + z * h
 *
 * with other functions in place of tanh and sigmoid where the weights say so.
 *
 * Arrays are the caller's, of the layer's element type, and aligned to it. Shapes: T time, B batch, I input size, H hidden
 * size. Strides count elements; the last axis is contiguous. Functions that return a gruworks_status never throw and never
 * print; after an error gruworks_message() says what was expected and what came. A layer may be used by several threads at a
 * time, a stream by one.
 */
#ifndef GRUWORKS_H
#define GRUWORKS_H

#include <stdint.h>

#if defined(__GNUC__)
#define GRUWORKS_API __attribute__((visibility("default")))
#else
#define GRUWORKS_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { GRUWORKS_OK = 0, GRUWORKS_INVALID = 1, GRUWORKS_MEMORY = 2, GRUWORKS_FAILURE = 3 } gruworks_status;
typedef enum { GRUWORKS_FLOAT32 = 0, GRUWORKS_FLOAT64 = 1 } gruworks_type;

GRUWORKS_API const char* gruworks_version(void);
GRUWORKS_API const char* gruworks_message(void);     /* of the calling thread's last error */
GRUWORKS_API const char* gruworks_build(void);       /* instruction set of the kernels in use: portable, avx2, avx512 */
GRUWORKS_API const char* gruworks_thread_pool(void); /* openmp, or own */
GRUWORKS_API gruworks_status gruworks_choose_build(const char* name);
GRUWORKS_API int gruworks_set_exact(int on); /* the calling thread's exact mode; returns the mode before */

typedef enum {
  GRUWORKS_TANH = 0, GRUWORKS_RELU = 1, GRUWORKS_SIGMOID = 2,
  GRUWORKS_HARD_SIGMOID = 3, /* max(0, min(1, a / 6 + 1 / 2)) */
  GRUWORKS_SOFTSIGN = 4, GRUWORKS_LINEAR = 5
} gruworks_activation;

/* Weights as torch stores them: rows of the gates r, z, n. What is not set is 0. */
typedef struct {
  int64_t input_size, hidden_size;
  int reset_before;
  const void* w_ih; /* [3H, I], or null: the sequence holds precomputed input projections */
  const void* w_hh; /* [3H, H] */
  const void* b_ih; /* [3H] or null */
  const void* b_hh; /* [3H] or null */
  gruworks_activation candidate_activation;
  int hard_gates; /* r and z by the hard sigmoid */
} gruworks_weights;

typedef struct {
  const void* data;
  int64_t t, b; /* strides of a step and of a row of the batch */
} gruworks_input;

typedef struct {
  void* data;
  int64_t t, b;
} gruworks_output;

/* Operands of one call. All that the second half lists may be null. */
typedef struct {
  int64_t steps, batch;
  int reverse;
  gruworks_input x;           /* [T, B, I]; or null and: */
  gruworks_input projections; /* [T, B, 3H] W_ih x, with or without b_ih as the weights have it */
  gruworks_output output;     /* [T, B, H]; beyond a row's length zeros */
  void* final_state;          /* [B, H], each row's at its own length */

  gruworks_input h0;        /* [B, H], zeros if null */
  const int64_t* lengths;   /* [B], from 0 to T */
  void* saved;              /* gruworks_saved_size elements, for the backward, which overwrites them */
  void* states;             /* with decay or mask: [T, B, H] for the backward */
  gruworks_input decay;     /* [T, B, H]: the state before each step becomes decay * h + (1 - decay) * replacement */
  gruworks_input replacement; /* [B, H], of decay and resets */
  gruworks_input resets;      /* [T, B] bytes: where not 0, the replacement (zeros if null) is the state before the step,
                                 in order of processing */
  gruworks_input mask;      /* [B, H] recurrent dropout: multiplies the state in the products; never with decay */
  gruworks_input zoneout;   /* [T, B, H] weight of the previous state */
  const void* gain;         /* [3H] layer normalization of the products of h; with x also: */
  const void* input_gain;   /* [3H] of the products of x */
} gruworks_sequence;

/* Gradients in: of the output and of the final state; and out, contiguous, each or null. */
typedef struct {
  gruworks_input output;      /* [T, B, H] or null */
  gruworks_input final_state; /* [B, H] or null */
  gruworks_output x, projections, decay;
  void *h0, *w_ih, *w_hh, *b_ih, *b_hh, *replacement, *gain, *input_gain;
} gruworks_gradient;

/* Cache of one layer's packed weights, packed anew when the weights' content has changed. */
typedef struct gruworks_layer gruworks_layer;
GRUWORKS_API gruworks_status gruworks_layer_create(gruworks_type, gruworks_layer**);
GRUWORKS_API void gruworks_layer_free(gruworks_layer*);

/* Elements of `saved`. */
GRUWORKS_API int64_t gruworks_saved_size(int64_t steps, int64_t batch, int64_t hidden_size, int layer_norm);

/* threads: 0 takes the pool's default. */
GRUWORKS_API gruworks_status gruworks_forward(gruworks_layer*, const gruworks_weights*, const gruworks_sequence*,
                                              int threads);
/* The sequence is the forward's, with what it saved, the same weights and unchanged output. */
GRUWORKS_API gruworks_status gruworks_backward(gruworks_layer*, const gruworks_weights*, const gruworks_sequence*,
                                               const gruworks_gradient*, int threads);

/* Steps of many sessions, one input vector each. The weights are packed when the stream is created. */
typedef struct gruworks_stream gruworks_stream;
/* state: [sessions, H] of the caller, which must outlive the stream; or null for zeros that the stream owns. */
GRUWORKS_API gruworks_status gruworks_stream_create(gruworks_type, const gruworks_weights*, int64_t sessions, void* state,
                                                    int threads, gruworks_stream**);
GRUWORKS_API void gruworks_stream_free(gruworks_stream*);
/* x: [sessions, I], or [sessions, 3H] without w_ih. */
GRUWORKS_API gruworks_status gruworks_stream_step(gruworks_stream*, const void* x);
/* [sessions, H], valid until the next step. */
GRUWORKS_API const void* gruworks_stream_state(const gruworks_stream*);
GRUWORKS_API gruworks_status gruworks_stream_save(const gruworks_stream*, void* to);
GRUWORKS_API gruworks_status gruworks_stream_restore(gruworks_stream*, const void* from);

#ifdef __cplusplus
}
#endif
#endif
