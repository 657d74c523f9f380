/* ln x for normal x above 0: error below 2e-7 relative to max(1, |ln x|). x = 2^n m, and ln m = 2 artanh s. */
static float float_log(float x)
{
    const uint32_t bits = bits_of_float(x);
    const uint32_t above = (bits & 0x7fffffu) > 0x3504f3u; /* a mantissa above sqrt 2 is halved */
    const float m = float_of_bits((bits & 0x7fffffu) | ((127u - above) << 23));
    const float n = (float)((int32_t)(bits >> 23) - 127 + (int32_t)above);
    const float s = (m - 1.0f) / (m + 1.0f);
    const float q = s * s;
    float sum = 1.0f / 9.0f;
    sum = sum * q + 1.0f / 7.0f;
    sum = sum * q + 0.2f;
    sum = sum * q + 1.0f / 3.0f;
    sum = sum * q;
    return n * 0.693359375f + (2.0f * s + (2.0f * s * sum - n * 2.12194440e-4f));
}
