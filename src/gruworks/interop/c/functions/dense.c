/* y = bias + weight x. */
static void dense(float *y, const matrix_t *weight, const float *bias, const float *x)
{
    start(y, bias, weight->rows);
    product(y, weight, 0, weight->rows, x);
}
