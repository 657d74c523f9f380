/* The climatology k steps later, from the terms there [size][horizon]. */
static double climatology_ahead(const double *solution, const double *basis, int size, int horizon, int k)
{
    double sum = 0.0;
    for (int i = 0; i < size; i++)
        sum += solution[i] * basis[i * horizon + k];
    return sum;
}
