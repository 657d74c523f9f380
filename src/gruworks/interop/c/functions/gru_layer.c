/* Rows of the gates: reset, update (which keeps the state), candidate. */
typedef struct {
    matrix input, recurrent;
    const float *input_bias, *recurrent_bias;
    int hidden;
} gru_layer;
