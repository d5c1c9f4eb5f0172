/* See json_bytes.h. */
#include "common/json_bytes.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "common/base64.h"
#include "common/job_fields.h"
#include "common/json_text.h"
#include "common/json_tree.h"

enum { PAGE = 4096, LARGE = 64 * 1024 };

/* Large bodies are private mappings of files: all pages that are about to be written are made at
 * once, in a third of the time that a fault for each takes. Any kernel may refuse. */
static void make_writable(char *data, size_t size)
{
    char *page = data - (uintptr_t)data % PAGE;
    if (size > LARGE)
        (void)madvise(page, (size_t)(data + size - page), MADV_POPULATE_WRITE);
}

/* The bytes take the place of their digits: no copy of a large file is made. The object is read
 * once. */
static int decode(struct json_bytes *value, const char *path, struct json_object *digits,
                  struct sb_error *err)
{
    size_t size;
    char *data = json_tree_string(digits, &size);
    make_writable(data, size / 4 * 3);
    ssize_t decoded = base64_decode(data, size);
    if (decoded < 0)
        return bad_field(err, path, "must be base64 with padding, without line breaks (RFC 4648)");
    *value = (struct json_bytes){.data = data, .size = (size_t)decoded};
    return 0;
}

static int take_text(struct json_bytes *value, struct json_object *string)
{
    *value = (struct json_bytes){.text = true};
    value->data = json_tree_string(string, &value->size);
    return 0;
}

/* What a file of an answer has beside its bytes, so that it may be sent back as it came. */
static bool is_ignored(const char *name)
{
    return strcmp(name, "size") == 0 || strcmp(name, "type") == 0;
}

/* {"base64": …} or {"text": …}. */
static int read_object(struct json_bytes *value, const char *path, struct json_object *object,
                       struct sb_error *err)
{
    struct json_object *content = NULL;
    const char *kind = NULL;
    json_object_object_foreach(object, name, member)
    {
        bool known = strcmp(name, "base64") == 0 || strcmp(name, "text") == 0;
        if (is_ignored(name))
            continue;
        if (!known || kind != NULL)
            return bad_field(err, path, "must be a string, or {\"base64\": a string}");
        kind = name;
        content = member;
    }
    if (kind == NULL)
        return bad_field(err, path, "must be a string, or {\"base64\": a string}");
    char at[sizeof(err->field)];
    snprintf(at, sizeof(at), "%.*s.%s", (int)(sizeof(at) - sizeof(".base64")), path, kind);
    if (!json_object_is_type(content, json_type_string))
        return bad_field(err, at, "must be a string, not %s", json_kind(content));
    if (strcmp(kind, "base64") == 0)
        return decode(value, at, content, err);
    return take_text(value, content);
}

int json_bytes_read(struct json_bytes *value, const char *path, struct json_object *object,
                    struct sb_error *err)
{
    if (json_object_is_type(object, json_type_object))
        return read_object(value, path, object, err);
    if (!json_object_is_type(object, json_type_string))
        return bad_field(err, path, "must be a string, not %s", json_kind(object));
    return take_text(value, object);
}
