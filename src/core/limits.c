/* The table of limits, and the reading of limits that a person writes: "1.5", "500ms", "128M".
 * Policies, requests, options and help texts take names, units and ranges from this table. Numbers
 * are read digit by digit: strtod() would follow the locale and take "nan", "0x10" and "1e3". */
#include "limits.h"

#include <stdio.h>
#include <string.h>

#include "error.h"
#include "util.h"

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

/* Some minima are not taste: python 3.11 needs 6 MiB to start, and size=0 or nr_inodes=0 mean "no
 * limit" to tmpfs(5). */
static const struct sb_limit_info table[SB_LIMITS] = {
    [SB_WALL_TIME_MS] = {"wall_time_ms", "timeout", unit_ms, 1, 24 * HOUR_MS, "time on the clock"},
    [SB_CPU_TIME_MS] = {"cpu_time_ms", "cpu-time", unit_ms, 1, 24 * HOUR_MS,
                        "CPU time of all processes together"},
    [SB_MEMORY_BYTES] = {"memory_bytes", "memory", unit_bytes, 8 * MIB, TIB,
                         "memory of all processes together, files in /tmp and /work included"},
    [SB_MILLICPUS] = {"cpus", "cpus", unit_cpus, 10, 1024 * 1000,
                      "CPUs used at the same time, fractions allowed"},
    [SB_PIDS] = {"pids", "pids", unit_count, 1, 1000000, "processes and threads alive at a time"},
    [SB_OUTPUT_BYTES] = {"output_bytes", "output", unit_bytes, 1, GIB,
                         "kept of stdout and of stderr, each"},
    [SB_OPEN_FILES] = {"open_files", "open-files", unit_count, 8, 1048576,
                       "files open in one process"},
    [SB_TMP_BYTES] = {"tmp_bytes", "tmp", unit_bytes, 64 * KIB, TIB,
                      "size of /tmp, /work and /dev/shm together"},
    [SB_TMP_FILES] = {"tmp_files", "tmp-files", unit_count, 16, 10000000,
                      "files and directories there"},
    [SB_CODE_CHARS] = {"code_chars", "code-chars", unit_chars, 1, 100000000,
                       "length of the code in characters"},
    [SB_RESULT_BYTES] = {"result_bytes", "result", unit_bytes, 1, 64 * MIB,
                         "size of the called function's value as JSON"},
};

/* policies/default.json states the same values. CPU time is so high because wall time × cpus holds
 * it already: it must not end a job whose time on the clock a user has raised. */
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
};

/* What may follow a number: the first row of a unit is the one without a suffix. */
struct suffix {
    const char *unit;
    const char *text;
    int64_t scale;
};

static const struct suffix suffixes[] = {
    {unit_ms, "", 1000},      {unit_ms, "ms", 1},       {unit_ms, "s", 1000},
    {unit_ms, "m", 60000},    {unit_ms, "h", HOUR_MS},  {unit_bytes, "", 1},
    {unit_bytes, "B", 1},     {unit_bytes, "K", KIB},   {unit_bytes, "KiB", KIB},
    {unit_bytes, "M", MIB},   {unit_bytes, "MiB", MIB}, {unit_bytes, "G", GIB},
    {unit_bytes, "GiB", GIB}, {unit_bytes, "T", TIB},   {unit_bytes, "TiB", TIB},
    {unit_cpus, "", 1000},    {unit_count, "", 1},      {unit_chars, "", 1},
};

