/* Error below 2e-7. */
static float sigmoid(float x)
{
    return 1.0f / (1.0f + float_exp(-x));
}
