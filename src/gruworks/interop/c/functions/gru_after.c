/* One step of a GRU whose reset gate multiplies the recurrent product (PyTorch, cuDNN). */
static void $name(const gru_t *layer, float *h, const float *x)
{
    const int H = layer->hidden;
    float input[3 * WIDEST_GRU], recurrent[3 * WIDEST_GRU];
    start(input, layer->input_bias, 3 * H);
    product(input, &layer->input, 0, 3 * H, x);
    start(recurrent, layer->recurrent_bias, 3 * H);
    product(recurrent, &layer->recurrent, 0, 3 * H, h);
    for (int i = 0; i < H; i++) {
        const float r = $gate(input[i] + recurrent[i]);
        const float z = $gate(input[H + i] + recurrent[H + i]);
        const float n = $candidate(input[2 * H + i] + r * recurrent[2 * H + i]);
        h[i] = n + z * (h[i] - n);
    }
}
