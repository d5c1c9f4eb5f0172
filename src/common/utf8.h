/* UTF-8 as Python reads it. */
#ifndef SB_UTF8_H
#define SB_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* U+FFFD in UTF-8: replaces bytes that are not valid. */
#define UTF8_REPLACEMENT "\xef\xbf\xbd"

/* How many bytes the character at the beginning of `text` takes (size > 0). When it is not valid,
 * *valid is false and the bytes are those for which bytes.decode(errors="replace") puts one U+FFFD.
 */
size_t utf8_next(const char *text, size_t size, bool *valid);

/* Whether a byte of valid UTF-8 continues a character. */
bool utf8_continues(char byte);

/* The size of the text without a last character that its end cuts off. */
size_t utf8_whole(const char *text, size_t size);

/* How many characters a text has, or −1 when it is not valid UTF-8. */
int64_t utf8_count(const char *text, size_t size);

/* A copy with each invalid part replaced by U+FFFD, NUL-terminated; *repaired_size (may be NULL)
 * without the NUL. The caller frees it. NULL when memory is short. */
char *utf8_repair(const char *text, size_t size, size_t *repaired_size);

#endif
