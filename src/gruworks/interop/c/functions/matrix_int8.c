/* Weights [columns][rows] of 8 bits, with a scale for each row; or `real` ones, where there are few columns. */
typedef struct {
    const int8_t *weight;
    const float *scale, *real;
    int rows, columns;
} matrix_t;
