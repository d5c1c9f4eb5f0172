/* The verdict as JSON: the native answer, with its fields in the documented order. All fields are
 * always present, however the job ended and whether or not it started, except for "error", which
 * only comes with the status "error", and "denied". */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/json_writer.h"
#include "common/sentence.h"
#include "common/util.h"
#include "core/verdict_files.h"
#include "sandbox.h"

static const char *const words[] = {
    [SB_OK] = "ok",         [SB_EXCEPTION] = "exception", [SB_EXIT] = "exit",
    [SB_SIGNAL] = "signal", [SB_TIMEOUT] = "timeout",     [SB_CPU_TIME] = "cpu_time",
    [SB_MEMORY] = "memory", [SB_OUTPUT] = "output",       [SB_INTERNAL] = "internal",
};

const char *sb_word_name(enum sb_word word)
{
    return (unsigned)word < ARRAY_LEN(words) ? words[word] : "internal";
}

/* The newline that `print` wrote last ends a line; it is not part of the text. */
static void put_output(struct json_writer *writer, const struct sb_verdict *verdict, unsigned flags)
{
    const char *text = verdict->text[SB_STDOUT];
    size_t size = verdict->text_size[SB_STDOUT];
    json_key(writer, "output");
    if ((flags & SB_JSON_NO_OUTPUT) != 0)
        json_null(writer);
    else
        json_string(writer, text, size > 0 && text[size - 1] == '\n' ? size - 1 : size);
}

static void put_stream(struct json_writer *writer, const char *key,
                       const struct sb_verdict *verdict, enum sb_stream stream, unsigned flags)
{
    json_key(writer, key);
    if ((flags & SB_JSON_NO_OUTPUT) != 0)
        json_null(writer);
    else if ((flags & SB_JSON_BASE64) != 0)
        json_base64(writer, verdict->text[stream], verdict->text_size[stream]);
    else
        json_string(writer, verdict->text[stream], verdict->text_size[stream]);
}

/* The script's stderr is output: where output is left out, or given as base64, a sentence replaces
 * it. */
static void put_error(struct json_writer *writer, const struct sb_verdict *verdict, unsigned flags)
{
    char sentence[SENTENCE_SIZE];
    json_key(writer, "error");
    if ((flags & (SB_JSON_NO_OUTPUT | SB_JSON_BASE64)) != 0 &&
        own_end_sentence(verdict, sentence) != NULL)
        json_string(writer, sentence, strlen(sentence));
    else
        json_string(writer, verdict->error, error_size(verdict));
}

static void put_integer(struct json_writer *writer, const char *key, int64_t value)
{
    json_key(writer, key);
    json_integer(writer, value);
}

static void put_time(struct json_writer *writer, const char *key, int64_t microseconds)
{
    json_key(writer, key);
    json_thousandths(writer, microseconds);
}

static void put_signal(struct json_writer *writer, int signal)
{
    char name[24];
    const char *abbreviation = sigabbrev_np(signal);
    if (signal <= 0) {
        json_member(writer, "signal", NULL);
        return;
    }
    if (abbreviation != NULL)
        snprintf(name, sizeof(name), "SIG%s", abbreviation);
    else if (signal >= SIGRTMIN && signal <= SIGRTMAX)
        snprintf(name, sizeof(name), "SIGRTMIN+%d", signal - SIGRTMIN);
    else
        snprintf(name, sizeof(name), "SIG%d", signal); /* two that the C library keeps to itself */
    json_member(writer, "signal", name);
}

static void put_result(struct json_writer *writer, const char *result)
{
    json_key(writer, "result");
    if (result == NULL || result[0] == '\0')
        json_null(writer);
    else
        json_verbatim(writer, result);
}

/* Displays are output, too. */
static void put_display(struct json_writer *writer, const struct sb_verdict *verdict,
                        unsigned flags)
{
    json_key(writer, "display");
    if ((flags & SB_JSON_NO_OUTPUT) != 0)
        json_null(writer);
    else
        json_verbatim(writer, verdict->display != NULL ? verdict->display : "[]");
    put_integer(writer, "displays_left_out", verdict->displays_left_out);
}

