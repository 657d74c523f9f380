/* y = the row of a token. */
static void embed(float *y, const matrix_t *m, int32_t token)
{
    for (int c = 0; c < m->columns; c++)
        y[c] = m->weight[c * m->rows + token];
}
