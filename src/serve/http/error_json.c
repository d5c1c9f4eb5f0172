/* See error_json.h. */
#include "serve/http/error_json.h"

#include <string.h>

#include "common/json_writer.h"

char *error_json(const char *field, const char *message, size_t *size)
{
    struct json_writer writer;
    json_begin(&writer, 256);
    json_bracket(&writer, '{');
    json_key(&writer, "status");
    json_string(&writer, "error", 5);
    json_key(&writer, "error");
    json_string(&writer, message, strlen(message));
    json_key(&writer, "field");
    if (field != NULL && *field != '\0')
        json_string(&writer, field, strlen(field));
    else
        json_null(&writer);
    json_bracket(&writer, '}');
    *size = writer.size;
    return json_end(&writer);
}
