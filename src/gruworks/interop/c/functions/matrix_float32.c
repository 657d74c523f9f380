/* Weights [columns][rows]: the products of a column are independent, so that compilers vectorise over the rows. */
typedef struct {
    const float *weight;
    int rows, columns;
} matrix_t;
