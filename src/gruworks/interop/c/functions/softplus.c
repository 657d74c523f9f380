/* ln(1 + e^x) */
static double softplus(double x)
{
    return (x > 0.0 ? x : 0.0) + double_log(1.0 + double_exp(x > 0.0 ? -x : x));
}
