/* An empty table of pages, for a build without them (-Dweb=disabled, or no node). */
#include "serve/web/asset.h"

const struct asset assets[1] = {{0}};
const size_t assets_count = 0;
