/* y[i] = bias[i] + sum over k of weight[k][i] window[k][i]. */
static void depthwise(float *y, const float *weight, const float *bias, const float *window, int rows, int size)
{
    start(y, bias, size);
    for (int k = 0; k < rows; k++)
        for (int i = 0; i < size; i++)
            y[i] += weight[k * size + i] * window[k * size + i];
}
