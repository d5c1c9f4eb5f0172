#include "cli/findings.h"

#include <stdio.h>

#include "cli/message.h"
#include "cli/status.h"
#include "common/json_writer.h"
#include "common/util.h"

/* As wide as the longest name. */
#define NAME_WIDTH 44

static void print_finding(void *user, const struct sb_finding *finding)
{
    (void)user;
    printf("%-4s %-*s %s\n", finding->ok ? "yes" : "NO", NAME_WIDTH, finding->name,
           finding->detail);
    if (finding->ok)
        return;
    printf("     %s%s\n", finding->meaning, finding->required ? "" : " (not required)");
    if (finding->remedy != NULL)
        printf("     remedy: %s\n", finding->remedy);
}

static int doctor_text(const struct options *options)
{
    int missing = sb_doctor(&options->sandbox, options->policy_directory, print_finding, NULL);
    if (missing == 0)
        puts("\nThe default policy can be enforced in full.");
    else
        printf(
            "\nThe default policy can't be enforced: %d of the things that it needs %s missing.\n",
            missing, missing == 1 ? "is" : "are");
    return missing == 0 ? 0 : 1;
}

static void put_finding(void *user, const struct sb_finding *finding)
{
    struct json_writer *writer = user;
    json_item(writer);
    json_bracket(writer, '{');
    json_member(writer, "name", finding->name);
    json_key(writer, "ok");
    json_boolean(writer, finding->ok);
    json_key(writer, "required");
    json_boolean(writer, finding->required);
    json_member(writer, "detail", finding->detail);
    json_member(writer, "meaning", finding->meaning);
    json_member(writer, "remedy", finding->remedy);
    json_bracket(writer, '}');
}

static int doctor_json(const struct options *options)
{
    struct json_writer findings, answer;
    json_begin(&findings, 8192);
    json_bracket(&findings, '[');
    int missing = sb_doctor(&options->sandbox, options->policy_directory, put_finding, &findings);
    json_bracket(&findings, ']');
    _cleanup_free_ char *list = json_end(&findings);

    json_begin(&answer, findings.size + 64);
    json_bracket(&answer, '{');
    json_key(&answer, "ok");
    json_boolean(&answer, missing == 0);
    json_key(&answer, "missing");
    json_integer(&answer, missing);
    json_key(&answer, "findings");
    json_verbatim(&answer, list != NULL ? list : "null");
    json_bracket(&answer, '}');
    _cleanup_free_ char *json = json_end(&answer);
    if (list == NULL || json == NULL) {
        say("out of memory (--doctor)");
        return STATUS_FAILED;
    }
    puts(json);
    return missing == 0 ? 0 : 1;
}

int doctor(const struct options *options)
{
    return options->json ? doctor_json(options) : doctor_text(options);
}
