/* What is built into the library: generated (embed.py). */
#ifndef WARM_EMBEDDED_H
#define WARM_EMBEDDED_H

#include <stddef.h>

extern const unsigned char embedded_zygote_so[];
extern const size_t embedded_zygote_so_size;
extern const char embedded_zygote_py[]; /* NUL-terminated */

#endif