static void put_truncated(struct json_writer *writer, const struct sb_verdict *verdict)
{
    json_key(writer, "truncated");
    json_bracket(writer, '{');
    put_integer(writer, "stdout", verdict->dropped_bytes[SB_STDOUT]);
    put_integer(writer, "stderr", verdict->dropped_bytes[SB_STDERR]);
    json_bracket(writer, '}');
}

static void put_usage(struct json_writer *writer, const struct sb_verdict *verdict)
{
    json_key(writer, "usage");
    json_bracket(writer, '{');
    put_time(writer, "wall_time_ms", verdict->wall_time_us);
    put_time(writer, "cpu_time_ms", verdict->cpu_time_us);
    put_integer(writer, "memory_peak_bytes", verdict->memory_peak_bytes);
    put_integer(writer, "pids_peak", verdict->pids_peak);
    json_bracket(writer, '}');
}

static void put_enforcement(struct json_writer *writer, const struct sb_verdict *verdict)
{
    json_key(writer, "enforcement");
    json_bracket(writer, '{');
    json_member(writer, "cgroup", verdict->cgroup);
    json_member(writer, "start", verdict->start);
    json_key(writer, "missing");
    json_bracket(writer, '[');
    for (size_t i = 0; verdict->missing != NULL && verdict->missing[i] != NULL; i++) {
        json_item(writer);
        json_string(writer, verdict->missing[i], strlen(verdict->missing[i]));
    }
    json_bracket(writer, ']');
    json_bracket(writer, '}');
}

/* Present only if calls were refused, or if that is not known. */
static void put_denied(struct json_writer *writer, const struct sb_verdict *verdict)
{
    if (verdict->denied_count == 0)
        return;
    json_key(writer, "denied");
    if (verdict->denied_count < 0) {
        json_null(writer);
        return;
    }
    json_bracket(writer, '[');
    for (int64_t i = 0; i < verdict->denied_count; i++) {
        json_item(writer);
        json_bracket(writer, '{');
        json_member(writer, "call", verdict->denied[i].call);
        put_integer(writer, "count", verdict->denied[i].count);
        json_bracket(writer, '}');
    }
    json_bracket(writer, ']');
}

/* About the size of the text: most output needs little more than its own size. */
static size_t expected_size(const struct sb_verdict *verdict)
{
    size_t size = 2 * verdict->text_size[SB_STDOUT] + verdict->text_size[SB_STDERR];
    size += error_size(verdict);
    size += verdict->result != NULL ? strlen(verdict->result) : 0;
    size += verdict->display != NULL ? strlen(verdict->display) : 0;
    return size + size / 16 + files_json_size(verdict) + 768;
}

char *sb_verdict_json(const struct sb_verdict *verdict, unsigned flags)
{
    if (verdict == NULL)
        return NULL;
    bool success = verdict->word == SB_OK;
    struct json_writer writer;

    json_begin(&writer, expected_size(verdict));
    json_bracket(&writer, '{');
    json_member(&writer, "status", success ? "success" : "error");
    put_output(&writer, verdict, flags);
    if (!success)
        put_error(&writer, verdict, flags);
    json_member(&writer, "verdict", sb_word_name(verdict->word));
    put_stream(&writer, "stdout", verdict, SB_STDOUT, flags);
    put_stream(&writer, "stderr", verdict, SB_STDERR, flags);
    put_truncated(&writer, verdict);
    put_integer(&writer, "exit_code", verdict->exit_code);
    put_signal(&writer, verdict->signal);
    put_result(&writer, verdict->result);
    put_display(&writer, verdict, flags);
    put_usage(&writer, verdict);
    put_enforcement(&writer, verdict);
    put_denied(&writer, verdict);
    put_files(&writer, verdict, flags);
    json_member(&writer, "id", verdict->id);
    json_bracket(&writer, '}');
    return json_end(&writer);
}
