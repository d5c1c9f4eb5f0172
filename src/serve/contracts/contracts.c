/* Turns a verdict into the answer that a contract's clients expect. */
#include "serve/contracts/contracts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/json_writer.h"
#include "common/sentence.h"

/* Forms of answers: one letter for each field, in the order of the fields.
 *     o output, stdout without its last newline     e error, "" where there is none
 *     t execution_time, seconds                     r result, the value of the function
 *     O stdout                                      E stderr
 *     T truncated, how many bytes of stdout and stderr are missing */
const struct contract contracts[CONTRACTS] = {
    /* clang-format off */
    [NATIVE] = {
        "POST /run", "run", "code", NULL,
        {[SB_OK] = 200, [SB_EXCEPTION] = 200, [SB_EXIT] = 200, [SB_SIGNAL] = 200, [SB_TIMEOUT] = 200,
         [SB_CPU_TIME] = 200, [SB_MEMORY] = 200, [SB_OUTPUT] = 200, [SB_INTERNAL] = 500},
        NULL, NULL, NULL, "e",
    },
    [RUN_CODE] = {
        "POST /run_code", "run_code", "code", NULL,
        {[SB_OK] = 200, [SB_EXCEPTION] = 200, [SB_EXIT] = 200, [SB_SIGNAL] = 200, [SB_TIMEOUT] = 500,
         [SB_CPU_TIME] = 500, [SB_MEMORY] = 500, [SB_OUTPUT] = 200, [SB_INTERNAL] = 500},
        "oeET", "oeET", "oeET", "e",
    },
    [EXECUTE] = {
        "POST /execute with \"code\"", "execute", "code", NULL,
        {[SB_OK] = 200, [SB_EXCEPTION] = 200, [SB_EXIT] = 200, [SB_SIGNAL] = 200, [SB_TIMEOUT] = 200,
         [SB_CPU_TIME] = 200, [SB_MEMORY] = 200, [SB_OUTPUT] = 200, [SB_INTERNAL] = 500},
        "otET", "oetET", "oetET", "e",
    },
    [EXECUTE_SCRIPT] = {
        "POST /execute with \"script\"", "execute_script", "script", "main",
        {[SB_OK] = 200, [SB_EXCEPTION] = 400, [SB_EXIT] = 400, [SB_SIGNAL] = 400, [SB_TIMEOUT] = 500,
         [SB_CPU_TIME] = 500, [SB_MEMORY] = 500, [SB_OUTPUT] = 500, [SB_INTERNAL] = 500},
        "rOET", "eOET", "eOET", "eOET",
    },
    /* clang-format on */
};

static void put_text(struct json_writer *writer, const char *key, const char *text, size_t size)
{
    json_key(writer, key);
    json_string(writer, text, size);
}

static void put_stream(struct json_writer *writer, const char *key,
                       const struct sb_verdict *verdict, enum sb_stream stream)
{
    put_text(writer, key, verdict->text[stream], verdict->text_size[stream]);
}

static void put_output(struct json_writer *writer, const struct sb_verdict *verdict)
{
    const char *text = verdict->text[SB_STDOUT];
    size_t size = verdict->text_size[SB_STDOUT];
    put_text(writer, "output", text, size > 0 && text[size - 1] == '\n' ? size - 1 : size);
}

static void put_seconds(struct json_writer *writer, int64_t us)
{
    char seconds[48];
    snprintf(seconds, sizeof(seconds), "%" PRId64 ".%06" PRId64, us / 1000000, us % 1000000);
    json_key(writer, "execution_time");
    json_verbatim(writer, us < 0 ? "0.0" : seconds);
}

static void put_truncated(struct json_writer *writer, const struct sb_verdict *verdict)
{
    json_key(writer, "truncated");
    json_bracket(writer, '{');
    json_key(writer, "stdout");
    json_integer(writer, verdict->dropped_bytes[SB_STDOUT]);
    json_key(writer, "stderr");
    json_integer(writer, verdict->dropped_bytes[SB_STDERR]);
    json_bracket(writer, '}');
}

static void put_field(struct json_writer *writer, char letter, const struct sb_verdict *verdict)
{
    switch (letter) {
    case 'o':
        put_output(writer, verdict);
        return;
    case 'e':
        put_text(writer, "error", verdict->error, error_size(verdict));
        return;
    case 't':
        put_seconds(writer, verdict->wall_time_us);
        return;
    case 'r':
        json_key(writer, "result");
        json_verbatim(writer, verdict->result);
        return;
    case 'O':
        put_stream(writer, "stdout", verdict, SB_STDOUT);
        return;
    case 'E':
        put_stream(writer, "stderr", verdict, SB_STDERR);
        return;
    case 'T':
        put_truncated(writer, verdict);
        return;
    }
}

static void put_fields(struct json_writer *writer, const char *form,
                       const struct sb_verdict *verdict)
{
    for (; *form != '\0'; form++)
        put_field(writer, *form, verdict);
}

/* Where a value is wanted, exit status 0 is not enough: sys.exit(0) in main() returns none. */
static bool lacks_result(const struct contract *contract, const struct sb_verdict *verdict)
{
    return contract->call != NULL && verdict->word == SB_OK &&
           (verdict->result == NULL || verdict->result[0] == '\0');
}

char *contract_answer(enum contract_id id, const struct sb_verdict *verdict, unsigned flags,
                      unsigned *status)
{
    const struct contract *contract = &contracts[id];
    *status = contract->status[verdict->word];
    if (contract->success == NULL)
        return sb_verdict_json(verdict, flags);

    struct sb_verdict judged = *verdict;
    if (lacks_result(contract, verdict)) {
        judged.word = SB_EXIT;
        judged.error = "the script ended before main() returned a value";
        *status = contract->status[SB_EXIT];
    }
    const char *form = judged.word == SB_OK ? contract->success
                       : *status == 200     ? contract->failure
                                            : contract->refusal;
    struct json_writer writer;
    json_begin(&writer, judged.text_size[SB_STDOUT] + judged.text_size[SB_STDERR] + 256);
    json_bracket(&writer, '{');
    put_fields(&writer, form, &judged);
    json_bracket(&writer, '}');
    return json_end(&writer);
}

char *contract_refusal(enum contract_id id, const char *field, const char *message)
{
    const struct sb_verdict nothing = {.text = {"", ""}, .error = message};
    struct json_writer writer;
    json_begin(&writer, strlen(message) + 128);
    json_bracket(&writer, '{');
    put_text(&writer, "status", "error", strlen("error"));
    put_fields(&writer, contracts[id].refused, &nothing);
    json_key(&writer, "field");
    if (field == NULL || field[0] == '\0')
        json_null(&writer);
    else
        json_string(&writer, field, strlen(field));
    json_bracket(&writer, '}');
    return json_end(&writer);
}
