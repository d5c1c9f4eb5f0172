/* Files of a few lines that the kernel makes up: those of /proc, /sys and of cgroups. */
#ifndef COMMON_SMALL_FILE_H
#define COMMON_SMALL_FILE_H

#include <sys/types.h>

/* Reads a file once, from its start, and ends the text with a NUL. `directory`: a descriptor, or
 * AT_FDCWD. Returns the length, or −1 with errno. */
ssize_t small_file_read(int directory, const char *file, char *text, size_t size);

/* Writes a text by one write(2). −1 with errno. */
int small_file_write(int directory, const char *file, const char *text);

#endif
