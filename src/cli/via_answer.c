/* The answer is walked over once, member by member; each but "result" and "display" is then parsed
 * by itself. */
#include "cli/via_answer.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/json_value.h"
#include "common/base64.h"
#include "common/json_scan.h"
#include "common/json_valid.h"
#include "common/sentence.h"
#include "common/util.h"

/* ── Members ────────────────────────────────────────────────────────────────────────────────── */

/* Keeps a value as it stands; null as NULL. */
static int keep(char **kept, const char *value, size_t size)
{
    free_memory(kept);
    if (*value == 'n') /* null */
        return 0;
    *kept = strndup(value, size);
    return *kept != NULL ? 0 : -1;
}

/* Takes the value of the key that the scan is at. Members with longer names are not ours: they are
 * MIME types of a display. */
static int read_member(struct answer *answer, struct json_scan *scan)
{
    char name[32];
    size_t name_size = (size_t)(scan->at - scan->start) - 2, size;
    snprintf(name, sizeof(name), "%.*s", (int)MIN(name_size, sizeof(name)), scan->start + 1);
    const char *value = json_scan_value(scan, &size);
    if (value == NULL)
        return -1;
    if (name_size >= sizeof(name))
        return 0;
    if (strcmp(name, "result") == 0)
        return keep(&answer->result, value, size);
    if (strcmp(name, "display") == 0)
        return keep(&answer->display, value, size);
    /* With the byte behind it, which tells that a number ends. */
    json_object_object_add(answer->fields, name, json_value_parse(value, size + 1));
    return 0;
}

static int read_members(struct answer *answer, const char *body, size_t size)
{
    struct json_scan scan;
    enum json_token token;
    /* A result lies one deeper than where it was checked first. */
    json_scan_begin(&scan, body, size, JSON_VALID_DEPTH + 1);
    if (json_scan_next(&scan) != JSON_OBJECT)
        return -1;
    while ((token = json_scan_next(&scan)) == JSON_KEY)
        if (read_member(answer, &scan) < 0)
            return -1;
    return token == JSON_CLOSE && json_scan_next(&scan) == JSON_END ? 0 : -1;
}

/* ── Values ─────────────────────────────────────────────────────────────────────────────────── */

static struct json_object *member(struct json_object *object, const char *name)
{
    struct json_object *value = NULL;
    json_object_object_get_ex(object, name, &value);
    return value;
}

