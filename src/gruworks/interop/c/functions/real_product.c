/* y[r] += sum over c of weight[c][r] x[c] for at most BLOCK rows; a constant `rows` keeps the sums in registers. */
static inline void real_rows(float *y, const float *weight, int stride, int rows, const float *x, int columns)
{
    float sum[BLOCK];
    for (int r = 0; r < rows; r++)
        sum[r] = y[r];
    for (int c = 0; c < columns; c++, weight += stride)
        for (int r = 0; r < rows; r++)
            sum[r] += weight[r] * x[c];
    for (int r = 0; r < rows; r++)
        y[r] = sum[r];
}

static void real_product(float *y, const float *weight, int stride, int rows, const float *x, int columns)
{
    int r = 0;
    for (; rows - r >= BLOCK; r += BLOCK)
        real_rows(y + r, weight + r, stride, BLOCK, x, columns);
    for (; rows - r >= 16; r += 16)
        real_rows(y + r, weight + r, stride, 16, x, columns);
    if (rows > r)
        real_rows(y + r, weight + r, stride, rows - r, x, columns);
}
