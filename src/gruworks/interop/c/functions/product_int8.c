/* sum[r] = sum over c of weight[c][r] whole[c]. */
static void whole_product(int32_t *sum, const int8_t *weight, int stride, int rows, const int8_t *whole, int columns)
{
    int c = 0;
    memset(sum, 0, sizeof *sum * (size_t)rows);
    for (; c + 4 <= columns; c += 4, weight += 4 * stride) {
        const int8_t *w1 = weight + stride, *w2 = w1 + stride, *w3 = w2 + stride;
        const int32_t x0 = whole[c], x1 = whole[c + 1], x2 = whole[c + 2], x3 = whole[c + 3];
        for (int r = 0; r < rows; r++)
            sum[r] += weight[r] * x0 + w1[r] * x1 + w2[r] * x2 + w3[r] * x3;
    }
    for (; c < columns; c++, weight += stride)
        for (int r = 0; r < rows; r++)
            sum[r] += weight[r] * whole[c];
}

/* y += the rows of m from `first` on, times x. */
static void product(float *y, const matrix_t *m, int first, int rows, const float *x)
{
    int8_t whole[WIDEST];
    int32_t sum[ROWS];
    if (m->real) {
        real_product(y, m->real + first, m->rows, rows, x, m->columns);
        return;
    }
    const float scale = quantize(whole, x, m->columns);
    for (int done = 0; done < rows; done += ROWS) {
        const int count = rows - done < ROWS ? rows - done : ROWS;
        const float *scales = m->scale + first + done;
        whole_product(sum, m->weight + first + done, m->rows, count, whole, m->columns);
        for (int r = 0; r < count; r++)
            y[done + r] += (float)sum[r] * (scales[r] * scale);
    }
}
