/* e^x for x within -87 and 88, where it saturates: relative error below 2e-7. x = n ln 2 + r, and the Taylor series
 * of e^r; adding 1.5 * 2^23 rounds to a whole number, which then stands in the lowest bits. */
static float float_exp(float x)
{
    const float clamped = x < -87.0f ? -87.0f : x > 88.0f ? 88.0f : x;
    const float shifted = clamped * 1.44269504f + 12582912.0f;
    const float n = shifted - 12582912.0f;
    const float r = (clamped - n * 0.693359375f) + n * 2.12194440e-4f;
    float sum = 1.0f / 5040.0f;
    sum = sum * r + 1.0f / 720.0f;
    sum = sum * r + 1.0f / 120.0f;
    sum = sum * r + 1.0f / 24.0f;
    sum = sum * r + 1.0f / 6.0f;
    sum = sum * r + 0.5f;
    sum = sum * r + 1.0f;
    sum = sum * r + 1.0f;
    return sum * float_of_bits((bits_of_float(shifted) + 127u) << 23);
}
