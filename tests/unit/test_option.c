/* Options: rows of a table read a command line, print --help, and say what is wrong. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/option.h"
#include "common/util.h"

struct fields {
    bool flag, plain_flag;
    char *code, *text;
    char **list;
    int64_t size;
};

#define AT(field) offsetof(struct fields, field)

static const struct option_row rows[] = {
    OPTION_HEADING("Some:"),
    OPTION_ROW(option_text, 'c', NULL, "CODE", "the code", AT(code)),
    OPTION_ROW(option_flag, 0, "flag", NULL, "a flag", AT(flag), "no"),
    OPTION_ROW(option_flag, 'p', "plain-flag", NULL, "one without a value", AT(plain_flag)),
    OPTION_ROW(option_text, 0, "text", "TEXT", "a text", AT(text), "standard"),
    OPTION_ROW(option_list, 0, "list", "ITEM", "items", AT(list)),
    OPTION_ROW(option_number, 0, "size", "SIZE", "a size", AT(size), "2K", "bytes", 1024, 4096),
    OPTION_ROW(NULL, 'h', "help", NULL, "this text", 0),
};
static const struct option_table table = {rows, ARRAY_LEN(rows)};

/* Reads a command line. Returns 0 or −1; *rest is the first word that is not an option. */
static int read_line(struct fields *fields, const char *words, bool first_word_ends,
                     const char **rest, struct sb_error *err)
{
    static char text[256];
    static char *argv[16];
    int argc = 0;
    snprintf(text, sizeof(text), "program %s", words);
    for (char *word = strtok(text, " "); word != NULL; word = strtok(NULL, " "))
        argv[argc++] = word;
    argv[argc] = NULL;
    *fields = (struct fields){0};
    struct option_line line;
    const struct option_row *row;
    const char *value;
    int result = option_defaults(&table, fields, err);
    if (result == 0)
        result = option_begin(&line, &table, argc, argv, first_word_ends, err);
    while (result == 0 && (result = option_next(&line, &row, &value, err)) > 0)
        result = row->read != NULL ? row->read(fields, row, value, "it", err) : 0;
    option_end(&line);
    *rest = argv[optind];
    return result;
}

static void a_command_line_fills_the_fields(void **state)
{
    (void)state;
    struct fields fields;
    struct sb_error err;
    const char *rest;
    assert_int_equal(read_line(&fields, "a --flag -p --te=x --list 1 --list 2 --size 3K -c y -h",
                               false, &rest, &err),
                     0);
    assert_true(fields.flag && fields.plain_flag);
    assert_string_equal(fields.text, "x");
    assert_string_equal(fields.code, "y");
    assert_string_equal(fields.list[0], "1");
    assert_string_equal(fields.list[1], "2");
    assert_null(fields.list[2]);
    assert_int_equal(fields.size, 3072);
    assert_string_equal(rest, "a");
    option_free(&table, &fields);
    assert_null(fields.text);

    assert_int_equal(read_line(&fields, "--flag=no a --flag", true, &rest, &err), 0);
    assert_false(fields.flag);
    assert_string_equal(rest, "a");
    assert_string_equal(fields.text, "standard");
    assert_int_equal(fields.size, 2048);
    option_free(&table, &fields);
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *words, *field, *says;
    } wrong[] = {
        {"-x", "", "there is no option -x"},
        {"-c", "", "-c needs a value: -c CODE"},
        {"--sise 1", "", "there is no option --sise, but there is --size"},
        {"--", NULL, NULL},
        {"--size", "size", "--size needs a value: --size SIZE"},
        {"--plain-flag=yes", "plain-flag", "--plain-flag takes no value"},
        {"--flag=perhaps", "flag", "it is yes or no, not 'perhaps'"},
        {"--text=", "text", "it takes TEXT, not an empty text"},
        {"--size 1", "size", "from 1 KiB to 4 KiB"},
        {"--size big", "size", "it can't be 'big'"},
    };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct fields fields;
        struct sb_error err = {0};
        const char *rest;
        int result = read_line(&fields, wrong[i].words, false, &rest, &err);
        option_free(&table, &fields);
        assert_int_equal(result, wrong[i].says != NULL ? -1 : 0);
        if (wrong[i].says == NULL)
            continue;
        assert_says(&err, wrong[i].says);
        assert_string_equal(err.field, wrong[i].field);
        assert_sentence(&err);
    }
}

static void help_has_a_line_for_each_row(void **state)
{
    (void)state;
    static const char wanted[] = "\n"
                                 "Some:\n"
                                 "  -c CODE          the code\n"
                                 "  --flag           a flag\n"
                                 "  -p, --plain-flag one without a value\n"
                                 "  --text TEXT      a text [standard]\n"
                                 "  --list ITEM      items\n"
                                 "  --size SIZE      a size [2K]\n"
                                 "  -h, --help       this text\n";
    char *printed = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&printed, &size);
    assert_non_null(file);
    option_print(file, &table, 16);
    fclose(file);
    assert_string_equal(printed, wanted);
    free(printed);
}

static void a_file_finds_what_has_a_reader(void **state)
{
    (void)state;
    assert_ptr_equal(option_find(&table, "size"), &rows[6]);
    assert_null(option_find(&table, "help"));
    assert_null(option_find(&table, "siz"));
    assert_string_equal(option_nearest(&table, "siez"), "size");
    assert_null(option_nearest(&table, "hepl"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_line_fills_the_fields),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(help_has_a_line_for_each_row),
        cmocka_unit_test(a_file_finds_what_has_a_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
