/* 1 / sqrt x for normal x above 0 by Newton's method: relative error below 2e-7. */
static float float_inverse_sqrt(float x)
{
    float y = float_of_bits(0x5f3759dfu - (bits_of_float(x) >> 1));
    for (int i = 0; i < 4; i++)
        y = y * (1.5f - 0.5f * x * y * y);
    return y;
}
