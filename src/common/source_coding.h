/* The encoding that a Python source file declares (PEP 263). */
#ifndef SB_SOURCE_CODING_H
#define SB_SOURCE_CODING_H

#include <stdbool.h>
#include <stddef.h>

/* The name of an encoding: `size` bytes at `offset`. */
struct source_coding {
    size_t offset, size; /* size 0: none is declared */
};

/* As python's tokenizer finds it: in a comment on the first line, or on the second where the first
 * holds nothing else. */
struct source_coding source_coding_find(const char *source, size_t size);

/* Whether the source is in UTF-8 by what it declares, or declares nothing. */
bool source_coding_is_utf8(const char *source, struct source_coding coding);

#endif
