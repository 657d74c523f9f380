/* One step of a GRU whose reset gate multiplies the state before the recurrent product (Cho et al. 2014). */
static void $name(const gru_t *layer, float *h, const float *x)
{
    const int H = layer->hidden;
    float input[3 * WIDEST_GRU], recurrent[3 * WIDEST_GRU];
    float *const kept = input; /* the reset gate's part is read once */
    start(input, layer->input_bias, 3 * H);
    product(input, &layer->input, 0, 3 * H, x);
    start(recurrent, layer->recurrent_bias, 3 * H);
    product(recurrent, &layer->recurrent, 0, 2 * H, h);
    for (int i = 0; i < H; i++)
        kept[i] = $gate(input[i] + recurrent[i]) * h[i];
    product(recurrent + 2 * H, &layer->recurrent, 2 * H, H, kept);
    for (int i = 0; i < H; i++) {
        const float z = $gate(input[H + i] + recurrent[H + i]);
        const float n = $candidate(input[2 * H + i] + recurrent[2 * H + i]);
        h[i] = n + z * (h[i] - n);
    }
}
