/* e^x for x within -700 and 700, where it saturates: relative error below 1e-15. x = n ln 2 + r, and the Taylor series
 * of e^r. */
static double double_exp(double x)
{
    const double clamped = x < -700.0 ? -700.0 : x > 700.0 ? 700.0 : x;
    const double turns = clamped * 1.4426950408889634;
    const int32_t n = (int32_t)(turns < 0.0 ? turns - 0.5 : turns + 0.5);
    const double r = (clamped - n * 0.693145751953125) - n * 1.42860682030941723e-6;
    const uint64_t bits = (uint64_t)(n + 1023) << 52;
    double sum = 1.0, power;
    for (int k = 14; k > 0; k--)
        sum = 1.0 + sum * r / k;
    memcpy(&power, &bits, sizeof power);
    return sum * power;
}
