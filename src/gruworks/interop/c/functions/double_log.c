/* ln x for normal x above 0: error below 1e-15 relative to max(1, |ln x|). x = 2^n m with m within sqrt 1/2 and sqrt 2,
 * and ln m = 2 artanh s. */
static double double_log(double x)
{
    uint64_t bits;
    int32_t n;
    double m, s, sum = 0.0;
    memcpy(&bits, &x, sizeof bits);
    n = (int32_t)(bits >> 52) - 1023;
    bits = (bits & 0xfffffffffffffu) | 0x3ff0000000000000u;
    memcpy(&m, &bits, sizeof m);
    if (m > 1.4142135623730951) {
        m *= 0.5;
        n++;
    }
    s = (m - 1.0) / (m + 1.0);
    for (int k = 23; k > 0; k -= 2)
        sum = sum * s * s + 1.0 / k;
    return n * 0.6931471805599453 + 2.0 * s * sum;
}
