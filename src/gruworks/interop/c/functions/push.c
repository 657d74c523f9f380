/* Append a row to a window of rows, dropping the oldest. */
static void push(float *window, int rows, int size, const float *x)
{
    memmove(window, window + size, sizeof(float) * (size_t)((rows - 1) * size));
    memcpy(window + (rows - 1) * size, x, sizeof(float) * (size_t)size);
}
