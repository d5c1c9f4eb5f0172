#include "cli/doctor.h"

#include <json-c/json.h>

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

static void add_text(struct json_object *object, const char *key, const char *text)
{
    json_object_object_add(object, key, text != NULL ? json_object_new_string(text) : NULL);
}

static void collect_finding(void *user, const struct sb_finding *finding)
{
    struct json_object *object = json_object_new_object();
    add_text(object, "name", finding->name);
    json_object_object_add(object, "ok", json_object_new_boolean(finding->ok));
    json_object_object_add(object, "required", json_object_new_boolean(finding->required));
    add_text(object, "detail", finding->detail);
    add_text(object, "meaning", finding->meaning);
    add_text(object, "remedy", finding->remedy);
    json_object_array_add(user, object);
}

static int doctor_json(const struct options *options)
{
    struct json_object *findings = json_object_new_array();
    int missing =
        sb_doctor(&options->sandbox, options->policy_directory, collect_finding, findings);
    struct json_object *answer = json_object_new_object();
    json_object_object_add(answer, "ok", json_object_new_boolean(missing == 0));
    json_object_object_add(answer, "missing", json_object_new_int(missing));
    json_object_object_add(answer, "findings", findings);
    puts(json_object_to_json_string_ext(answer,
                                        JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(answer);
    return missing == 0 ? 0 : 1;
}

int doctor(const struct options *options)
{
    return options->json ? doctor_json(options) : doctor_text(options);
}