static const char *string(struct json_object *object, const char *name)
{
    struct json_object *value = member(object, name);
    return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

static int64_t integer(struct json_object *object, const char *name)
{
    struct json_object *value = member(object, name);
    return json_object_is_type(value, json_type_int) ? json_object_get_int64(value) : -1;
}

/* Milliseconds with a fraction, as microseconds. */
static int64_t microseconds(struct json_object *object, const char *name)
{
    struct json_object *value = member(object, name);
    double milliseconds = value != NULL ? json_object_get_double(value) : -1;
    return milliseconds >= 0 && milliseconds < 1e12 ? (int64_t)(milliseconds * 1000 + 0.5) : -1;
}

static int exit_code(struct json_object *object)
{
    int64_t code = integer(object, "exit_code");
    return code >= 0 && code <= UINT8_MAX ? (int)code : -1;
}

/* 0: none. The names are those of verdict_json.c. */
static int signal_from_name(const char *name)
{
    char shown[24];
    for (int number = 1; name != NULL && number <= SIGRTMAX; number++) {
        const char *abbreviation = sigabbrev_np(number);
        if (abbreviation != NULL)
            snprintf(shown, sizeof(shown), "SIG%s", abbreviation);
        else if (number >= SIGRTMIN)
            snprintf(shown, sizeof(shown), "SIGRTMIN+%d", number - SIGRTMIN);
        else
            snprintf(shown, sizeof(shown), "SIG%d", number);
        if (strcmp(name, shown) == 0)
            return number;
    }
    return 0;
}

/* −1: not a word of a verdict. */
static int word_from_name(const char *name)
{
    for (int word = SB_OK; name != NULL && word <= SB_INTERNAL; word++)
        if (strcmp(sb_word_name((enum sb_word)word), name) == 0)
            return word;
    return -1;
}

static int read_stream(struct answer *answer, enum sb_stream stream, const char *name)
{
    struct json_object *value = member(answer->fields, name);
    bool left_out = value == NULL && member(answer->fields, "output_left_out") != NULL;
    if (!json_object_is_type(value, json_type_string) && !left_out)
        return -1;
    size_t size = left_out ? 0 : (size_t)json_object_get_string_len(value);
    char *text = malloc(size + 1);
    if (text == NULL)
        return -1;
    memcpy(text, left_out ? "" : json_object_get_string(value), size + 1);
    answer->text[stream] = text;
    answer->verdict.text[stream] = text;
    ssize_t decoded = base64_decode(text, size);
    if (decoded < 0)
        return -1;
    text[decoded] = '\0';
    answer->verdict.text_size[stream] = (size_t)decoded;
    return 0;
}

static int read_missing(struct answer *answer, struct json_object *enforcement)
{
    struct json_object *list = member(enforcement, "missing");
    size_t count = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
    answer->missing = calloc(count + 1, sizeof(*answer->missing));
    if (answer->missing == NULL)
        return -1;
    for (size_t i = 0; i < count; i++)
        answer->missing[i] = json_object_get_string(json_object_array_get_idx(list, i));
    answer->verdict.missing = answer->missing;
    return 0;
}

static const char *or_else(const char *text, const char *otherwise)
{
    return text != NULL ? text : otherwise;
}

/* A missing list: nothing was denied; null: not known. */
static int read_denied(struct answer *answer)
{
    struct json_object *list = NULL;
    if (!json_object_object_get_ex(answer->fields, "denied", &list))
        return 0;
    bool known = json_object_is_type(list, json_type_array);
    size_t count = known ? json_object_array_length(list) : 0;
    answer->denied = calloc(count + 1, sizeof(*answer->denied));
    if (answer->denied == NULL)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct json_object *one = json_object_array_get_idx(list, i);
        answer->denied[i] =
            (struct sb_denied){or_else(string(one, "call"), "?"), integer(one, "count")};
    }
    answer->verdict.denied = answer->denied;
    answer->verdict.denied_count = known ? (int64_t)count : -1;
    return 0;
}

/* Its text, or its bytes, which replace the base64 in the object. −1: it has neither. */
static int read_content(struct sb_collected *file, struct json_object *object)
{
    struct json_object *text = member(object, "text"), *base64 = member(object, "base64");
    struct json_object *value = text != NULL ? text : base64;
    if (!json_object_is_type(value, json_type_string))
        return -1;
    size_t size = (size_t)json_object_get_string_len(value);
    if (value == base64) {
        char *bytes = (char *)json_object_get_string(value); /* no other text than ours */
        ssize_t decoded = base64_decode(bytes, size);
        if (decoded < 0)
            return -1;
        size = (size_t)decoded;
    }
    file->data = json_object_get_string(value);
    file->size = size;
    return 0;
}

/* A service of an earlier version leaves the member out if no files were asked for. */
static int read_files(struct answer *answer)
{
    struct json_object *files = member(answer->fields, "files");
    if (!json_object_is_type(files, json_type_object))
        return 0;
    answer->files = calloc((size_t)json_object_object_length(files) + 1, sizeof(*answer->files));
    if (answer->files == NULL)
        return -1;
    size_t count = 0;
    json_object_object_foreach(files, path, object)
    {
        answer->files[count].path = path;
        if (read_content(&answer->files[count++], object) < 0)
            return -1;
    }
    answer->verdict.files = answer->files;
    answer->verdict.files_count = count;
    return 0;
}

