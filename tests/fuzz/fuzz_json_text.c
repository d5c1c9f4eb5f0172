/* Any bytes as JSON: its tokens stand one behind another, what is taken is JSON, json-c makes the
 * same of it again when it has printed it, and nothing is refused without a reason. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/json_scan.h"
#include "common/json_text.h"
#include "common/json_valid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct json_bounds bounds = {
    .size = 1 << 20, .depth = 8, .values = 10000, .name_field = true};

/* Reasons to refuse what is JSON. */
static void check_reason(const char *message)
{
    static const char *const reasons[] = {"stands twice", "half of a character", "too deep",
                                          "NUL character", "JSON object in { }"};
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (strstr(message, reasons[i]) != NULL)
            return;
    abort();
}

/* The closing tokens are as many as the opening ones; a fault lies in the text. */
static void check_tokens(const char *text, size_t size)
{
    struct json_scan scan;
    json_scan_begin(&scan, text, size, bounds.depth);
    const char *behind = text;
    size_t depth = 0;
    for (enum json_token token; (token = json_scan_next(&scan)) != JSON_END; behind = scan.at) {
        if (token == JSON_FAULT) {
            if (scan.place < behind || scan.place > scan.end)
                abort();
            return;
        }
        depth += token == JSON_OBJECT || token == JSON_ARRAY;
        depth -= token == JSON_CLOSE;
        if (scan.start < behind || scan.at <= scan.start || scan.at > scan.end ||
            scan.depth != depth || depth > bounds.depth)
            abort();
    }
    if (depth != 0 || !json_valid(text, size))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    check_tokens(text, size);
    struct sb_error err = {0};
    struct json_object *object = json_text_parse(text, size, &bounds, "x", "fuzz", &err);
    if (object == NULL) {
        if (err.message[0] == '\0' || strstr(err.message, "can't be read") != NULL)
            abort(); /* json-c refused what our grammar took */
        if (size > 0 && json_valid(text, size))
            check_reason(err.message);
        return 0;
    }
    if (!json_valid(text, size))
        abort();
    const char *printed = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN);
    /* json-c prints 1e999 as Infinity, which is not JSON. */
    if (strstr(printed, "Infinity") == NULL) {
        struct json_object *again =
            json_text_parse(printed, strlen(printed), &bounds, "x", "fuzz", &err);
        if (again == NULL || !json_object_equal(object, again))
            abort();
        json_object_put(again);
    }
    json_object_put(object);
    return 0;
}
