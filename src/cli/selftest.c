/* Runs the hostile scripts, as many at once as there are cores, and judges each by what its header
 * says: tests/attack/README.md. What they print is hostile too. */
#include "selftest.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "../core/util.h"
#include "input.h"
#include "message.h"
#include "status.h"

#ifndef SB_ATTACK_DIR
#define SB_ATTACK_DIR "/usr/share/sandbox-run/attacks"
#endif

enum { MOST_CODE = 1 << 20, WORDS = 16 };

struct selftest {
    const struct options *options;
    const char *directory;
    struct sb_policy *policy;
    struct sb_sandbox *sandbox;
    struct bytes shared; /* hostile.py, which every script imports */
    int running, total, contained, skipped;
};

struct attack {
    struct selftest *test;
    char name[64];
    char what[256];   /* "# attack:" */
    char expect[128]; /* "# expect:" words, any of which will do */
    char limits[256]; /* "# limits:" options for this script */
};

/* ── Judging ────────────────────────────────────────────────────────────────────────────────── */

static bool has_word(const char *words, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = words; (at = strstr(at, word)) != NULL; at += length) {
        if ((at == words || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
            return true;
    }
    return false;
}

/* The last line that begins with one of the words that a script reports with, for a terminal. */
static void last_line(const struct sb_verdict *verdict, char *line, size_t size)
{
    const char *text = verdict->text[SB_STDOUT];
    size_t end = verdict->text_size[SB_STDOUT];
    while (end > 0 && text[end - 1] == '\n')
        end--;
    size_t start = end;
    while (start > 0 && text[start - 1] != '\n')
        start--;
    snprintf(line, size, "%.*s", (int)(end - start), text + start);
    for (char *c = line; *c != '\0'; c++) {
        if (*c < ' ' || *c > '~')
            *c = '?';
    }
}

enum outcome { CONTAINED, BREACH, SKIPPED };

/* A verdict that the header names counts only when the attack had got to the point where that limit
 * had to strike. The script's own word counts only when it ran to its end. */
static enum outcome judge(const struct attack *attack, const struct sb_verdict *verdict,
                          const char *line)
{
    char word[16] = "";
    sscanf(line, "%15[A-Z]:", word);
    if (verdict->word == SB_OK && has_word(attack->expect, word)) {
        if (strcmp(word, "CONTAINED") == 0)
            return CONTAINED;
        if (strcmp(word, "SKIPPED") == 0)
            return SKIPPED;
    }
    bool struck = has_word(attack->expect, sb_word_name(verdict->word));
    return struck && strcmp(word, "ARMED") == 0 ? CONTAINED : BREACH;
}

static void on_done(void *user, const struct sb_verdict *verdict)
{
    static const char *const names[] = {"CONTAINED", "BREACH", "SKIPPED"};
    struct attack *attack = user;
    struct selftest *test = attack->test;
    char line[512];
    last_line(verdict, line, sizeof(line));
    enum outcome outcome = judge(attack, verdict, line);
    test->running--;
    test->contained += outcome == CONTAINED;
    test->skipped += outcome == SKIPPED;
    printf("%-9s %s: %s\n", names[outcome], attack->name, attack->what);
    if (outcome == BREACH)
        printf("          expected %s; the verdict is %s, %s; its last line: %s\n", attack->expect,
               sb_word_name(verdict->word), verdict->error != NULL ? verdict->error : "no error",
               line);
    else if (outcome == SKIPPED)
        printf("          %s\n", line);
    fflush(stdout);
    free(attack);
}

/* ── Running ────────────────────────────────────────────────────────────────────────────────── */

/* "# KEY: value" of the header; "" when it has none. */
static void header(const struct bytes *code, const char *key, char *value, size_t size)
{
    char format[32];
    const char *line = code->data;
    const char *end = code->data + code->size;
    int length = snprintf(format, sizeof(format), "# %s: ", key);
    *value = '\0';
    while (line != NULL && end - line > length && *line == '#') {
        const char *next = memchr(line, '\n', (size_t)(end - line));
        if (memcmp(line, format, (size_t)length) == 0) {
            int width = (int)((next != NULL ? next : end) - line) - length;
            snprintf(value, size, "%.*s", width, line + length);
            return;
        }
        line = next != NULL ? next + 1 : NULL;
    }
}

/* The limits of the header are options of the command line, read by the same parser. */
static int read_limits(const struct attack *attack, struct sb_limits *limits, struct sb_error *err)
{
    char line[sizeof(attack->limits)];
    char *words[WORDS + 1] = {"sandbox-run"};
    int count = 1;
    strcpy(line, attack->limits);
    for (char *at = line, *word; (word = strsep(&at, " ")) != NULL && count < WORDS;) {
        if (*word != '\0')
            words[count++] = word;
    }
    struct options options;
    int result = options_parse(&options, count, words, err);
    *limits = options.limits;
    options_free(&options);
    return result;
}

static int start(struct selftest *test, const char *file, struct sb_error *err)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", test->directory, file);
    struct bytes code = {0};
    struct attack *attack = calloc(1, sizeof(*attack));
    if (attack == NULL)
        return fail(err, "", "no memory for the self-test: free some and try again");
    attack->test = test;
    struct sb_job job = {.policy = test->policy, .name = file, .on_done = on_done, .user = attack};
    int result = read_script(path, MOST_CODE, &code, err);
    if (result == 0) {
        snprintf(attack->name, sizeof(attack->name), "%.*s", (int)strlen(file) - 3, file);
        header(&code, "attack", attack->what, sizeof(attack->what));
        header(&code, "expect", attack->expect, sizeof(attack->expect));
        header(&code, "limits", attack->limits, sizeof(attack->limits));
        result = read_limits(attack, &job.limits, err);
    }
    if (result == 0) {
        struct sb_file shared = {"hostile.py", test->shared.data, test->shared.size};
        job.code = code.data;
        job.code_size = code.size;
        job.files = &shared;
        job.files_count = 1;
        job.best_effort = test->options->sandbox.best_effort;
        result = sb_start(test->sandbox, &job, NULL, err);
    }
    free(code.data);
    if (result < 0)
        free(attack);
    else
        test->running++, test->total++;
    return result;
}

