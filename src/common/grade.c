/* Compares texts. One walk serves all ways of comparing: each cuts both texts into pieces, lines or
 * tokens, and the pieces are compared one by one. See grade.h. */
#include "common/grade.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* No number is longer: a longer token is compared as text. */
#define NUMBER_SIZE 512

struct piece {
    const char *text; /* NULL: there are no more */
    size_t size;
};

static bool is_space(char byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/* ── Pieces ─────────────────────────────────────────────────────────────────────────────────── */

static struct piece take(const char **at, const char *text, size_t size)
{
    *at = text + size;
    return (struct piece){text, size};
}

/* With its newline, so that a missing last one is a difference. */
static struct piece whole_line(const char **at, const char *end)
{
    const char *newline = memchr(*at, '\n', (size_t)(end - *at));
    return take(at, *at, (size_t)((newline != NULL ? newline + 1 : end) - *at));
}

static struct piece trimmed_line(const char **at, const char *end)
{
    struct piece piece = whole_line(at, end);
    while (piece.size > 0 && is_space(piece.text[piece.size - 1]))
        piece.size--;
    return piece;
}

/* White space at the end of the text has been left out: there is a token. */
static struct piece token(const char **at, const char *end)
{
    const char *start = *at, *past;
    while (start < end && is_space(*start))
        start++;
    for (past = start; past < end && !is_space(*past);)
        past++;
    return take(at, start, (size_t)(past - start));
}

static const struct {
    struct piece (*next)(const char **at, const char *end);
    bool trim; /* white space at the end of the text does not count */
    const char *unit;
} ways[] = {
    [GRADE_LINES] = {trimmed_line, true, "line"},
    [GRADE_EXACT] = {whole_line, false, "line"},
    [GRADE_TOKENS] = {token, true, "token"},
    [GRADE_FLOAT] = {token, true, "token"},
};

static struct piece next_piece(enum grade_compare compare, const char **at, const char *end)
{
    return *at < end ? ways[compare].next(at, end) : (struct piece){NULL, 0};
}

static const char *end_of(enum grade_compare compare, const char *text, size_t size)
{
    while (ways[compare].trim && size > 0 && is_space(text[size - 1]))
        size--;
    return text + size;
}

/* ── Numbers ────────────────────────────────────────────────────────────────────────────────── */

bool grade_is_near(double expected, double number, double tolerance)
{
    if (isnan(expected) || isnan(number))
        return isnan(expected) && isnan(number);
    if (expected == number)
        return true;
    if (isinf(expected) || isinf(number))
        return false;
    double most = tolerance * fmax(1, fabs(expected));
    return fabs(expected - number) <= most;
}

/* Decimal numbers, and what Python prints for those that are none: nan, inf. strtod would take
 * more, such as hexadecimal ones. */
static bool read_number(const struct piece *piece, double *number)
{
    static const char *const words[] = {"nan", "inf", "infinity"};
    char text[NUMBER_SIZE], *end;
    if (piece->size == 0 || piece->size >= sizeof(text))
        return false;
    memcpy(text, piece->text, piece->size);
    text[piece->size] = '\0';
    const char *digits = text + (text[0] == '-' || text[0] == '+');
    bool known = strspn(digits, "0123456789.eE+-") == strlen(digits);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        known |= strcasecmp(digits, words[i]) == 0;
    if (!known || strlen(text) != piece->size)
        return false;
    *number = strtod(text, &end);
    return end == text + piece->size;
}

static bool are_near(const struct piece *expected, const struct piece *got, double tolerance)
{
    double wanted, number;
    return read_number(expected, &wanted) && read_number(got, &number) &&
           grade_is_near(wanted, number, tolerance);
}

/* ── The walk ───────────────────────────────────────────────────────────────────────────────── */

static bool is_equal(const struct grade_output *expected, const struct piece *wanted,
                     const struct piece *got)
{
    if (wanted->text == NULL || got->text == NULL)
        return wanted->text == got->text;
    if (wanted->size == got->size && memcmp(wanted->text, got->text, got->size) == 0)
        return true;
    return expected->compare == GRADE_FLOAT && are_near(wanted, got, expected->tolerance);
}

bool grade_output(const struct grade_output *expected, const char *text, size_t size,
                  struct grade_difference *difference)
{
    enum grade_compare compare = expected->compare;
    const char *wanted_at = expected->text != NULL ? expected->text : "", *got_at = text;
    const char *wanted_end = end_of(compare, wanted_at, expected->size);
    const char *got_end = end_of(compare, text, size);
    struct piece wanted, got;
    size_t number = 0;
    do {
        wanted = next_piece(compare, &wanted_at, wanted_end);
        got = next_piece(compare, &got_at, got_end);
        number++;
        if (is_equal(expected, &wanted, &got))
            continue;
        if (difference != NULL)
            *difference = (struct grade_difference){ways[compare].unit, number,      wanted.text,
                                                    got.text,           wanted.size, got.size};
        return false;
    } while (wanted.text != NULL);
    return true;
}
