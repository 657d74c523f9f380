/* The largest weight from which on the weights number or, with `mass`, sum to at least `wanted`. */
static float threshold(const float *weight, float wanted, int mass)
{
    uint32_t low = 0u, high = bits_of_float(1.0f) + 1u; /* the order of floats above 0 is that of their bits */
    while (high - low > 1u) {
        const uint32_t middle = low + (high - low) / 2u;
        const float least = float_of_bits(middle);
        float total = 0.0f;
        for (int i = 0; i < $TOKENS; i++)
            if (weight[i] >= least)
                total += mass ? weight[i] : 1.0f;
        if (total >= wanted)
            low = middle;
        else
            high = middle;
    }
    return float_of_bits(low);
}

static float total_weight(const float *weight)
{
    float total = 0.0f;
    for (int i = 0; i < $TOKENS; i++)
        total += weight[i];
    return total;
}

static void drop_below(float *weight, float least)
{
    for (int i = 0; i < $TOKENS; i++)
        if (weight[i] < least)
            weight[i] = 0.0f;
}

/* Between 0 and 1, of 24 bits: mulberry32, a hashed counter. */
static float uniform(uint32_t *random)
{
    uint32_t x = *random += 0x6d2b79f5u;
    x = (x ^ (x >> 15)) * (x | 1u);
    x ^= x + (x ^ (x >> 7)) * (x | 61u);
    return (float)((x ^ (x >> 14)) >> 8) * (1.0f / 16777216.0f);
}

int32_t ${name}_sample(float scores[$TOKENS], const ${name}_sampling *how, uint32_t *random)
{
    int32_t best = -1;
    for (int i = 0; i < (int)(sizeof banned / sizeof *banned); i++)
        scores[banned[i]] = -3.0e38f;
    for (int32_t i = 0; i < $TOKENS; i++)
        if (best < 0 || scores[i] > scores[best])
            best = i;
    if (!(how->temperature > 0.0f))
        return best;
    const float top = scores[best];
    for (int i = 0; i < $TOKENS; i++)
        scores[i] = scores[i] < -1.0e38f ? 0.0f : float_exp((scores[i] - top) / how->temperature);
    if (how->top_k > 0 && how->top_k < $TOKENS)
        drop_below(scores, threshold(scores, (float)how->top_k, 0));
    if (how->top_p < 1.0f)
        drop_below(scores, threshold(scores, how->top_p * total_weight(scores), 1));
    drop_below(scores, how->min_p);
    float left = uniform(random) * total_weight(scores);
    int32_t token = best;
    for (int32_t i = 0; i < $TOKENS; i++) {
        if (scores[i] > 0.0f) {
            token = i;
            left -= scores[i];
            if (left < 0.0f)
                break;
        }
    }
    return token;
}

const char *${name}_text(int32_t token)
{
    return token >= 0 && token < $TOKENS ? text[token] : "";
}
