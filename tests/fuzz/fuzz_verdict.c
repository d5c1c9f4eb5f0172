/* Any bytes as the texts of a verdict: its JSON is always valid; and any bytes as a result: what
 * json_valid takes, json-c takes too, and it stays valid inside the verdict. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "common/json_valid.h"
#include "common/utf8.h"
#include "sandbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_json_c_agrees(const char *text, size_t size)
{
    struct json_tokener *tokener = json_tokener_new_ex(JSON_VALID_DEPTH + 2);
    if (tokener == NULL)
        abort();
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    /* With its NUL: a number on its own ends nowhere else. */
    struct json_object *object = json_tokener_parse_ex(tokener, text, (int)size + 1);
    if (json_tokener_get_error(tokener) != json_tokener_success)
        abort();
    json_object_put(object);
    json_tokener_free(tokener);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (text == NULL)
        abort();
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    json_mend_surrogates(text, size);
    bool is_json = json_valid(text, size);
    if (is_json)
        check_json_c_agrees(text, size);

    const char *const missing[] = {text, NULL};
    const struct sb_verdict verdict = {
        .word = size > 0 ? (enum sb_word)(data[0] % (SB_INTERNAL + 1)) : SB_OK,
        .id = text,
        .error = text,
        .text = {text, text},
        .text_size = {size, size / 2},
        .signal = size > 1 ? data[1] : 0,
        .result = is_json ? text : NULL,
        .cgroup = "v1",
        .start = "cold",
        .missing = missing,
    };
    for (unsigned flags = 0; flags < 4; flags++) {
        char *json = sb_verdict_json(&verdict, flags);
        if (json == NULL || strchr(json, '\n') != NULL)
            abort();
        /* A result may be as deep as is allowed; the verdict is one deeper. */
        if (!json_valid(json, strlen(json)) && (!is_json || size < JSON_VALID_DEPTH))
            abort();
        free(json);
    }
    size_t repaired_size;
    char *repaired = utf8_repair(text, size, &repaired_size);
    if (repaired == NULL || utf8_count(repaired, repaired_size) < 0)
        abort();
    if (utf8_count(text, size) >= 0 && (repaired_size != size || memcmp(repaired, text, size) != 0))
        abort();
    free(repaired);
    free(text);
    return 0;
}
