/* Any text as any limit: what is taken is in range and reads the same in other words. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/limit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    enum sb_limit limit = (enum sb_limit)(data[0] % SB_LIMITS);
    const struct sb_limit_info *info = sb_limit_info(limit);
    char *text = strndup((const char *)data + 1, size - 1);
    if (text == NULL)
        abort();

    struct sb_error err = {0};
    int64_t value = SB_UNSET;
    if (sb_limit_parse(limit, text, &value, &err) < 0) {
        if (value != SB_UNSET || strstr(err.message, info->option) == NULL)
            abort();
    } else {
        char said[LIMIT_TEXT_SIZE], padded[4096] = "00";
        if (value < info->min || value > info->max || limit_text(said, limit, value)[0] == '\0')
            abort();
        int64_t again = SB_UNSET; /* zeros in front change nothing */
        strncat(padded, text, sizeof(padded) - 3);
        if (strlen(text) < sizeof(padded) - 3 &&
            (sb_limit_parse(limit, padded, &again, &err) < 0 || again != value))
            abort();
    }
    free(text);
    return 0;
}
