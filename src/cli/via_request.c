/* From options to the body of POST /run. JSON holds only text: code, files and standard input that
 * are not UTF-8 are sent in base64. Names and arguments that are not UTF-8 are refused. */
#include <stdio.h>
#include <string.h>

#include "cli/collect_into.h"
#include "cli/input.h"
#include "cli/json_value.h"
#include "cli/message.h"
#include "cli/via.h"
#include "common/json_scan.h"
#include "common/json_writer.h"
#include "common/source_coding.h"
#include "common/utf8.h"
#include "common/util.h"

enum { MOST_BYTES = 256 << 20, MOST_FILES = 10000 };

/* The inputs of a request, besides the options themselves. */
struct inputs {
    struct bytes code;
    struct files files;
    struct bytes input; /* for the script's standard input */
};

static int not_text(struct sb_error *err, const char *field, const char *what)
{
    return fail(err, field,
                "%s is not UTF-8, as names and arguments in a request must be: "
                "change it, or leave out --via",
                what);
}

static bool is_text(const char *text, size_t size)
{
    return size == 0 || utf8_count(text, size) >= 0;
}

/* ── Reading ────────────────────────────────────────────────────────────────────────────────── */

/* Input is not read from a terminal: the answer comes at the end, so a dialogue with the script is
 * impossible.
 */
static int read_stdin(const struct options *options, struct bytes *input, struct sb_error *err)
{
    if (strcmp(options->script, "-") == 0 || options->cases != NULL || isatty(STDIN_FILENO))
        return 0;
    if (read_whole(STDIN_FILENO, MOST_BYTES, input) == 0)
        return 0;
    return fail(err, "stdin", "can't read standard input%s: %s; give less, or /dev/null",
                errno == EFBIG ? " to its end" : "", strerror(errno));
}

static int read_inputs(const struct options *options, struct inputs *inputs, struct sb_error *err)
{
    inputs->files = (struct files){
        .most_count = MOST_FILES,
        .most_bytes = MOST_BYTES,
        .most_why = "the most that is sent to a service: give fewer",
    };
    if (read_code(options, MOST_BYTES, &inputs->code, err) < 0 ||
        gather_files(options, &inputs->files, err) < 0 ||
        read_stdin(options, &inputs->input, err) < 0)
        return -1;
    return 0;
}

/* ── Writing ────────────────────────────────────────────────────────────────────────────────── */

static void put_text(struct json_writer *writer, const char *key, const char *text)
{
    if (text == NULL)
        return;
    json_key(writer, key);
    json_string(writer, text, strlen(text));
}

/* A string, or {"base64": …}. */
static void put_bytes(struct json_writer *writer, const char *data, size_t size, bool text)
{
    if (text) {
        json_string(writer, size > 0 ? data : "", size);
        return;
    }
    json_bracket(writer, '{');
    json_key(writer, "base64");
    json_base64(writer, data, size);
    json_bracket(writer, '}');
}

/* The service takes a source that comes as text for UTF-8. A file in another encoding, or that says
 * so, is sent as its bytes. */
static bool is_utf8_source(const char *data, size_t size)
{
    return is_text(data, size) && source_coding_is_utf8(data, source_coding_find(data, size));
}

static void put_code(struct json_writer *writer, const struct options *options,
                     const struct bytes *code)
{
    json_key(writer, "code");
    put_bytes(writer, code->data, code->size,
              options->code != NULL || is_utf8_source(code->data, code->size));
}

/* A name is text, anything else is JSON already. */
static void put_call(struct json_writer *writer, const char *call)
{
    if (call == NULL || call[0] != '{') {
        put_text(writer, "call", call);
        return;
    }
    json_key(writer, "call");
    json_verbatim(writer, call);
}

static int put_files(struct json_writer *writer, const struct files *files, struct sb_error *err)
{
    json_key(writer, "files");
    json_bracket(writer, '{');
    for (size_t i = 0; i < files->count; i++) {
        const struct sb_file *file = &files->items[i];
        if (!is_text(file->path, strlen(file->path)))
            return not_text(err, "files", "--files: the name of a file");
        for (size_t other = 0; other < i; other++)
            if (strcmp(files->items[other].path, file->path) == 0)
                return fail(err, "files", "two files have the name '%.100s'; rename one",
                            file->path);
        json_any_key(writer, file->path, strlen(file->path));
        put_bytes(writer, file->data, file->size, is_utf8_source(file->data, file->size));
    }
    json_bracket(writer, '}');
    return 0;
}

static int put_args(struct json_writer *writer, const char *const *args, struct sb_error *err)
{
    json_key(writer, "args");
    json_bracket(writer, '[');
    for (; *args != NULL; args++) {
        if (!is_text(*args, strlen(*args)))
            return not_text(err, "args", "an argument of the script");
        json_item(writer);
        json_string(writer, *args, strlen(*args));
    }
    json_bracket(writer, ']');
    return 0;
}

