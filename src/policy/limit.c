/* The table of limits, and the reading of limits that a person writes: "1.5", "500ms", "128M".
 * Policies, requests, options and help texts take names, units and ranges from this table. */
#include "policy/limit.h"

#include <stdio.h>
#include <string.h>

#include "common/error.h"
#include "common/quantity.h"

#define KIB INT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define TIB (1024 * GIB)
#define HOUR_MS INT64_C(3600000)

static const char unit_ms[] = "ms";
static const char unit_bytes[] = "bytes";
static const char unit_cpus[] = "cpus";
static const char unit_count[] = "count";
static const char unit_chars[] = "chars";

/* Some minima are necessary: python 3.11 needs 6 MiB to start, and size=0 or nr_inodes=0 mean "no
 * limit" to tmpfs(5). */
static const struct sb_limit_info table[SB_LIMITS] = {
    [SB_WALL_TIME_MS] = {"wall_time_ms", "timeout", unit_ms, 1, 24 * HOUR_MS, "wall-clock time"},
    [SB_CPU_TIME_MS] = {"cpu_time_ms", "cpu-time", unit_ms, 1, 24 * HOUR_MS,
                        "CPU time of all processes together"},
    [SB_MEMORY_BYTES] = {"memory_bytes", "memory", unit_bytes, 8 * MIB, TIB,
                         "memory of all processes together, files in /tmp and /work included"},
    [SB_MILLICPUS] = {"cpus", "cpus", unit_cpus, 10, 1024 * 1000,
                      "CPUs used at the same time, fractions allowed"},
    [SB_PIDS] = {"pids", "pids", unit_count, 1, 1000000, "processes and threads alive at a time"},
    [SB_OUTPUT_BYTES] = {"output_bytes", "output", unit_bytes, 1, GIB,
                         "output kept of stdout, and of stderr"},
    [SB_OPEN_FILES] = {"open_files", "open-files", unit_count, 8, 1048576,
                       "files open in one process"},
    [SB_TMP_BYTES] = {"tmp_bytes", "tmp", unit_bytes, 64 * KIB, TIB,
                      "size of /tmp, /work and /dev/shm together"},
    [SB_TMP_FILES] = {"tmp_files", "tmp-files", unit_count, 16, 10000000,
                      "files and directories in them"},
    [SB_CODE_CHARS] = {"code_chars", "code-chars", unit_chars, 1, 100000000,
                       "length of the code in characters"},
    [SB_RESULT_BYTES] = {"result_bytes", "result", unit_bytes, 1, 64 * MIB,
                         "size of the called function's value as JSON"},
    [SB_DISPLAYS] = {"displays", "displays", unit_count, 1, 10000, "displays kept of a cell"},
    [SB_DISPLAY_BYTES] = {"display_bytes", "display-size", unit_bytes, 1, 64 * MIB,
                          "size of these displays together, as JSON"},
    [SB_COLLECT_FILES] = {"collect_files", "collect-files", unit_count, 1, 10000,
                          "files that come back"},
    [SB_COLLECT_BYTES] = {"collect_bytes", "collect-bytes", unit_bytes, 1, GIB,
                          "size of them together"},
};

/* policies/default.json states the same values. CPU time is high, since wall time × cpus bounds it
 * already: it must not end a job whose wall-clock time a user has raised. */
static const int64_t defaults[SB_LIMITS] = {
    [SB_WALL_TIME_MS] = 10000,
    [SB_CPU_TIME_MS] = HOUR_MS,
    [SB_MEMORY_BYTES] = 128 * MIB,
    [SB_MILLICPUS] = 1000,
    [SB_PIDS] = 64,
    [SB_OUTPUT_BYTES] = MIB,
    [SB_OPEN_FILES] = 256,
    [SB_TMP_BYTES] = 64 * MIB,
    [SB_TMP_FILES] = 4096,
    [SB_CODE_CHARS] = 1000000,
    [SB_RESULT_BYTES] = MIB,
    [SB_DISPLAYS] = 50,
    [SB_DISPLAY_BYTES] = 4 * MIB,
    [SB_COLLECT_FILES] = 100,
    [SB_COLLECT_BYTES] = 10 * MIB,
};

const struct sb_limit_info *sb_limit_info(enum sb_limit limit)
{
    return (unsigned)limit < SB_LIMITS ? &table[limit] : NULL;
}

struct sb_limits sb_limits_unset(void)
{
    struct sb_limits limits;
    for (size_t i = 0; i < SB_LIMITS; i++)
        limits.value[i] = SB_UNSET;
    return limits;
}

int64_t limit_default(enum sb_limit limit)
{
    return defaults[limit];
}

int limit_from_name(const char *name)
{
    for (int i = 0; i < SB_LIMITS; i++)
        if (strcmp(table[i].name, name) == 0)
            return i;
    return -1;
}

const char *limit_names(char text[LIMIT_NAMES_SIZE])
{
    size_t length = 0;
    for (size_t i = 0; i < SB_LIMITS && length < LIMIT_NAMES_SIZE; i++)
        length += (size_t)snprintf(text + length, LIMIT_NAMES_SIZE - length, "%s%s",
                                   i == 0 ? "" : ", ", table[i].name);
    return text;
}

const char *limit_text(char text[LIMIT_TEXT_SIZE], enum sb_limit limit, int64_t value)
{
    return quantity_text(text, table[limit].unit, value);
}

int sb_limit_parse(enum sb_limit limit, const char *text, int64_t *value, struct sb_error *err)
{
    const struct sb_limit_info *info = sb_limit_info(limit);
    if (info == NULL)
        return sb_fail_field(err, "arguments", "limit",
                             "there is no limit with number %d: give one of enum sb_limit",
                             (int)limit);
    if (value == NULL)
        return sb_fail_null(err, "value", "the address of a number");

    char option[64], least[LIMIT_TEXT_SIZE], most[LIMIT_TEXT_SIZE];
    snprintf(option, sizeof(option), "--%s", info->option);
    limit_text(least, limit, info->min);
    limit_text(most, limit, info->max);
    int64_t parsed;
    if (text == NULL || !quantity_parse(info->unit, text, &parsed))
        return sb_fail_field(err, "limits", option, "%s can't be \"%.40s\": give %s, from %s to %s",
                             option, text == NULL ? "" : text, quantity_form(info->unit), least,
                             most);
    if (parsed < info->min || parsed > info->max)
        return sb_fail_field(err, "limits", option, "%s can't be %.40s: give a value from %s to %s",
                             option, text, least, most);
    *value = parsed;
    return 0;
}
