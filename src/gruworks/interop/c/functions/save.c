/* Fields of a saved state: 32-bit words, least significant byte first. */
static uint8_t *save_words(uint8_t *bytes, const void *field, int count)
{
    for (int i = 0; i < count; i++, bytes += 4) {
        uint32_t word;
        memcpy(&word, (const uint8_t *)field + 4 * i, 4);
        for (int k = 0; k < 4; k++)
            bytes[k] = (uint8_t)(word >> (8 * k));
    }
    return bytes;
}

static const uint8_t *load_words(void *field, const uint8_t *bytes, int count)
{
    for (int i = 0; i < count; i++, bytes += 4) {
        const uint32_t word =
            bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
        memcpy((uint8_t *)field + 4 * i, &word, 4);
    }
    return bytes;
}
