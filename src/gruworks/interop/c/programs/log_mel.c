/* Fourier transform in place, radix 2. */
static void transform(float *real, float *imaginary)
{
    for (int i = 1, j = 0; i < $POINTS; i++) {
        int bit = $POINTS / 2;
        for (; j & bit; bit /= 2)
            j ^= bit;
        j ^= bit;
        if (i < j) { /* the imaginary parts are all 0 */
            const float kept = real[i];
            real[i] = real[j];
            real[j] = kept;
        }
    }
    for (int size = 2; size <= $POINTS; size *= 2) {
        for (int k = 0; k < size / 2; k++) {
            const int angle = k * ($POINTS / size);
            const float c = cosine[angle], s = sine[angle], minus_s = minus_sine[angle];
            for (int a = k; a < $POINTS; a += size) {
                const int b = a + size / 2;
                const float re = real[b] * c + imaginary[b] * s, im = imaginary[b] * c + real[b] * minus_s;
                real[b] = real[a] - re;
                imaginary[b] = imaginary[a] - im;
                real[a] += re;
                imaginary[a] += im;
            }
        }
    }
}

/* Kaldi's: without mean, pre-emphasis, Povey's window, power spectrum, mel filters, logarithm. */
void ${name}_log_mel(const float samples[$FRAME], float bands[$BANDS])
{
    float real[$POINTS] = {0}, imaginary[$POINTS] = {0}, mean = 0.0f;
    const float *weight = mel_weight;
    for (int i = 0; i < $FRAME; i++)
        mean += samples[i] * 32768.0f;
    mean /= (float)$FRAME;
    for (int i = 0; i < $FRAME; i++)
        real[i] = samples[i] * 32768.0f - mean;
    for (int i = $FRAME - 1; i >= 0; i--)
        real[i] = (real[i] - 0.97f * real[i > 0 ? i - 1 : 0]) * window[i];
    transform(real, imaginary);
    for (int band = 0; band < $BANDS; band++) {
        float energy = 0.0f;
        for (int i = mel_first[band]; i < mel_first[band] + mel_count[band]; i++)
            energy += (real[i] * real[i] + imaginary[i] * imaginary[i]) * *weight++;
        bands[band] = float_log(energy > 1.1920929e-7f ? energy : 1.1920929e-7f);
    }
}

int32_t ${name}_accept(${name}_state *state, const float *samples, int32_t count, int32_t *tokens)
{
    int32_t found = 0;
    for (int32_t i = 0; i < count; i++) {
        state->samples[state->filled++] = samples[i];
        if (state->filled == $FRAME) {
            float bands[$BANDS];
            ${name}_log_mel(state->samples, bands);
            memmove(state->samples, state->samples + $SHIFT, sizeof(float) * ($FRAME - $SHIFT));
            state->filled -= $SHIFT;
            found += ${name}_accept_frame(state, bands, tokens + found);
        }
    }
    return found;
}