static int is_attack(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot != NULL && strcmp(dot, ".py") == 0 && strcmp(entry->d_name, "hostile.py") != 0;
}

static int run_all(struct selftest *test, struct sb_error *err)
{
    struct dirent **entries;
    int count = scandir(test->directory, &entries, is_attack, alphasort);
    if (count <= 0)
        return fail(err, "", "there are no hostile scripts in %s: install them, or name the "
                             "directory in SANDBOX_ATTACKS",
                    test->directory);
    int result = 0;
    for (int next = 0; result == 0 && (next < count || test->running > 0);) {
        if (next < count && test->running < get_nprocs())
            result = start(test, entries[next++]->d_name, err);
        else
            result = sb_turn(test->sandbox, -1, err);
    }
    for (int i = 0; i < count; i++)
        free(entries[i]);
    free(entries);
    return result;
}

int selftest(const struct options *options)
{
    const char *directory = getenv("SANDBOX_ATTACKS");
    struct selftest test = {.options = options,
                            .directory = directory != NULL ? directory : SB_ATTACK_DIR};
    struct sb_error err;
    char path[4096];
    snprintf(path, sizeof(path), "%s/hostile.py", test.directory);
    int result = sb_policy_load(&test.policy, options->policy_directory, options->policy, &err);
    if (result == 0)
        result = read_script(path, MOST_CODE, &test.shared, &err);
    if (result == 0)
        result = sb_open(&test.sandbox, &options->sandbox, &err);
    if (result == 0)
        result = run_all(&test, &err);
    if (test.sandbox != NULL)
        sb_close(test.sandbox);
    free(test.shared.data);
    sb_policy_free(test.policy);
    if (result < 0) {
        say("%s", err.message);
        return STATUS_FAILED;
    }
    int breached = test.total - test.contained - test.skipped;
    printf("\n%d hostile scripts: %d contained, %d skipped, %d not contained\n", test.total,
           test.contained, test.skipped, breached);
    return breached == 0 ? 0 : 1;
}
