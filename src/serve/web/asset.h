/* The files of the web pages, which the build embeds in the program. */
#ifndef SERVE_ASSET_H
#define SERVE_ASSET_H

#include <stddef.h>

struct asset {
    const char *path;  /* of the URL: "/", "/docs", "/assets/editor-1a2b3c4d.js" */
    const char *type;  /* Content-Type */
    const char *etag;  /* quoted: "\"1a2b…\"" */
    const char *csp;   /* Content-Security-Policy, for pages; NULL for the rest */
    const char *cache; /* Cache-Control: forever for names with a hash in them */
    const unsigned char *data;
    size_t size;
    const unsigned char *gzip; /* `data`, compressed; NULL where compression gains nothing */
    size_t gzip_size;
};

/* Written by the build, sorted by path. */
extern const struct asset assets[];
extern const size_t assets_count;

/* NULL when there is none. */
const struct asset *asset_find(const char *path);

#endif
