/* y = gain (x - mean) / sqrt(variance + epsilon) + shift. */
static void layer_norm(float *y, const float *x, int size, const float *gain, const float *shift, float epsilon)
{
    float mean = 0.0f, variance = 0.0f;
    for (int i = 0; i < size; i++)
        mean += x[i];
    mean /= (float)size;
    for (int i = 0; i < size; i++)
        variance += (x[i] - mean) * (x[i] - mean);
    const float scale = float_inverse_sqrt(variance / (float)size + epsilon);
    for (int i = 0; i < size; i++)
        y[i] = (x[i] - mean) * scale * gain[i] + shift[i];
}
