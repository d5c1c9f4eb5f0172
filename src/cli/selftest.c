/* Runs the hostile scripts, as many at once as there are processors, and judges each by its header,
 * as tests/attack/README.md has it. Their output is hostile, too: no byte of it reaches a
 * terminal as it is. */
#include "cli/selftest.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "cli/input.h"
#include "cli/message.h"
#include "cli/status.h"
#include "common/util.h"

enum { MOST_CODE = 1 << 20, LINE = 128, MOST_WORDS = 16, MOST_POLICIES = 8 };

enum attack_outcome { CONTAINED, SKIPPED, BREACH, UNCLEAR, OUTCOMES };

/* The scripts use these words themselves. */
static const char *const outcome_names[OUTCOMES] = {"CONTAINED", "SKIPPED", "BREACH", "UNCLEAR"};

struct selftest {
    const struct options *options;
    const char *directory;
    struct sb_policy *policies[MOST_POLICIES]; /* the first is that of scripts that name none */
    struct sb_sandbox *sandbox;
    struct bytes shared; /* hostile.py, which every script imports */
    int running;
    int count[OUTCOMES];
};

struct attack {
    struct selftest *test;
    char name[64];
    char what[LINE];   /* "# attack:" */
    char expect[LINE]; /* "# expect:" what the script says or the verdict is; any of these words
                          will do */
    char limits[LINE]; /* "# limits:" options for this script */
    bool shares_cpu;   /* they have --cpus: it is about that */
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

/* A copy of the last line, fit for a terminal. */
static void last_line(const char *text, size_t end, char line[static LINE])
{
    while (end > 0 && text[end - 1] == '\n')
        end--;
    size_t start = end;
    while (start > 0 && text[start - 1] != '\n')
        start--;
    snprintf(line, LINE, "%.*s", (int)(end - start), text + start);
    for (char *c = line; *c != '\0'; c++) {
        if (*c < ' ' || *c > '~')
            *c = '?';
    }
}

/* What a script leaves to be collected says itself what may come back: names and displays with
 * "BREACH" may not, and the content of a file has to begin with "CONTAINED", or it is somebody
 * else's. */
static bool got_through(const struct sb_verdict *verdict)
{
    static const char breach[] = "BREACH", contained[] = "CONTAINED";
    for (size_t i = 0; i < verdict->files_count; i++) {
        const struct sb_collected *file = &verdict->files[i];
        bool own = file->size >= strlen(contained) &&
                   memcmp(file->data, contained, strlen(contained)) == 0;
        if (strstr(file->path, breach) != NULL || (file->size > 0 && !own))
            return true;
    }
    return verdict->display != NULL && strstr(verdict->display, breach) != NULL;
}

/* "BREACH:" counts wherever it was said. A verdict counts only when the attack had come to the
 * point where that limit had to strike, and the script's own word only when it ran to its end. */
static enum attack_outcome judge(const struct attack *attack, const struct sb_verdict *verdict)
{
    static const char breach[] = "BREACH:";
    const char *text = verdict->text[SB_STDOUT];
    size_t size = verdict->text_size[SB_STDOUT];
    for (const char *at = text; (at = memmem(at, size - (size_t)(at - text), breach, 7)); at += 7) {
        if (at == text || at[-1] == '\n')
            return BREACH;
    }
    if (got_through(verdict))
        return BREACH;
    char line[LINE];
    char word[16] = "";
    last_line(text, size, line);
    sscanf(line, "%15[A-Z]:", word);
    for (enum attack_outcome said = CONTAINED; said <= SKIPPED; said++) {
        if (verdict->word == SB_OK && strcmp(word, outcome_names[said]) == 0 &&
            has_word(attack->expect, word))
            return said;
    }
    bool struck = has_word(attack->expect, sb_word_name(verdict->word));
    return struck && strcmp(word, "ARMED") == 0 ? CONTAINED : UNCLEAR;
}

/* The limit that had to hold, where the host can't enforce it and the caller goes on without: what
 * came of the attack says nothing then. NULL: there is none. A share of the CPU has no verdict. */
static const char *not_enforced(const struct attack *attack, const struct sb_verdict *verdict)
{
    for (const char *const *limit = verdict->missing; limit != NULL && *limit != NULL; limit++)
        if (has_word(attack->expect, *limit) || (strcmp(*limit, "cpu") == 0 && attack->shares_cpu))
            return *limit;
    return NULL;
}

static void on_done(void *user, const struct sb_verdict *verdict)
{
    struct attack *attack = user;
    enum attack_outcome outcome = judge(attack, verdict);
    const char *limit = outcome != CONTAINED ? not_enforced(attack, verdict) : NULL;
    if (limit != NULL)
        outcome = SKIPPED;
    attack->test->running--;
    attack->test->count[outcome]++;
    printf("%-9s %s: %s\n", outcome_names[outcome], attack->name, attack->what);
    if (limit != NULL) {
        printf("          the limit is not enforced on this host: %s\n", limit);
    } else if (outcome != CONTAINED) {
        char said[LINE], complained[LINE];
        last_line(verdict->text[SB_STDOUT], verdict->text_size[SB_STDOUT], said);
        last_line(verdict->text[SB_STDERR], verdict->text_size[SB_STDERR], complained);
        printf("          expected: %s; verdict: %s; stdout: %s; stderr: %s\n", attack->expect,
               sb_word_name(verdict->word), said, complained);
    }
    fflush(stdout);
}

/* ── Running ────────────────────────────────────────────────────────────────────────────────── */

/* "# key: value" among the comments that the code begins with; "" when it is not there. */
static void header(const struct bytes *code, const char *key, char value[static LINE])
{
    char prefix[32];
    size_t length = (size_t)snprintf(prefix, sizeof(prefix), "# %s: ", key);
    const char *line = code->data;
    const char *end = code->data + code->size;
    *value = '\0';
    while (line < end && *line == '#') {
        const char *next = memchr(line, '\n', (size_t)(end - line));
        size_t size = (size_t)((next != NULL ? next : end) - line);
        if (size > length && memcmp(line, prefix, length) == 0)
            snprintf(value, LINE, "%.*s", (int)(size - length), line + length);
        line += size + 1;
    }
}

/* The words of "# limits:" are options of the command line: one parser for both. */
static int parse_limits(struct options *options, char *line, struct sb_error *err)
{
    /* Files are not written anywhere, but come with the verdict: as with --json. */
    char *words[MOST_WORDS + 1] = {"sandbox-run", "--json"};
    int count = 2;
    for (char *word; (word = strsep(&line, " ")) != NULL && count < MOST_WORDS;) {
        if (*word != '\0')
            words[count++] = word;
    }
    return options_parse(options, count, words, err);
}

/* The policy of this name, loaded when it is first needed. NULL: *err says why. */
static const struct sb_policy *find_policy(struct selftest *test, const char *name,
                                           struct sb_error *err)
{
    size_t i = 0;
    for (; i < MOST_POLICIES && test->policies[i] != NULL; i++)
        if (strcmp(sb_policy_name(test->policies[i]), name) == 0)
            return test->policies[i];
    if (i == MOST_POLICIES) {
        fail(err, "policy", "the scripts name more than %d policies: use fewer", MOST_POLICIES);
        return NULL;
    }
    sb_policy_load(&test->policies[i], test->options->policy_directory, name, err);
    return test->policies[i];
}

static int start_job(struct attack *attack, const char *file, const struct bytes *code,
                     struct sb_error *err)
{
    struct selftest *test = attack->test;
    struct options options = {0};
    bool named = has_word(attack->limits, "--policy");
    int result = parse_limits(&options, attack->limits, err);
    const struct sb_policy *policy = test->policies[0];
    if (result == 0 && named)
        policy = find_policy(test, options.policy, err);
    if (policy == NULL)
        result = -1;
    if (result == 0) {
        struct sb_file shared = {
            .path = "hostile.py", .data = test->shared.data, .size = test->shared.size};
        struct sb_job job = {
            .policy = policy,
            .name = file,
            .code = code->data,
            .code_size = code->size,
            .files = &shared,
            .files_count = 1,
            .call = options.call,
            .notebook = options.notebook,
            .collect = options.collect_globs,
            .limits = options.limits,
            .best_effort = test->options->sandbox.best_effort,
            .allow_missing = test->options->sandbox.allow_missing,
            .on_done = on_done,
            .user = attack,
        };
        result = sb_start(test->sandbox, &job, NULL, err);
    }
    options_free(&options);
    return result;
}

/* Starts one script. Files without "# attack:" are not scripts of ours. */
static int start(struct selftest *test, struct attack *attack, const char *file,
                 struct sb_error *err)
{
    char path[PATH_MAX];
    struct bytes code = {0};
    snprintf(path, sizeof(path), "%s/%s", test->directory, file);
    int result = read_script(path, MOST_CODE, &code, err);
    if (result == 0)
        header(&code, "attack", attack->what);
    if (attack->what[0] != '\0') {
        attack->test = test;
        snprintf(attack->name, sizeof(attack->name), "%.*s", (int)strlen(file) - 3, file);
        header(&code, "expect", attack->expect);
        header(&code, "limits", attack->limits);
        attack->shares_cpu = has_word(attack->limits, "--cpus");
        result = start_job(attack, file, &code, err);
        if (result == 0)
            test->running++;
    }
    free(code.data);
    return result;
}

static int is_python(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return length > 3 && strcmp(entry->d_name + length - 3, ".py") == 0;
}

static int run_each(struct selftest *test, struct attack *attacks, struct dirent **entries,
                    int count, struct sb_error *err)
{
    for (int next = 0; next < count || test->running > 0;) {
        int result;
        if (next < count && test->running < get_nprocs()) {
            result = start(test, &attacks[next], entries[next]->d_name, err);
            next++;
        } else {
            result = sb_turn(test->sandbox, -1, err);
        }
        if (result < 0)
            return -1;
    }
    return 0;
}

static int run_all(struct selftest *test, struct sb_error *err)
{
    struct dirent **entries = NULL;
    int count = scandir(test->directory, &entries, is_python, alphasort);
    if (count <= 0)
        return 0;
    int result = -1;
    struct attack *attacks = calloc((size_t)count, sizeof(*attacks));
    if (attacks != NULL)
        result = run_each(test, attacks, entries, count, err);
    else
        fail(err, "", "out of memory (self-test)");
    free(attacks);
    while (count > 0)
        free(entries[--count]);
    free(entries);
    return result;
}

/* Returns the exit status, or −1 with *err when the test itself could not be run. */
static int run_test(struct selftest *test, struct sb_error *err)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/hostile.py", test->directory);
    if (read_script(path, MOST_CODE, &test->shared, err) < 0)
        return fail(err, "",
                    "there are no hostile scripts in %s: install them, or name their "
                    "directory in SANDBOX_ATTACKS",
                    test->directory);
    const struct options *options = test->options;
    if (sb_policy_load(&test->policies[0], options->policy_directory, options->policy, err) < 0 ||
        sb_open(&test->sandbox, &options->sandbox, err) < 0 || run_all(test, err) < 0)
        return -1;
    const int *count = test->count;
    printf("\n%d contained, %d skipped, %d breached, %d unclear\n", count[CONTAINED],
           count[SKIPPED], count[BREACH], count[UNCLEAR]);
    return count[BREACH] + count[UNCLEAR] == 0 && count[CONTAINED] > 0 ? 0 : 1;
}

int selftest(const struct options *options)
{
    const char *directory = getenv("SANDBOX_ATTACKS");
    struct selftest test = {.options = options,
                            .directory = directory != NULL ? directory : SB_ATTACK_DIR};
    struct sb_error err;
    int status = run_test(&test, &err);
    if (test.sandbox != NULL)
        sb_close(test.sandbox);
    for (size_t i = 0; i < MOST_POLICIES; i++)
        sb_policy_free(test.policies[i]);
    free(test.shared.data);
    if (status >= 0)
        return status;
    say("%s", err.message);
    return STATUS_FAILED;
}
