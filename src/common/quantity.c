/* Numbers with units. They are read digit by digit: strtod() would follow the locale and take
 * "nan", "0x10" and "1e3". */
#include "common/quantity.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/util.h"

#define KIB INT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define TIB (1024 * GIB)
#define HOUR_MS INT64_C(3600000)

/* The suffixes of a number. */
struct suffix {
    const char *unit;
    const char *text;
    int64_t scale;
};

static const struct suffix suffixes[] = {
    {"ms", "", 1000},      {"ms", "ms", 1},     {"ms", "s", 1000},     {"ms", "m", 60000},
    {"ms", "h", HOUR_MS},  {"bytes", "", 1},    {"bytes", "B", 1},     {"bytes", "K", KIB},
    {"bytes", "KiB", KIB}, {"bytes", "M", MIB}, {"bytes", "MiB", MIB}, {"bytes", "G", GIB},
    {"bytes", "GiB", GIB}, {"bytes", "T", TIB}, {"bytes", "TiB", TIB}, {"cpus", "", 1000},
    {"rate", "", 1000},    {"count", "", 1},    {"chars", "", 1},
};

static const struct {
    const char *unit, *form;
} forms[] = {
    {"ms", "seconds, or a number with ms, s, m or h (10, 1.5, 500ms, 2m)"},
    {"bytes", "bytes, or a number with K, M, G or T (1048576, 64K, 128M, 1.5G)"},
    {"cpus", "a number of CPUs (1, 0.5)"},
    {"rate", "a number per second (10, 0.5)"},
    {"count", "a whole number"},
    {"chars", "a whole number"},
};

const char *quantity_form(const char *unit)
{
    for (size_t i = 0; i < ARRAY_LEN(forms); i++)
        if (strcmp(forms[i].unit, unit) == 0)
            return forms[i].form;
    return "";
}

/* A number of thousandths without needless zeros: 1500 is "1.5". */
static void thousandths_text(char text[QUANTITY_TEXT_SIZE], int64_t value, const char *one,
                             const char *many)
{
    char digits[24];
    int length = snprintf(digits, sizeof(digits), "%lld.%03lld", (long long)(value / 1000),
                          (long long)(value % 1000));
    while (length > 0 && digits[length - 1] == '0')
        length--;
    if (length > 0 && digits[length - 1] == '.')
        length--;
    snprintf(text, QUANTITY_TEXT_SIZE, "%.*s%s", length, digits, value == 1000 ? one : many);
}

static void bytes_text(char text[QUANTITY_TEXT_SIZE], int64_t value)
{
    static const struct {
        int64_t size;
        const char *name;
    } sizes[] = {{TIB, "TiB"}, {GIB, "GiB"}, {MIB, "MiB"}, {KIB, "KiB"}};

    size_t i = 0;
    while (i < ARRAY_LEN(sizes) && (value == 0 || value % sizes[i].size != 0))
        i++;
    if (i < ARRAY_LEN(sizes))
        snprintf(text, QUANTITY_TEXT_SIZE, "%lld %s", (long long)(value / sizes[i].size),
                 sizes[i].name);
    else
        snprintf(text, QUANTITY_TEXT_SIZE, "%lld %s", (long long)value,
                 value == 1 ? "byte" : "bytes");
}

const char *quantity_text(char text[QUANTITY_TEXT_SIZE], const char *unit, int64_t value)
{
    if (strcmp(unit, "ms") == 0)
        thousandths_text(text, value, " second", " seconds");
    else if (strcmp(unit, "cpus") == 0)
        thousandths_text(text, value, " CPU", " CPUs");
    else if (strcmp(unit, "rate") == 0)
        thousandths_text(text, value, "", "");
    else if (strcmp(unit, "bytes") == 0)
        bytes_text(text, value);
    else
        snprintf(text, QUANTITY_TEXT_SIZE, "%lld%s", (long long)value,
                 strcmp(unit, "chars") != 0 ? ""
                 : value == 1               ? " character"
                                            : " characters");
    return text;
}

static const struct suffix *find_suffix(const char *unit, const char *text)
{
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        if (strcmp(suffixes[i].unit, unit) != 0)
            continue;
        /* Sizes as people write them: 128m, 128mib. In times M would be as good as m. */
        if (strcmp(unit, "bytes") == 0 ? strcasecmp(suffixes[i].text, text) == 0
                                       : strcmp(suffixes[i].text, text) == 0)
            return &suffixes[i];
    }
    return NULL;
}

bool quantity_parse(const char *unit, const char *text, int64_t *value)
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
