/* No pages: what stands in for the table that the build makes (-Dweb=disabled, or no node). */
#include "serve/web/asset.h"

const struct asset assets[1] = {{0}};
const size_t assets_count = 0;
