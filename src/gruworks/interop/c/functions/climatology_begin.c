/* No rows, but the ridge penalty; the phase is `steps` after that of the fit's last row, or before it. */
static void climatology_begin(climatology_t c, const double *angles, int size, int32_t steps)
{
    for (int i = 0; i < size; i++) {
        for (int j = 0; j < size; j++)
            c.squares[i * size + j] = i == j && i > 0 ? 1.0 : 0.0;
        c.products[i] = 0.0;
    }
    for (int i = 1; i < size; i += 2, angles += 3) {
        const double sine = steps < 0 ? angles[2] : angles[1], minus_sine = steps < 0 ? angles[1] : angles[2];
        for (int32_t k = steps < 0 ? -steps : steps; k > 0; k--) {
            const double a = c.wave[i], b = c.wave[i + 1];
            c.wave[i] = angles[0] * a + minus_sine * b;
            c.wave[i + 1] = sine * a + angles[0] * b;
        }
    }
}
