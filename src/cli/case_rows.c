/* See case_rows.h. What a script wrote is shown in quotes, without control characters: it must not
 * be able to steer a terminal, or to end an XML document. */
#include "cli/case_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json_writer.h"
#include "common/sentence.h"
#include "common/utf8.h"
#include "common/util.h"

enum { SHOWN_BYTES = 40, REASON_SIZE = 400 };

const char case_row_head[] = "   #  correct  verdict          ms  name\n";

/* ── The reason ─────────────────────────────────────────────────────────────────────────────── */

/* DEL, and the controls from U+0080 on. */
static void drop_controls(char *text)
{
    for (unsigned char *at = (unsigned char *)text; *at != '\0'; at++)
        if (*at == 0x7f || (*at < 0x20 && *at != '\0'))
            *at = '?';
        else if (*at == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0)
            at[0] = at[1] = '?';
}

/* In quotes, cut when it is long. */
static char *quoted(const char *text, size_t size)
{
    struct json_writer writer;
    bool cut = size > SHOWN_BYTES;
    json_begin(&writer, 64);
    json_string(&writer, text, cut ? utf8_whole(text, SHOWN_BYTES) : size);
    char *shown = json_end(&writer), *whole = NULL;
    if (shown != NULL)
        drop_controls(shown);
    if (shown == NULL || asprintf(&whole, "%s%s", shown, cut ? "…" : "") < 0)
        whole = NULL;
    free(shown);
    return whole;
}

static void tell(char reason[static REASON_SIZE], const char *place, const char *expected,
                 size_t expected_size, const char *got, size_t got_size)
{
    _cleanup_free_ char *wanted = expected != NULL ? quoted(expected, expected_size) : NULL;
    _cleanup_free_ char *found = got != NULL ? quoted(got, got_size) : NULL;
    snprintf(reason, REASON_SIZE, "%s: expected %s, got %s", place,
             wanted != NULL ? wanted : "no more", found != NULL ? found : "no more");
}

/* The last line of what the script wrote to stderr: of a traceback, the exception. */
static void last_line(char reason[static REASON_SIZE], const char *text, size_t size)
{
    while (size > 0 && (text[size - 1] == '\n' || text[size - 1] == '\r'))
        size--;
    const char *newline = size > 0 ? memrchr(text, '\n', size) : NULL;
    const char *line = newline != NULL ? newline + 1 : text;
    size_t length = MIN((size_t)(text + size - line), (size_t)REASON_SIZE / 2);
    _cleanup_free_ char *repaired = utf8_repair(line, length, NULL);
    snprintf(reason, REASON_SIZE, "%s", repaired != NULL ? repaired : "");
    drop_controls(reason);
}

static void tell_difference(char reason[static REASON_SIZE], const struct case_row *row)
{
    const struct graded_case *one = row->one;
    const struct sb_verdict *verdict = row->verdict;
    struct grade_difference difference;
    char place[64];
    if (one->grades_output && verdict->dropped_bytes[SB_STDOUT] > 0)
        snprintf(reason, REASON_SIZE, "more output than the limit allows: raise output_bytes");
    else if (one->grades_output && !grade_output(&one->output, verdict->text[SB_STDOUT],
                                                 verdict->text_size[SB_STDOUT], &difference)) {
        snprintf(place, sizeof(place), "%s %zu", difference.unit, difference.number);
        tell(reason, place, difference.expected, difference.expected_size, difference.got,
             difference.got_size);
    } else if (one->grades_value) {
        const char *value = verdict->result != NULL ? verdict->result : "null";
        snprintf(reason, REASON_SIZE, "value: expected %.100s, got %.100s", one->value, value);
        size_t whole = utf8_whole(reason, strlen(reason));
        reason[whole] = '\0';
        drop_controls(reason);
    }
}

/* Why a case has failed, in one line; "" when it has not. */
static void tell_reason(char reason[static REASON_SIZE], const struct case_row *row)
{
    const struct sb_verdict *verdict = row->verdict;
    reason[0] = '\0';
    if (verdict == NULL)
        snprintf(reason, REASON_SIZE, "%s", row->why);
    else if (stderr_says_why(verdict))
        last_line(reason, verdict->text[SB_STDERR], verdict->text_size[SB_STDERR]);
    else if (verdict->word != SB_OK && verdict->error != NULL)
        last_line(reason, verdict->error, error_size(verdict));
    else if (row->grade == CASE_INCORRECT)
        tell_difference(reason, row);
}

/* ── The table ──────────────────────────────────────────────────────────────────────────────── */

static void safe_name(char *name, size_t size, const struct case_row *row)
{
    snprintf(name, size, "%s", row->one->name != NULL ? row->one->name : "");
    name[utf8_whole(name, strlen(name))] = '\0';
    drop_controls(name);
}

