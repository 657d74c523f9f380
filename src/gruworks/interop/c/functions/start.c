/* y = bias, or 0 without one. */
static void start(float *y, const float *bias, int size)
{
    for (int i = 0; i < size; i++)
        y[i] = bias ? bias[i] : 0.0f;
}
