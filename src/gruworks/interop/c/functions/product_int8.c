/* y += the rows of m from `first` on, times x; sums of 32 bits. */
static inline void whole_rows(float *y, const matrix *m, int first, int rows, const int8_t *whole, float scale)
{
    const int8_t *weight = m->weight + first;
    int32_t sum[BLOCK] = {0};
    for (int c = 0; c < m->columns; c++, weight += m->rows)
        for (int r = 0; r < rows; r++)
            sum[r] += weight[r] * whole[c];
    for (int r = 0; r < rows; r++)
        y[r] += (float)sum[r] * (m->scale[first + r] * scale);
}

static void product(float *y, const matrix *m, int first, int rows, const float *x)
{
    int8_t whole[WIDEST];
    float scale;
    int r = 0;
    if (m->real) {
        real_product(y, m->real + first, m->rows, rows, x, m->columns);
        return;
    }
    scale = quantize(whole, x, m->columns);
    for (; rows - r >= BLOCK; r += BLOCK)
        whole_rows(y + r, m, first + r, BLOCK, whole, scale);
    if (rows > r)
        whole_rows(y + r, m, first + r, rows - r, whole, scale);
}
