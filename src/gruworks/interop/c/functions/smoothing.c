/* Exponential smoothing: gains of level, trend and season, damping; smallest value and range of the logarithm, whose
 * range is 0 where there is none; offset and unit. */
typedef struct {
    double alpha, beta, gamma, damping, low, spread, offset, unit;
    int32_t period;
} smoothing_t;

/* state: level, trend, season. */
static void smoothing_step(const smoothing_t *s, double *state, int32_t *phase, double value, int missing)
{
    state[1] *= s->damping;
    state[0] += state[1];
    if (!missing) {
        double z = value;
        if (s->spread > 0.0) {
            z = (value - s->low) / s->spread + 0.25;
            z = double_log(z > 0.0625 ? z : 0.0625);
        }
        const double error = (z - s->offset) / s->unit - state[0] - state[2 + *phase];
        state[0] += s->alpha * error;
        state[1] += s->beta * error;
        state[2 + *phase] += s->gamma * error;
    }
    *phase = (*phase + 1) % s->period;
}

/* The forecast k steps later, k from 0; *sum, at first 0, is that of the damping's powers, *power, at first 1, the last. */
static double smoothing_ahead(const smoothing_t *s, const double *state, int32_t phase, int k, double *power, double *sum)
{
    double y;
    *power *= s->damping;
    *sum += *power;
    y = (state[0] + state[1] * *sum + state[2 + (phase + k) % s->period]) * s->unit + s->offset;
    return s->spread > 0.0 ? s->low + s->spread * (double_exp(y < 50.0 ? y : 50.0) - 0.25) : y;
}
