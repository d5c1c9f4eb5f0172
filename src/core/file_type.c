/* See file_type.h. The name is the script's: a type is no more than its word. */
#include "core/file_type.h"

#include <string.h>
#include <strings.h>

#include "common/utf8.h"
#include "common/util.h"

/* Endings of files that scripts write, with the types that browsers know (IANA's registry). */
static const struct {
    const char *ending, *type;
} types[] = {
    {".csv", "text/csv"},
    {".gif", "image/gif"},
    {".gz", "application/gzip"},
    {".htm", "text/html"},
    {".html", "text/html"},
    {".ipynb", "application/x-ipynb+json"},
    {".jpeg", "image/jpeg"},
    {".jpg", "image/jpeg"},
    {".js", "text/javascript"},
    {".json", "application/json"},
    {".md", "text/markdown"},
    {".mp3", "audio/mpeg"},
    {".mp4", "video/mp4"},
    {".parquet", "application/vnd.apache.parquet"},
    {".pdf", "application/pdf"},
    {".png", "image/png"},
    {".py", "text/x-python"},
    {".svg", "image/svg+xml"},
    {".tsv", "text/tab-separated-values"},
    {".wav", "audio/wav"},
    {".webp", "image/webp"},
    {".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    {".xml", "application/xml"},
    {".zip", "application/zip"},
};

bool file_is_text(const void *data, size_t size)
{
    return size == 0 || (memchr(data, '\0', size) == NULL && utf8_count(data, size) >= 0);
}

const char *file_type(const char *path, bool text)
{
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    const char *ending = strrchr(name, '.');
    for (size_t i = 0; ending != NULL && i < ARRAY_LEN(types); i++)
        if (strcasecmp(ending, types[i].ending) == 0)
            return types[i].type;
    return text ? "text/plain" : "application/octet-stream";
}
