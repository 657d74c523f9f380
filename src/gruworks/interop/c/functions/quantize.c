/* Whole numbers within -127 and 127 whose product with the returned scale is near x; NaN where x is not finite. */
static float quantize(int8_t *whole, const float *x, int size)
{
    float top = 0.0f, wrong = 0.0f;
    for (int i = 0; i < size; i++) {
        const float value = x[i] < 0.0f ? -x[i] : x[i];
        top = value > top ? value : top;
        wrong += x[i] - x[i];
    }
    if (!(top > 1e-30f) || wrong != 0.0f) {
        memset(whole, 0, (size_t)size);
        return wrong;
    }
    const float inverse = 127.0f / top;
    for (int i = 0; i < size; i++) { /* adding 1.5 * 2^23 rounds to the nearest whole number */
        const float shifted = x[i] * inverse + 12582912.0f;
        whole[i] = (int8_t)(shifted - 12582912.0f);
    }
    return top / 127.0f;
}
