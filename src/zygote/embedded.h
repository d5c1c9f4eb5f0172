/* Files built into libsandbox, and the last two into libzygote: generated (embed.py). */
#ifndef WARM_EMBEDDED_H
#define WARM_EMBEDDED_H

#include <stddef.h>

extern const unsigned char embedded_zygote_so[];
extern const size_t embedded_zygote_so_size;
extern const char embedded_zygote_py[]; /* NUL-terminated */
extern const unsigned char embedded_steps_so[];
extern const size_t embedded_steps_so_size;
extern const unsigned char embedded_init[];
extern const size_t embedded_init_size;

#endif
