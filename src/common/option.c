#include "common/option.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/types.h>

#include "common/error.h"
#include "common/nearest.h"
#include "common/quantity.h"
#include "common/util.h"

#define STEP "options"

enum { FIRST_ROW = 256 }; /* what getopt_long returns for the first row: no letter is as large */

static int no_memory(struct sb_error *err)
{
    return sb_fail(err, STEP, 0, "out of memory (options)");
}

/* ── Readers ─────────────────────────────────────────────────────────────────────────────────── */

#define FIELD(type) ((type *)(void *)((char *)target + row->offset))

int option_flag(void *target, const struct option_row *row, const char *value, const char *where,
                struct sb_error *err)
{
    static const char *const words[] = {"no", "yes", "false", "true", "off", "on", "0", "1"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcasecmp(words[i], value) == 0) {
            *FIELD(bool) = i % 2 == 1;
            return 0;
        }
    }
    return sb_fail_field(err, STEP, row->name, "%s is yes or no, not '%.40s'", where, value);
}

static int take_text(char **text, const struct option_row *row, const char *value,
                     const char *where, struct sb_error *err)
{
    /* Code, which has only a letter, may be empty. */
    if (*value == '\0' && row->name != NULL)
        return sb_fail_field(err, STEP, row->name, "%s takes %s, not an empty text", where,
                             row->argument);
    char *copy = strdup(value);
    if (copy == NULL)
        return no_memory(err);
    free(*text);
    *text = copy;
    return 0;
}

int option_text(void *target, const struct option_row *row, const char *value, const char *where,
                struct sb_error *err)
{
    return take_text(FIELD(char *), row, value, where, err);
}

int option_list(void *target, const struct option_row *row, const char *value, const char *where,
                struct sb_error *err)
{
    char ***list = FIELD(char **);
    size_t count = strings_count((const char *const *)*list);
    char **longer = reallocarray(*list, count + 2, sizeof(char *));
    if (longer == NULL)
        return no_memory(err);
    *list = longer;
    longer[count] = longer[count + 1] = NULL;
    return take_text(&longer[count], row, value, where, err);
}

int option_number(void *target, const struct option_row *row, const char *value, const char *where,
                  struct sb_error *err)
{
    char least[QUANTITY_TEXT_SIZE], most[QUANTITY_TEXT_SIZE];
    quantity_text(least, row->unit, row->min);
    quantity_text(most, row->unit, row->max);
    int64_t number;
    if (!quantity_parse(row->unit, value, &number))
        return sb_fail_field(err, STEP, row->name, "%s can't be '%.40s': give %s, from %s to %s",
                             where, value, quantity_form(row->unit), least, most);
    if (number < row->min || number > row->max)
        return sb_fail_field(err, STEP, row->name, "%s can't be %.40s: give a value from %s to %s",
                             where, value, least, most);
    *FIELD(int64_t) = number;
    return 0;
}

int option_rate(void *target, const struct option_row *row, const char *value, const char *where,
                struct sb_error *err)
{
    struct option_row as_number = *row;
    int64_t thousandths = 0;
    as_number.offset = 0;
    if (option_number(&thousandths, &as_number, value, where, err) < 0)
        return -1;
    *FIELD(double) = (double)thousandths / 1000;
    return 0;
}

int option_mode(void *target, const struct option_row *row, const char *value, const char *where,
                struct sb_error *err)
{
    char *end;
    unsigned long mode = strtoul(value, &end, 8);
    if (*value < '0' || *value > '7' || *end != '\0' || mode > (unsigned long)row->max)
        return sb_fail_field(err, STEP, row->name, "%s is an octal mode such as 0660, not '%.40s'",
                             where, value);
    *FIELD(mode_t) = (mode_t)mode;
    return 0;
}

int option_cgroup(void *target, const struct option_row *row, const char *value, const char *where,
                  struct sb_error *err)
{
    int kind = sb_cgroup_from_name(value);
    if (kind < 0)
        return sb_fail_field(err, STEP, row->name, "%s takes %s, not '%.40s'", where, row->help,
                             value);
    *FIELD(enum sb_cgroup) = (enum sb_cgroup)kind;
    return 0;
}

int option_missing(void *target, const struct option_row *row, const char *value, const char *where,
                   struct sb_error *err)
{
    unsigned missing;
    struct sb_error wrong;
    if (sb_missing_parse(value, &missing, &wrong) < 0)
        return sb_fail_field(err, STEP, row->name, "%s: %s", where, wrong.message);
    *FIELD(unsigned) |= missing;
    return 0;
}

int option_uids(void *target, const struct option_row *row, const char *value, const char *where,
                struct sb_error *err)
{
    char extra;
    long long first, count;
    /* Neither root nor (uid_t)-1, which means "no change" to the kernel, may be in the range. */
    if (sscanf(value, "%lld:%lld%c", &first, &count, &extra) != 2 || first < 1 || count < 1 ||
        first > UINT32_MAX - 1 || count > UINT32_MAX - first)
        return sb_fail_field(err, STEP, row->name,
                             "%s takes FIRST:COUNT such as 200000:65536, without uid 0 and below "
                             "4294967295, not '%.40s'",
                             where, value);
    FIELD(uint32_t)[0] = (uint32_t)first;
    FIELD(uint32_t)[1] = (uint32_t)count;
    return 0;
}

/* ── Tables ──────────────────────────────────────────────────────────────────────────────────── */

int option_defaults(const struct option_table *table, void *target, struct sb_error *err)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct option_row *row = &table->rows[i];
        if (row->read != NULL && row->standard != NULL &&
            row->read(target, row, row->standard, row->name, err) < 0)
            return -1;
    }
    return 0;
}