static int read_left_out(struct answer *answer)
{
    struct json_object *list = member(answer->fields, "files_left_out");
    size_t count = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
    answer->left_out = calloc(count + 1, sizeof(*answer->left_out));
    if (answer->left_out == NULL)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct json_object *one = json_object_array_get_idx(list, i);
        answer->left_out[i] = (struct sb_left_out){or_else(string(one, "path"), "?"),
                                                   or_else(string(one, "why"), "?")};
    }
    answer->verdict.left_out = answer->left_out;
    answer->verdict.left_out_count = count;
    return 0;
}

/* With base64 a sentence replaces the script's stderr. */
static void read_own_end(struct sb_verdict *verdict)
{
    size_t size = strlen(RAISED);
    if (verdict->word == SB_EXCEPTION && verdict->error != NULL &&
        strncmp(verdict->error, RAISED, size) == 0)
        verdict->exception = verdict->error + size;
    if (stderr_says_why(verdict))
        verdict->error = verdict->text[SB_STDERR];
}

static int read_verdict(struct answer *answer)
{
    struct json_object *fields = answer->fields, *enforcement = member(fields, "enforcement"),
                       *usage = member(fields, "usage"), *truncated = member(fields, "truncated");
    int word = word_from_name(string(fields, "verdict"));
    if (word < 0)
        return -1;
    answer->verdict = (struct sb_verdict){
        .word = (enum sb_word)word,
        .id = or_else(string(fields, "id"), ""),
        .error = string(fields, "error"),
        .written_bytes = {-1, -1},
        .dropped_bytes = {integer(truncated, "stdout"), integer(truncated, "stderr")},
        .exit_code = exit_code(fields),
        .signal = signal_from_name(string(fields, "signal")),
        .result = answer->result,
        .display = answer->display,
        .displays_left_out = MAX(integer(fields, "displays_left_out"), 0),
        .wall_time_us = microseconds(usage, "wall_time_ms"),
        .cpu_time_us = microseconds(usage, "cpu_time_ms"),
        .memory_peak_bytes = integer(usage, "memory_peak_bytes"),
        .pids_peak = integer(usage, "pids_peak"),
        .cgroup = or_else(string(enforcement, "cgroup"), "none"),
        .start = or_else(string(enforcement, "start"), "cold"),
    };
    if (read_stream(answer, SB_STDOUT, "stdout") < 0 ||
        read_stream(answer, SB_STDERR, "stderr") < 0 || read_missing(answer, enforcement) < 0 ||
        read_denied(answer) < 0 || read_files(answer) < 0 || read_left_out(answer) < 0)
        return -1;
    read_own_end(&answer->verdict);
    return 0;
}

int answer_read(struct answer *answer, const char *body, size_t size)
{
    *answer = (struct answer){.fields = json_object_new_object()};
    if (answer->fields == NULL || read_members(answer, body, size) < 0)
        return -1;
    if (member(answer->fields, "verdict") != NULL)
        return read_verdict(answer);
    answer->refusal = string(answer->fields, "error");
    return answer->refusal != NULL ? 0 : -1;
}

int event_read(struct answer *answer, const char *line, size_t size)
{
    *answer = (struct answer){.fields = json_object_new_object(), .verdict.text = {"", ""}};
    if (answer->fields == NULL || read_members(answer, line, size) < 0)
        return -1;
    const char *name = string(answer->fields, "event");
    if (name == NULL)
        return -1;
    if (strcmp(name, "stdout") == 0)
        return read_stream(answer, SB_STDOUT, "base64");
    if (strcmp(name, "stderr") == 0)
        return read_stream(answer, SB_STDERR, "base64");
    answer->is_display = strcmp(name, "display") == 0;
    answer->is_verdict = strcmp(name, "verdict") == 0;
    return answer->is_verdict ? read_verdict(answer) : 0;
}

void answer_free(struct answer *answer)
{
    json_object_put(answer->fields);
    for (int i = 0; i < SB_STREAMS; i++)
        free(answer->text[i]);
    free(answer->result);
    free(answer->display);
    free(answer->missing);
    free(answer->denied);
    free(answer->files);
    free(answer->left_out);
    *answer = (struct answer){0};
}
