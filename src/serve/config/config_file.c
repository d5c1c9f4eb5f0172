/* The configuration file: lines of "name = value" with the names of the options. '#' begins a
 * comment, at the beginning of a line or behind white space. A line that is not understood is an
 * error with the file's name and the line: a misspelt limit must not go unnoticed. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/error.h"
#include "common/util.h"
#include "serve/config/config.h"
#include "serve/config/given_file.h"

enum { LINE_MAX_BYTES = 4096 };

static void close_file(FILE **file)
{
    if (*file != NULL)
        fclose(*file);
}

static char *trim(char *text)
{
    static const char space[] = " \t\r\n";
    text += strspn(text, space);
    size_t size = strlen(text);
    while (size > 0 && strchr(space, text[size - 1]) != NULL)
        size--;
    text[size] = '\0';
    return text;
}

static void cut_comment(char *line)
{
    for (char *c = line; *c != '\0'; c++) {
        if (*c == '#' && (c == line || c[-1] == ' ' || c[-1] == '\t')) {
            *c = '\0';
            return;
        }
    }
}

static int refuse_unknown(const char *place, const char *name, struct sb_error *err)
{
    const char *near = option_nearest(&config_options, name);
    return sb_fail_field(err, "config", name, "%s: there is no option '%.60s'%s%s%s", place, name,
                         near != NULL ? ", but there is '" : "", near != NULL ? near : "",
                         near != NULL ? "'" : "");
}

/* `seen`: which rows the file has set already. */
static int take_line(struct config_reader *reader, char *line, const char *place, bool *seen,
                     struct sb_error *err)
{
    cut_comment(line);
    char *name = trim(line);
    if (*name == '\0')
        return 0;
    char *equals = strchr(name, '=');
    if (equals == NULL)
        return sb_fail_field(err, "config", name,
                             "%s: '%.60s' is not a line of the form name = value", place, name);
    *equals = '\0';
    name = trim(name);
    const char *value = trim(equals + 1);
    const struct option_row *row = option_find(&config_options, name);
    if (row == NULL)
        return refuse_unknown(place, name, err);
    bool *before = &seen[row - config_options.rows];
    if (row->read != option_list && *before)
        return sb_fail_field(err, "config", row->name, "%s: %s is set a second time: keep one",
                             place, row->name);
    *before = true;
    char where[320];
    snprintf(where, sizeof(where), "%s: %s", place, row->name);
    return config_set(reader, row, value, CONFIG_FILE, where, err);
}

static int read_lines(struct config_reader *reader, FILE *file, const char *path, bool *seen,
                      struct sb_error *err)
{
    char line[LINE_MAX_BYTES];
    for (int number = 1; fgets(line, sizeof(line), file) != NULL; number++) {
        char place[256];
        snprintf(place, sizeof(place), "%.200s:%d", path, number);
        if (strchr(line, '\n') == NULL && !feof(file))
            return sb_fail(err, "config", 0, "%s: a line may have at most %d bytes, and no NUL",
                           place, LINE_MAX_BYTES - 2);
        if (take_line(reader, line, place, seen, err) < 0)
            return -1;
    }
    if (ferror(file))
        return sb_fail(err, "config", errno, "can't read %.200s", path);
    return 0;
}

int config_read(struct config_reader *reader, const char *path, bool required, struct sb_error *err)
{
    const struct given_file given = {.path = path,
                                     .step = "config",
                                     .field = "config",
                                     .what = "the configuration",
                                     .make = "name one of 'name = value' lines with --config"};
    _cleanup_close_ int fd = given_file_open(&given, err);
    if (fd < 0)
        return err->errnum == ENOENT && !required ? 0 : -1;
    __attribute__((cleanup(close_file))) FILE *file = fdopen(fd, "re");
    if (file == NULL)
        return sb_fail(err, "config", errno, "can't read the configuration %.200s", path);
    (void)steal_fd(&fd);
    _cleanup_free_ bool *seen = calloc(config_options.count, sizeof(bool));
    if (seen == NULL)
        return sb_fail(err, "config", 0, "out of memory (configuration)");
    return read_lines(reader, file, path, seen, err);
}