char *case_row_text(const struct case_row *row)
{
    static const char *const grades[] = {
        [CASE_INCORRECT] = "no", [CASE_CORRECT] = "yes", [CASE_UNGRADED] = "-"};
    char reason[REASON_SIZE], name[512], ms[32] = "-", *text;
    const struct sb_verdict *verdict = row->verdict;
    tell_reason(reason, row);
    safe_name(name, sizeof(name), row);
    if (verdict != NULL && verdict->wall_time_us >= 0)
        snprintf(ms, sizeof(ms), "%.1f", (double)verdict->wall_time_us / 1000);
    const char *gap = name[0] != '\0' && reason[0] != '\0' ? "  " : "";
    if (asprintf(&text, "%4zu  %-7s  %-9s  %8s%s%s%s%s\n", row->index, grades[row->grade],
                 verdict != NULL ? sb_word_name(verdict->word) : "-", ms,
                 name[0] != '\0' || reason[0] != '\0' ? "  " : "", name, gap, reason) < 0)
        return NULL;
    return text;
}

/* ── XML ────────────────────────────────────────────────────────────────────────────────────── */

/* U+FFFE and U+FFFF are in no XML document either. */
static bool is_in_xml(const char *character, size_t size)
{
    unsigned char first = (unsigned char)character[0];
    if (size == 3 && memcmp(character, "\xef\xbf", 2) == 0)
        return (unsigned char)character[2] < 0xbe;
    return size > 1 || (first >= 0x20 && first != 0x7f) || first == '\t' || first == '\n';
}

static void put_xml(FILE *file, const char *text, size_t size)
{
    static const char special[] = "&<>\"";
    static const char *const entities[] = {"&amp;", "&lt;", "&gt;", "&quot;"};
    for (size_t i = 0, length; i < size; i += length) {
        bool valid;
        length = utf8_next(text + i, size - i, &valid);
        const char *found = length == 1 && text[i] != '\0' ? strchr(special, text[i]) : NULL;
        if (!valid || !is_in_xml(text + i, length))
            fputs(UTF8_REPLACEMENT, file);
        else if (found != NULL)
            fputs(entities[found - special], file);
        else
            fwrite(text + i, 1, length, file);
    }
}

static void put_attribute(FILE *file, const char *name, const char *text)
{
    fprintf(file, " %s=\"", name);
    put_xml(file, text, strlen(text));
    fputc('"', file);
}

static void put_stream(FILE *file, const char *element, const char *text, size_t size)
{
    if (size == 0)
        return;
    fprintf(file, "<%s>", element);
    put_xml(file, text, size);
    fprintf(file, "</%s>\n", element);
}

static void put_outcome(FILE *file, const struct case_row *row)
{
    const struct sb_verdict *verdict = row->verdict;
    char reason[REASON_SIZE];
    tell_reason(reason, row);
    if (verdict == NULL) {
        fputs("<skipped", file);
        put_attribute(file, "message", reason);
        fputs("/>\n", file);
        return;
    }
    if (!case_failed(row->grade, verdict))
        return;
    fputs(verdict->word == SB_INTERNAL ? "<error" : "<failure", file);
    put_attribute(file, "type", verdict->word == SB_OK ? "incorrect" : sb_word_name(verdict->word));
    put_attribute(file, "message", reason);
    fputs("/>\n", file);
    put_stream(file, "system-out", verdict->text[SB_STDOUT], verdict->text_size[SB_STDOUT]);
    put_stream(file, "system-err", verdict->text[SB_STDERR], verdict->text_size[SB_STDERR]);
}

char *case_row_xml(const struct case_row *row, const char *suite)
{
    char *text = NULL, name[32];
    size_t size;
    FILE *file = open_memstream(&text, &size);
    if (file == NULL)
        return NULL;
    int64_t us =
        row->verdict != NULL && row->verdict->wall_time_us > 0 ? row->verdict->wall_time_us : 0;
    snprintf(name, sizeof(name), "case %zu", row->index);
    fputs("<testcase", file);
    put_attribute(file, "classname", suite);
    put_attribute(file, "name", row->one->name != NULL ? row->one->name : name);
    fprintf(file, " time=\"%.6f\">\n", (double)us / 1e6);
    put_outcome(file, row);
    fputs("</testcase>\n", file);
    bool failed = ferror(file) != 0;
    if (fclose(file) != 0 || failed) {
        free(text);
        return NULL;
    }
    return text;
}

char *case_rows_xml_head(const char *suite, const struct case_sums *sums)
{
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);
    if (file == NULL)
        return NULL;
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite", file);
    put_attribute(file, "name", suite);
    fprintf(file, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\" time=\"%.6f\">\n",
            sums->tests, sums->failures, sums->errors, sums->skipped, (double)sums->time_us / 1e6);
    if (fclose(file) != 0)
        free_memory(&text);
    return text;
}