/* How a person writes a value of this unit. */
static const struct {
    const char *unit, *form;
} forms[] = {
    {unit_ms, "seconds, or a number with ms, s, m or h (10, 1.5, 500ms, 2m)"},
    {unit_bytes, "bytes, or a number with K, M, G or T (1048576, 64K, 128M, 1.5G)"},
    {unit_cpus, "a number of CPUs (1, 0.5)"},
    {unit_count, "a whole number"},
    {unit_chars, "a whole number"},
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

/* A number of thousandths without needless zeros: 1500 is "1.5". */
static void thousandths_text(char text[LIMIT_TEXT_SIZE], int64_t value, const char *one,
                             const char *many)
{
    char digits[24];
    int length = snprintf(digits, sizeof(digits), "%lld.%03lld", (long long)(value / 1000),
                          (long long)(value % 1000));
    while (length > 0 && digits[length - 1] == '0')
        length--;
    if (length > 0 && digits[length - 1] == '.')
        length--;
    snprintf(text, LIMIT_TEXT_SIZE, "%.*s %s", length, digits, value == 1000 ? one : many);
}

const char *limit_text(char text[LIMIT_TEXT_SIZE], enum sb_limit limit, int64_t value)
{
    static const struct {
        int64_t size;
        const char *name;
    } sizes[] = {{TIB, "TiB"}, {GIB, "GiB"}, {MIB, "MiB"}, {KIB, "KiB"}};

    const char *unit = table[limit].unit;
    if (unit == unit_ms) {
        thousandths_text(text, value, "second", "seconds");
    } else if (unit == unit_cpus) {
        thousandths_text(text, value, "CPU", "CPUs");
    } else if (unit == unit_bytes) {
        size_t i = 0;
        while (i < ARRAY_LEN(sizes) && (value == 0 || value % sizes[i].size != 0))
            i++;
        if (i < ARRAY_LEN(sizes))
            snprintf(text, LIMIT_TEXT_SIZE, "%lld %s", (long long)(value / sizes[i].size),
                     sizes[i].name);
        else
            snprintf(text, LIMIT_TEXT_SIZE, "%lld %s", (long long)value,
                     value == 1 ? "byte" : "bytes");
    } else {
        snprintf(text, LIMIT_TEXT_SIZE, "%lld%s", (long long)value,
                 unit != unit_chars ? ""
                 : value == 1       ? " character"
                                    : " characters");
    }
    return text;
}

static const struct suffix *find_suffix(const char *unit, const char *text)
{
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        if (suffixes[i].unit != unit)
            continue;
        /* Sizes as people write them: 128m, 128mib. In times M would be as good as m. */
        if (unit == unit_bytes ? strcasecmp(suffixes[i].text, text) == 0
                               : strcmp(suffixes[i].text, text) == 0)
            return &suffixes[i];
    }
    return NULL;
}

/* The number and the suffix, as a value in the limit's own unit, rounded to the nearest. False: it
 * is no such number. Too large a number gives INT64_MAX, which no range allows. */
static bool parse_value(const char *unit, const char *text, int64_t *value)
{
    enum { FRACTION_DIGITS = 9 }; /* further ones can't matter: a unit has 2^40 parts at the most */
    static const int64_t fraction_one = INT64_C(1000000000);

    size_t whole_digits = strspn(text, "0123456789");
    const char *end = text + whole_digits;
    size_t fraction_digits = 0;
    const char *fraction = NULL;
    if (*end == '.') {
        fraction = end + 1;
        fraction_digits = strspn(fraction, "0123456789");
        end = fraction + fraction_digits;
    }
    if (whole_digits + fraction_digits == 0 || (fraction != NULL && fraction_digits == 0))
        return false;
    const struct suffix *suffix = find_suffix(unit, end);
    if (suffix == NULL || (fraction != NULL && suffix->scale == 1))
        return false;

    __int128 number = 0;
    for (size_t i = 0; i < whole_digits && number <= INT64_MAX; i++)
        number = number * 10 + (text[i] - '0');
    number *= fraction_one;
    int64_t place = fraction_one / 10;
    for (size_t i = 0; i < fraction_digits && i < FRACTION_DIGITS; i++, place /= 10)
        number += (fraction[i] - '0') * place;

    /* The loop stopped below 2^67, so the number fits 128 bits; its product with a scale might not.
     */
    if (number > (__int128)INT64_MAX * fraction_one / suffix->scale)
        *value = INT64_MAX;
    else
        *value = (int64_t)((number * suffix->scale + fraction_one / 2) / fraction_one);
    return true;
}

int sb_limit_parse(enum sb_limit limit, const char *text, int64_t *value, struct sb_error *err)
{
    const struct sb_limit_info *info = sb_limit_info(limit);
    if (info == NULL)
        return sb_fail(err, "limits", 0, "there is no limit with number %d", (int)limit);

    char option[64], least[LIMIT_TEXT_SIZE], most[LIMIT_TEXT_SIZE];
    snprintf(option, sizeof(option), "--%s", info->option);
    limit_text(least, limit, info->min);
    limit_text(most, limit, info->max);
    int64_t parsed;
    if (text == NULL || !parse_value(info->unit, text, &parsed)) {
        const char *form = "";
        for (size_t i = 0; i < ARRAY_LEN(forms); i++)
            if (forms[i].unit == info->unit)
                form = forms[i].form;
        return sb_fail_field(err, "limits", option, "%s can't be \"%.40s\": give %s, from %s to %s",
                             option, text == NULL ? "" : text, form, least, most);
    }
    if (parsed < info->min || parsed > info->max)
        return sb_fail_field(err, "limits", option,
                             "%s can't be %.40s: what is allowed is from %s to %s", option, text,
                             least, most);
    *value = parsed;
    return 0;
}
