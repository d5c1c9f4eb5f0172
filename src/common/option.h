/* Options of a program: the command line, a configuration file and --help come from one table. */
#ifndef SB_OPTION_H
#define SB_OPTION_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "sandbox.h"

struct option_row;

/* Reads a value into `target`. `where` names the option in errors: "--rate", "serve.conf:3: rate".
 * Returns 0, or −1 with *err. */
typedef int option_reader(void *target, const struct option_row *row, const char *value,
                          const char *where, struct sb_error *err);

struct option_row {
    option_reader *read;  /* NULL: a heading, or an option that its program handles itself */
    char letter;          /* of the short form, or 0 */
    const char *name;     /* of the long form, or NULL: a heading has neither */
    const char *argument; /* what its value is called: "SIZE"; NULL for a flag */
    const char *help;     /* one line */
    size_t offset;        /* of the field in the target; for a reader of the program's: its own */
    const char *standard; /* the value when none is given, as text; NULL: see `help` */
    const char *unit;     /* see quantity.h; numbers and rates only */
    int64_t min, max;
};

/* For tables: the title above the rows that follow, and a row without its last four fields. */
#define OPTION_HEADING(title)                                                                      \
    {                                                                                              \
        .help = (title)                                                                            \
    }
#define OPTION_ROW(read_, letter_, name_, argument_, help_, offset_, ...)                          \
    {                                                                                              \
        .read = (read_), .letter = (letter_), .name = (name_), .argument = (argument_),            \
        .help = (help_), .offset = (offset_), __VA_ARGS__                                          \
    }

/* ── Readers, by the type of the field ───────────────────────────────────────────────────────── */

/* bool: yes or no. A flag without a standard value takes no value on the command line. */
option_reader option_flag;
/* char *, which option_free frees. */
option_reader option_text;
/* char **, NULL-terminated, or NULL: a text for each time that the option is given. */
option_reader option_list;
/* int64_t */
option_reader option_number;
/* double */
option_reader option_rate;
/* mode_t, in octal */
option_reader option_mode;
/* enum sb_cgroup */
option_reader option_cgroup;
/* unsigned, bits of enum sb_missing: names with commas between them, added to those that are set */
option_reader option_missing;
/* uint32_t[2]: the first user id and how many, as FIRST:COUNT */
option_reader option_uids;

/* ── Tables ──────────────────────────────────────────────────────────────────────────────────── */

struct option_table {
    const struct option_row *rows;
    size_t count;
};

/* Gives each field its standard value. */
int option_defaults(const struct option_table *table, void *target, struct sb_error *err);

/* Frees texts and lists. */
void option_free(const struct option_table *table, void *target);

/* The row of this name that has a reader, or NULL. */
const struct option_row *option_find(const struct option_table *table, const char *name);

/* The name of such a row that was probably meant, or NULL. */
const char *option_nearest(const struct option_table *table, const char *name);

/* Prints a line for each row; `width` is that of the names. */
void option_print(FILE *file, const struct option_table *table, int width);

/* ── The command line ────────────────────────────────────────────────────────────────────────── */

struct option_line {
    const struct option_table *table;
    int argc;
    char **argv;
    struct option *longs;
    char letters[16];
};

/* `first_word_ends`: options end at the first word that is not one; otherwise words are sorted
 * behind them. The caller ends it with option_end, also when this fails. */
int option_begin(struct option_line *line, const struct option_table *table, int argc, char **argv,
                 bool first_word_ends, struct sb_error *err);

/* The next option: its row, and its value, "yes" for a flag without. Returns 1; 0: there are no
 * more, and the first other word is argv[optind]; −1: it is unknown or ambiguous, lacks its value
 * or has one too many. */
int option_next(struct option_line *line, const struct option_row **row, const char **value,
                struct sb_error *err);

void option_end(struct option_line *line);

#endif
