static float softsign(float x)
{
    return x / (1.0f + (x < 0.0f ? -x : x));
}
