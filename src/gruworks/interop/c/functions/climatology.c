/* Least squares of a level and harmonics of `size` terms in all, relative to the phase of the last row. */
typedef struct {
    double *squares, *products, *wave, *solution;
} climatology_t;

/* Terms as they are one step later: each pair turned by the angle of its harmonic, of which `angles` holds cosine, sine
 * and the negative sine. (GCC 12 fuses a sum beside a difference of products even without contraction.) */
static void turn(double *terms, const double *angles, int size, int stride)
{
    for (int i = 1; i < size; i += 2, angles += 3) {
        const double a = terms[i * stride], b = terms[(i + 1) * stride];
        terms[i * stride] = angles[0] * a + angles[1] * b;
        terms[(i + 1) * stride] = angles[0] * b + angles[2] * a;
    }
}

/* Solves squares x = products, positive definite, by L D L'. */
static void solve(const double *squares, const double *products, double *x, int size)
{
    double lower[WIDEST_SEASON * WIDEST_SEASON], diagonal[WIDEST_SEASON];
    for (int i = 0; i < size; i++) {
        for (int j = 0; j <= i; j++) {
            double rest = squares[i * size + j];
            for (int k = 0; k < j; k++)
                rest -= lower[i * size + k] * lower[j * size + k] * diagonal[k];
            if (i == j)
                diagonal[i] = rest;
            else
                lower[i * size + j] = rest / diagonal[j];
        }
    }
    for (int i = 0; i < size; i++) {
        x[i] = products[i];
        for (int k = 0; k < i; k++)
            x[i] -= lower[i * size + k] * x[k];
    }
    for (int i = size - 1; i >= 0; i--) {
        x[i] /= diagonal[i];
        for (int k = i + 1; k < size; k++)
            x[i] -= lower[k * size + i] * x[k];
    }
}

/* One row more; a missing value changes the phase alone. */
static void climatology_step(climatology_t c, const double *angles, int size, double base, double value, int missing)
{
    for (int i = 0; i < size; i++)
        turn(c.squares + i, angles, size, size);
    for (int i = 0; i < size; i++)
        turn(c.squares + i * size, angles, size, 1);
    turn(c.products, angles, size, 1);
    for (int i = 1; i < size; i += 2, angles += 3) {
        const double a = c.wave[i], b = c.wave[i + 1];
        c.wave[i] = angles[0] * a + angles[2] * b;
        c.wave[i + 1] = angles[1] * a + angles[0] * b;
    }
    if (!missing) {
        for (int i = 0; i < size; i++) {
            for (int j = 0; j < size; j++)
                c.squares[i * size + j] += (i == 0 || i % 2 == 1) && (j == 0 || j % 2 == 1) ? 1.0 : 0.0;
            c.products[i] += i == 0 || i % 2 == 1 ? value - base : 0.0;
        }
    }
    solve(c.squares, c.products, c.solution, size);
    c.solution[0] += base;
}

/* The climatology at the last row. */
static double climatology_now(const double *solution, int size)
{
    double sum = solution[0];
    for (int i = 1; i < size; i += 2)
        sum += solution[i];
    return sum;
}
