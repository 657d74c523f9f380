/* The most likely token, unless it is blank or repeats the one of the step before. */
static int32_t emit(${name}_state *state, int32_t *tokens)
{
    int32_t best = 0;
    for (int32_t i = 1; i < $TOKENS; i++)
        if (state->scores[i] > state->scores[best])
            best = i;
    const int32_t fresh = best != 0 && best != state->previous;
    state->previous = best;
    state->steps++;
    if (fresh)
        *tokens = best;
    return fresh;
}

int32_t ${name}_accept_frame(${name}_state *state, const float bands[$BANDS], int32_t *tokens)
{
    float frame[$BANDS];
    for (int i = 0; i < $BANDS; i++)
        frame[i] = (bands[i] - frame_mean[i]) / frame_deviation[i];
    return network_step(state, frame, state->scores) ? emit(state, tokens) : 0;
}

int32_t ${name}_finish(${name}_state *state, int32_t *tokens)
{
    int32_t found = 0;
    while (network_finish(state, state->scores))
        found += emit(state, tokens + found);
    return found;
}

const char *${name}_text(int32_t token)
{
    return token >= 0 && token < $TOKENS ? text[token] : "";
}
