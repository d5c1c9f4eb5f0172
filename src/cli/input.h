/* The inputs of a job: the code, and files for /work. */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include "cli/options.h"

struct bytes {
    char *data;
    size_t size;
};

/* Reads a descriptor to its end: regular file, pipe or terminal. −1 with errno; EFBIG when there
 * are more than `most` bytes. The caller frees bytes->data. */
int read_whole(int fd, size_t most, struct bytes *bytes);

/* Reads a script, "-" being standard input, of `most` bytes at most. */
int read_script(const char *path, size_t most, struct bytes *code, struct sb_error *err);

/* The code that the options name: of -c, of the script, or of standard input. */
int read_code(const struct options *options, size_t most, struct bytes *code, struct sb_error *err);

/* Files for /work, gathered from the paths of --files. */
struct files {
    struct sb_file *items;
    size_t count, allocated;
    size_t most_count; /* bounds, set by the caller */
    size_t most_bytes;
    const char *most_why; /* explains the bounds, and says what to do */
    const char *script;   /* the script's own path, which goes to /work by itself; NULL: none */
    size_t bytes;
    size_t left_out;      /* links, sockets and other entries that are not regular files */
    char *first_left_out; /* the path of one of them */
};

/* A file goes to /work under its own name, a directory with what is in it under its name; "." and
 * the like give what is in it without a name. Links inside are not followed. */
int files_add(struct files *files, const char *path, struct sb_error *err);

/* All of --files, with a message about skipped entries. */
int gather_files(const struct options *options, struct files *files, struct sb_error *err);

void files_free(struct files *files);

#endif
