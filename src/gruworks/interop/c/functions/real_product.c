/* y[r] += sum over c of weight[c][r] x[c], eight columns at a time, so that y is read and written an eighth as often. */
static void real_product(float *RESTRICT y, const float *weight, int stride, int rows, const float *x, int columns)
{
    int c = 0;
    for (; c + 8 <= columns; c += 8, weight += 8 * stride) {
        const float *w1 = weight + stride, *w2 = w1 + stride, *w3 = w2 + stride;
        const float *w4 = w3 + stride, *w5 = w4 + stride, *w6 = w5 + stride, *w7 = w6 + stride;
        const float x0 = x[c], x1 = x[c + 1], x2 = x[c + 2], x3 = x[c + 3];
        const float x4 = x[c + 4], x5 = x[c + 5], x6 = x[c + 6], x7 = x[c + 7];
        for (int r = 0; r < rows; r++)
            y[r] = y[r] + weight[r] * x0 + w1[r] * x1 + w2[r] * x2 + w3[r] * x3
                 + w4[r] * x4 + w5[r] * x5 + w6[r] * x6 + w7[r] * x7;
    }
    for (; c < columns; c++, weight += stride)
        for (int r = 0; r < rows; r++)
            y[r] += weight[r] * x[c];
}
