/* See verdict_files.h. */
#include "core/verdict_files.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/utf8.h"
#include "common/util.h"
#include "core/file_type.h"

/* Contents are put in parts of this size: of whole groups of base64. */
#define PART ((size_t)768 * 1024)

/* Gives the pages of data[from, to) back to the kernel. */
static void give_back(const char *data, size_t from, size_t to)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t first = ((uintptr_t)data + from + page - 1) & ~(page - 1);
    uintptr_t behind = ((uintptr_t)data + to) & ~(page - 1);
    if (first < behind)
        madvise((void *)first, behind - first, MADV_DONTNEED);
}

static void put_contents(struct json_writer *writer, const struct sb_collected *file, bool text,
                         bool spend)
{
    const char *data = file->data;
    json_quote(writer);
    for (size_t at = 0, size; at < file->size; at += size) {
        size = MIN(file->size - at, PART);
        if (text && at + size < file->size)
            size = utf8_whole(data + at, size);
        if (text)
            json_string_part(writer, data + at, size);
        else
            json_base64_part(writer, data + at, size);
        if (spend)
            give_back(data, at, at + size);
    }
    json_quote(writer);
}

static void put_file(struct json_writer *writer, const struct sb_collected *file, unsigned flags)
{
    bool text = file_is_text(file->data, file->size);
    json_any_key(writer, file->path, strlen(file->path));
    json_bracket(writer, '{');
    json_key(writer, "size");
    json_integer(writer, (int64_t)file->size);
    json_member(writer, "type", file_type(file->path, text));
    if ((flags & SB_JSON_NO_OUTPUT) == 0) {
        json_key(writer, text ? "text" : "base64");
        put_contents(writer, file, text, (flags & SB_JSON_SPEND) != 0);
    }
    json_bracket(writer, '}');
}

void put_files(struct json_writer *writer, const struct sb_verdict *verdict, unsigned flags)
{
    json_key(writer, "files");
    json_bracket(writer, '{');
    for (size_t i = 0; i < verdict->files_count; i++)
        put_file(writer, &verdict->files[i], flags);
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
