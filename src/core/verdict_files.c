/* See verdict_files.h. */
#include "core/verdict_files.h"

#include <string.h>

#include "core/file_type.h"

static void put_file(struct json_writer *writer, const struct sb_collected *file, bool contents)
{
    bool text = file_is_text(file->data, file->size);
    json_any_key(writer, file->path, strlen(file->path));
    json_bracket(writer, '{');
    json_key(writer, "size");
    json_integer(writer, (int64_t)file->size);
    json_member(writer, "type", file_type(file->path, text));
    if (contents) {
        json_key(writer, text ? "text" : "base64");
        if (text)
            json_string(writer, file->data, file->size);
        else
            json_base64(writer, file->data, file->size);
    }
    json_bracket(writer, '}');
}

void put_files(struct json_writer *writer, const struct sb_verdict *verdict, bool contents)
{
    if (!verdict->collected)
        return;
    json_key(writer, "files");
    json_bracket(writer, '{');
    for (size_t i = 0; i < verdict->files_count; i++)
        put_file(writer, &verdict->files[i], contents);
    json_bracket(writer, '}');
    json_key(writer, "files_left_out");
    json_bracket(writer, '[');
    for (size_t i = 0; i < verdict->left_out_count; i++) {
        json_item(writer);
        json_bracket(writer, '{');
        json_member(writer, "path", verdict->left_out[i].path);
        json_member(writer, "why", verdict->left_out[i].why);
        json_bracket(writer, '}');
    }
    json_bracket(writer, ']');
}

size_t files_json_size(const struct sb_verdict *verdict)
{
    size_t size = 0;
    for (size_t i = 0; i < verdict->files_count; i++)
        size += verdict->files[i].size + verdict->files[i].size / 3 + 128;
    return size;
}