void option_free(const struct option_table *table, void *target)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct option_row *row = &table->rows[i];
        if (row->read == option_text) {
            free_memory(FIELD(char *));
        } else if (row->read == option_list) {
            sb_strv_free(*FIELD(char **));
            *FIELD(char **) = NULL;
        }
    }
}

const struct option_row *option_find(const struct option_table *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct option_row *row = &table->rows[i];
        if (row->read != NULL && row->name != NULL && strcmp(row->name, name) == 0)
            return row;
    }
    return NULL;
}

/* Their names, into an array that the caller frees; NULL: out of memory. */
static const char **list_names(const struct option_table *table, bool with_reader, size_t *count)
{
    const char **names = calloc(table->count, sizeof(char *));
    *count = 0;
    for (size_t i = 0; i < table->count && names != NULL; i++)
        if (table->rows[i].name != NULL && (table->rows[i].read != NULL || !with_reader))
            names[(*count)++] = table->rows[i].name;
    return names;
}

const char *option_nearest(const struct option_table *table, const char *name)
{
    size_t count;
    _cleanup_free_ const char **names = list_names(table, true, &count);
    return names != NULL ? nearest_name(name, names, count) : NULL;
}

static void print_row(FILE *file, const struct option_row *row, int width)
{
    char left[64];
    int length = 0;
    if (row->letter != 0)
        length = snprintf(left, sizeof(left), "-%c%s", row->letter, row->name != NULL ? ", " : "");
    if (row->name != NULL)
        length += snprintf(left + length, sizeof(left) - (size_t)length, "--%s", row->name);
    if (row->argument != NULL)
        snprintf(left + length, sizeof(left) - (size_t)length, " %s", row->argument);
    fprintf(file, "  %-*s %s", width, left, row->help);
    if (row->standard != NULL && row->argument != NULL)
        fprintf(file, " [%s]", row->standard);
    fputc('\n', file);
}

void option_print(FILE *file, const struct option_table *table, int width)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct option_row *row = &table->rows[i];
        if (row->name == NULL && row->letter == 0)
            fprintf(file, "\n%s\n", row->help);
        else
            print_row(file, row, width);
    }
}

/* ── The command line ────────────────────────────────────────────────────────────────────────── */

static int has_argument(const struct option_row *row)
{
    if (row->argument != NULL)
        return required_argument;
    return row->standard != NULL ? optional_argument : no_argument;
}

int option_begin(struct option_line *line, const struct option_table *table, int argc, char **argv,
                 bool first_word_ends, struct sb_error *err)
{
    *line = (struct option_line){.table = table, .argc = argc, .argv = argv};
    line->longs = calloc(table->count + 1, sizeof(struct option));
    if (line->longs == NULL)
        return no_memory(err);
    char *letter = stpcpy(line->letters, first_word_ends ? "+:" : ":");
    struct option *next = line->longs;
    for (size_t i = 0; i < table->count; i++) {
        const struct option_row *row = &table->rows[i];
        if (row->name != NULL)
            *next++ = (struct option){row->name, has_argument(row), NULL, FIRST_ROW + (int)i};
        if (row->letter == 0 || letter + 3 > line->letters + sizeof(line->letters))
            continue;
        *letter++ = row->letter;
        if (row->argument != NULL)
            *letter++ = ':';
    }
    opterr = 0;
    optind = 0; /* from the start: a program may read several command lines */
    return 0;
}

static const struct option_row *row_of(const struct option_table *table, int number)
{
    if (number >= FIRST_ROW)
        return &table->rows[number - FIRST_ROW];
    for (size_t i = 0; i < table->count; i++)
        if (number != 0 && table->rows[i].letter == number)
            return &table->rows[i];
    return NULL;
}

static int refuse_unknown(const struct option_line *line, struct sb_error *err)
{
    char text[NEAREST_TEXT_SIZE];
    size_t count;
    _cleanup_free_ const char **names = list_names(line->table, false, &count);
    if (names == NULL)
        return no_memory(err);
    return sb_fail(err, STEP, 0, "%s", nearest_option(text, line->argv[optind - 1], names, count));
}

/* getopt_long refused an unknown option, a missing value or a superfluous one. */
static int refuse(const struct option_line *line, bool lacks_value, struct sb_error *err)
{
    const struct option_row *row = row_of(line->table, optopt);
    if (optopt == 0)
        return refuse_unknown(line, err);
    if (row == NULL)
        return sb_fail(err, STEP, 0, "there is no option -%c", optopt);
    if (optopt < FIRST_ROW)
        return sb_fail(err, STEP, 0, "-%c needs a value: -%c %s", row->letter, row->letter,
                       row->argument);
    if (lacks_value)
        return sb_fail_field(err, STEP, row->name, "--%s needs a value: --%s %s", row->name,
                             row->name, row->argument);
    return sb_fail_field(err, STEP, row->name, "--%s takes no value: write it without '='",
                         row->name);
}

int option_next(struct option_line *line, const struct option_row **row, const char **value,
                struct sb_error *err)
{
    int answer = getopt_long(line->argc, line->argv, line->letters, line->longs, NULL);
    if (answer == -1)
        return 0;
    if (answer == '?' || answer == ':')
        return refuse(line, answer == ':', err);
    *row = row_of(line->table, answer);
    *value = optarg != NULL ? optarg : "yes";
    return 1;
}

void option_end(struct option_line *line)
{
    free_memory(&line->longs);
}
