/* y += the rows of m from `first` on, times x. */
static void product(float *y, const matrix_t *m, int first, int rows, const float *x)
{
    real_product(y, m->weight + first, m->rows, rows, x, m->columns);
}
