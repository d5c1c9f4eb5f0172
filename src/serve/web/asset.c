/* Finds embedded files by their path. The table itself is written by the build (web/embed.mjs). */
#include "serve/web/asset.h"

#include <stdlib.h>
#include <string.h>

static int compare(const void *key, const void *element)
{
    return strcmp(key, ((const struct asset *)element)->path);
}

const struct asset *asset_find(const char *path)
{
    return bsearch(path, assets, assets_count, sizeof(assets[0]), compare);
}
