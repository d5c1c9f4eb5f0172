/* Any bytes as a cell's displays, in two pieces: the array is JSON, within its limits, and is the
 * same however the bytes were cut. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/json_valid.h"
#include "core/displays.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct displays_limits limits = {4, 200};

static const char *take(struct displays *displays, const char *bytes, size_t size, size_t cut)
{
    ssize_t taken = displays_take(displays, &limits, bytes, cut, NULL, NULL);
    if (taken < 0 || (size_t)taken > cut)
        abort();
    if ((size_t)taken == cut &&
        displays_take(displays, &limits, bytes + cut, size - cut, NULL, NULL) < 0)
        abort();
    return displays_end(displays);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    const char *bytes = (const char *)data + 1;
    size--;
    struct displays whole = {0}, cut = {0};
    const char *text = take(&whole, bytes, size, size),
               *same = take(&cut, bytes, size, data[0] % (size + 1));
    if (text == NULL || same == NULL || strcmp(text, same) != 0 || whole.left_out != cut.left_out ||
        whole.count > limits.count || strlen(text) > 200 + 6 || !json_valid(text, strlen(text)))
        abort();
    displays_free(&whole);
    displays_free(&cut);
    return 0;
}
