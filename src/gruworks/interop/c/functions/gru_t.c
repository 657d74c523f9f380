/* Rows of the gates: reset, update (which keeps the state), candidate. */
typedef struct {
    matrix_t input, recurrent;
    const float *input_bias, *recurrent_bias;
    int hidden;
} gru_t;
