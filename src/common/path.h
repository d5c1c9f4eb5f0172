/* Paths below a directory, as callers write them, in one spelling. */
#ifndef SB_PATH_H
#define SB_PATH_H

/* The longest name (NAME_MAX of Linux) and path (a bound that leaves room below PATH_MAX). */
#define PATH_PART_BYTES_MAX 255
#define PATH_BYTES_MAX 1024

enum path_fault {
    PATH_FINE,
    PATH_EMPTY,
    PATH_ABSOLUTE,
    PATH_OUTSIDE,   /* ".." leads above the directory */
    PATH_DIRECTORY, /* ends with "/", "." or ".." */
    PATH_TOO_LONG
};

/* Takes "//", "." and ".." out of the path of a file, by the text alone. All other bytes are part
 * of a name: backslashes, spaces, bytes that are not UTF-8. `normal` has room for the path with its
 * NUL; after a fault its content is undefined. */
enum path_fault path_normalise(char *normal, const char *path);

/* Says what is wrong, to follow the path in a sentence. */
const char *path_fault_text(enum path_fault fault);

#define PATH_SHOWN_BYTES 128

/* A path for people: one line of valid UTF-8, cut when it is long. */
void path_show(char shown[static PATH_SHOWN_BYTES], const char *path);

#endif