static bool is_set_again(const char *const *rest, const char *name, size_t size)
{
    for (; *rest != NULL; rest++)
        if (strncmp(*rest, name, size) == 0 && (*rest)[size] == '=')
            return true;
    return false;
}

static int put_env(struct json_writer *writer, const char *const *env, struct sb_error *err)
{
    json_key(writer, "env");
    json_bracket(writer, '{');
    for (; env != NULL && *env != NULL; env++) {
        size_t size = strcspn(*env, "=");
        const char *value = *env + size + 1;
        if (!is_text(*env, strlen(*env)))
            return not_text(err, "env", "a variable of --env");
        if (is_set_again(env + 1, *env, size))
            continue;
        json_any_key(writer, *env, size);
        json_string(writer, value, strlen(value));
    }
    json_bracket(writer, '}');
    return 0;
}

static void put_limits(struct json_writer *writer, const struct sb_limits *limits)
{
    json_key(writer, "limits");
    json_bracket(writer, '{');
    for (int i = 0; i < SB_LIMITS; i++) {
        if (limits->value[i] == SB_UNSET)
            continue;
        json_key(writer, sb_limit_info((enum sb_limit)i)->name);
        if (i == SB_MILLICPUS)
            json_thousandths(writer, limits->value[i]);
        else
            json_integer(writer, limits->value[i]);
    }
    json_bracket(writer, '}');
}

/* As merge_stderr: only where it is wanted. */
static int put_collect(struct json_writer *writer, const char *const *globs, struct sb_error *err)
{
    if (globs == NULL)
        return 0;
    json_key(writer, "collect");
    json_bracket(writer, '[');
    for (; *globs != NULL; globs++) {
        if (!is_text(*globs, strlen(*globs)))
            return not_text(err, "collect-glob", "a pattern of --collect-glob");
        json_item(writer);
        json_string(writer, *globs, strlen(*globs));
    }
    json_bracket(writer, ']');
    return 0;
}

static int put_all(struct json_writer *writer, const struct options *options,
                   const struct inputs *inputs, struct sb_error *err)
{
    json_bracket(writer, '{');
    put_text(writer, "module", options->module);
    if (options->module == NULL) {
        put_code(writer, options, &inputs->code);
        put_text(writer, "name", options->script);
    }
    put_text(writer, "policy", options->policy);
    put_call(writer, options->call);
    put_limits(writer, &options->limits);
    if (put_args(writer, options->args, err) < 0 || put_env(writer, options->env, err) < 0 ||
        put_files(writer, &inputs->files, err) < 0)
        return -1;
    json_key(writer, "stdin");
    put_bytes(writer, inputs->input.data, inputs->input.size,
              is_text(inputs->input.data, inputs->input.size));
    /* A service that does not know the field refuses it: ask for it only where it is wanted. */
    if (options->merge_stderr) {
        json_key(writer, "merge_stderr");
        json_boolean(writer, true);
    }
    if (options->notebook) {
        json_key(writer, "notebook");
        json_boolean(writer, true);
    }
    if (put_collect(writer, collect_globs(options), err) < 0)
        return -1;
    /* The script's output, byte for byte. */
    json_key(writer, "base64");
    json_boolean(writer, true);
    return 0;
}

/* The members as they stand in the file, which has been checked. */
static void put_cases(struct json_writer *writer, const char *cases)
{
    struct json_scan scan;
    size_t size;
    if (cases == NULL)
        return;
    json_scan_begin(&scan, cases, strlen(cases), JSON_SCAN_DEPTH);
    json_scan_next(&scan);
    while (json_scan_next(&scan) == JSON_KEY) {
        json_any_key(writer, scan.start + 1, (size_t)(scan.at - scan.start) - 2);
        const char *value = json_scan_value(&scan, &size);
        _cleanup_free_ char *text = value != NULL ? strndup(value, size) : NULL;
        json_verbatim(writer, text != NULL ? text : "null");
    }
}

char *via_request(const struct options *options, const char *cases, size_t *size,
                  struct sb_error *err)
{
    struct inputs inputs = {0};
    struct json_writer writer;
    char *body = NULL;
    if (!is_text(options->script, strlen(options->script)) ||
        (options->call != NULL && !is_text(options->call, strlen(options->call)))) {
        not_text(err, "script", "the name of the script, or of the function,");
    } else if (read_inputs(options, &inputs, err) == 0) {
        json_begin(&writer, 2 * inputs.code.size + inputs.files.bytes + inputs.input.size + 1024);
        int result = put_all(&writer, options, &inputs, err);
        put_cases(&writer, cases);
        json_bracket(&writer, '}');
        *size = writer.size;
        body = json_end(&writer);
        if (result < 0)
            free_memory(&body);
        else if (body == NULL)
            fail(err, "", "out of memory (request)");
    }
    free(inputs.code.data);
    free(inputs.input.data);
    files_free(&inputs.files);
    return body;
}
