/* Error below 2e-7. */
static float float_tanh(float x)
{
    const float e = float_exp(x < 0.0f ? 2.0f * x : -2.0f * x);
    const float size = (1.0f - e) / (1.0f + e);
    return x < 0.0f ? -size : size;
}
