/* See hint.h. */
#include "cli/hint.h"

#include <string.h>
#include <unistd.h>

/* "helper" of "ModuleNotFoundError: No module named 'helper.part'". */
static bool missing_module(char name[static 128], const char *shown)
{
    static const char words[] = "ModuleNotFoundError: No module named '";
    const char *found = strstr(shown, words);
    if (found == NULL)
        return false;
    found += sizeof(words) - 1;
    size_t size = strcspn(found, ".'\n");
    if (size == 0 || size >= 128 || memchr(found, '/', size) != NULL)
        return false;
    memcpy(name, found, size);
    name[size] = '\0';
    return true;
}

bool hint_missing_module(char hint[static HINT_SIZE], const struct options *options,
                         const char *shown)
{
    static const char *const suffixes[] = {".py", ""};
    char name[128], path[HINT_SIZE - 64];
    if (!missing_module(name, shown))
        return false;
    const char *slash = strrchr(options->script, '/');
    int directory = slash != NULL ? (int)(slash + 1 - options->script) : 0;
    for (size_t i = 0; i < 2; i++) {
        int length =
            snprintf(path, sizeof(path), "%.*s%s%s", directory, options->script, name, suffixes[i]);
        if (length >= (int)sizeof(path) || access(path, F_OK) < 0)
            continue;
        snprintf(hint, HINT_SIZE, "the script can't see the files beside it: add --files %s", path);
        return true;
    }
    return false;
}
