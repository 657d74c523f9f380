static void softmax(float *y, const float *x, int size)
{
    float top = x[0], sum = 0.0f;
    for (int i = 1; i < size; i++)
        top = x[i] > top ? x[i] : top;
    for (int i = 0; i < size; i++)
        y[i] = float_exp(x[i] - top);
    for (int i = 0; i < size; i++)
        sum += y[i];
    for (int i = 0; i < size; i++)
        y[i] /= sum;
}
