/* Compares values in JSON text. Both are cut into a flat list of nodes first, each of which knows
 * where its value ends: so nothing is scanned twice, however deep it is nested, and a hostile value
 * costs no more memory than the expected one. See grade.h. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/grade.h"
#include "common/json_scan.h"
#include "common/util.h"

struct node {
    enum json_token kind;
    const char *text; /* a string has its quotes */
    uint32_t size;
    uint32_t past; /* the node behind this value and all that is in it */
};

struct nodes {
    struct node *node;
    size_t count;
};

/* ── Reading ────────────────────────────────────────────────────────────────────────────────── */

/* The nodes of a text of at most `most`. −1: it is not JSON, or there are more. */
static int read_nodes(struct nodes *nodes, const char *text, size_t size, size_t most)
{
    uint32_t open[JSON_SCAN_DEPTH];
    struct json_scan scan;
    enum json_token kind;
    nodes->node = calloc(most + 1, sizeof(*nodes->node));
    if (nodes->node == NULL)
        return -1;
    json_scan_begin(&scan, text, size, JSON_SCAN_DEPTH);
    while ((kind = json_scan_next(&scan)) != JSON_END) {
        if (kind == JSON_FAULT)
            return -1;
        if (kind == JSON_CLOSE) {
            nodes->node[open[scan.depth]].past = (uint32_t)nodes->count;
            continue;
        }
        if (nodes->count == most)
            return -1;
        if (kind == JSON_OBJECT || kind == JSON_ARRAY)
            open[scan.depth - 1] = (uint32_t)nodes->count;
        nodes->node[nodes->count] = (struct node){
            kind, scan.start, (uint32_t)(scan.at - scan.start), (uint32_t)nodes->count + 1};
        nodes->count++;
    }
    return 0;
}

/* ── Strings ────────────────────────────────────────────────────────────────────────────────── */

static size_t put_utf8(char *out, uint32_t code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t size = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = size - 1; i > 0; i--, code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3f));
    out[0] = (char)((0xf00 >> size & 0xff) | code);
    return size;
}

/* The next character of a string, however it is written, as UTF-8 or a byte of it. Returns its
 * size. */
static size_t next_character(char out[4], const char **at, const char *end)
{
    static const char escapes[] = "bfnrt", meanings[] = "\b\f\n\r\t";
    const char *text = *at;
    uint32_t code;
    if (text[0] != '\\') {
        out[0] = text[0];
        *at = text + 1;
        return 1;
    }
    if (text[1] == 'u') {
        *at = text + json_unicode_escape(text, end, &code);
        return put_utf8(out, code);
    }
    const char *found = strchr(escapes, text[1]);
    out[0] = found != NULL ? meanings[found - escapes] : text[1];
    *at = text + 2;
    return 1;
}

/* A position in a string: characters come as their bytes. */
struct reader {
    const char *at, *end;
    char bytes[4];
    size_t used, size;
};

static struct reader reader_of(const struct node *node)
{
    return (struct reader){.at = node->text + 1, .end = node->text + node->size - 1};
}

/* −1: the string is over. */
static int next_byte(struct reader *reader)
{
    if (reader->used == reader->size) {
        if (reader->at == reader->end)
            return -1;
        reader->size = next_character(reader->bytes, &reader->at, reader->end);
        reader->used = 0;
    }
    return (unsigned char)reader->bytes[reader->used++];
}

static int compare_strings(const struct node *a, const struct node *b)
{
    if (a->size == b->size && memcmp(a->text, b->text, a->size) == 0)
        return 0;
    struct reader left = reader_of(a), right = reader_of(b);
    int one, other;
    do {
        one = next_byte(&left);
        other = next_byte(&right);
    } while (one == other && one >= 0);
    return one - other;
}

/* ── Numbers ────────────────────────────────────────────────────────────────────────────────── */

/* A number as 0.DIGITS × 10^exponent, without zeros around the digits. */
struct decimal {
    const char *at, *end; /* digits, with a point somewhere among them; none: the number is 0 */
    bool negative;
    int64_t exponent;
};

static int64_t read_exponent(const char *at, const char *end)
{
    static const int64_t most = INT64_C(1) << 50; /* far beyond any text that fits into memory */
    int64_t value = 0;
    bool negative = at < end && *at == '-';
    for (at += at < end && (*at == '-' || *at == '+'); at < end; at++)
        value = value < most ? value * 10 + (*at - '0') : value;
    return negative ? -value : value;
}

static struct decimal decimal_of(const struct node *node)
{
    const char *at = node->text, *end = at + node->size, *e = at;
    struct decimal decimal = {.negative = *at == '-'};
    while (e < end && *e != 'e' && *e != 'E')
        e++;
    if (e < end)
        decimal.exponent = read_exponent(e + 1, end);
    end = e;
    at += decimal.negative;
    const char *point = memchr(at, '.', (size_t)(end - at));
    decimal.exponent += (point != NULL ? point : end) - at;
    for (; at < end && (*at == '0' || *at == '.'); at++)
        decimal.exponent -= at != point;
    while (end > at && (end[-1] == '0' || end[-1] == '.'))
        end--;
    if (at == end) /* −0 is 0 */
        return (struct decimal){.at = at, .end = at};
    decimal.at = at;
    decimal.end = end;
    return decimal;
}

/* −1: there are no more. */
static int next_digit(struct decimal *decimal)
{
    if (decimal->at < decimal->end && *decimal->at == '.')
        decimal->at++;
    return decimal->at < decimal->end ? *decimal->at++ : -1;
}

static bool same_number(const struct node *a, const struct node *b)
{
    struct decimal left = decimal_of(a), right = decimal_of(b);
    int one, other;
    if (left.negative != right.negative || left.exponent != right.exponent)
        return false;
    do {
        one = next_digit(&left);
        other = next_digit(&right);
    } while (one == other && one >= 0);
    return one == other;
}

static bool near_number(const struct node *expected, const struct node *value, double tolerance)
{
    _cleanup_free_ char *one = strndup(expected->text, expected->size);
    _cleanup_free_ char *other = strndup(value->text, value->size);
    return one != NULL && other != NULL &&
           grade_is_near(strtod(one, NULL), strtod(other, NULL), tolerance);
}

/* ── Values ─────────────────────────────────────────────────────────────────────────────────── */

struct comparison {
    struct nodes expected, value;
    double tolerance;
};

static int by_key(const void *a, const void *b)
{
    const struct node *const *left = a, *const *right = b;
    int order = compare_strings(*left, *right);
    return order != 0 ? order : (*left > *right) - (*left < *right);
}

/* The keys of an object, sorted. NULL: out of memory. */
static const struct node **sorted_keys(const struct nodes *nodes, const struct node *object,
                                       size_t *count)
{
    const struct node *end = nodes->node + object->past, *node;
    size_t keys = 0;
    for (node = object + 1; node < end; node = nodes->node + node[1].past)
        keys++;
    const struct node **sorted = calloc(keys + 1, sizeof(const struct node *));
    if (sorted == NULL)
        return NULL;
    *count = 0;
    for (node = object + 1; node < end; node = nodes->node + node[1].past)
        sorted[(*count)++] = node;
    qsort(sorted, keys, sizeof(const struct node *), by_key);
    return sorted;
}

static bool same_value(const struct comparison *comparison, const struct node *a,
                       const struct node *b);

static bool same_object(const struct comparison *comparison, const struct node *a,
                        const struct node *b)
{
    size_t count = 0, others = 0;
    _cleanup_free_ const struct node **keys = sorted_keys(&comparison->expected, a, &count);
    _cleanup_free_ const struct node **other = sorted_keys(&comparison->value, b, &others);
    bool same = keys != NULL && other != NULL && count == others;
    for (size_t i = 0; i < count && same; i++)
        same = compare_strings(keys[i], other[i]) == 0 &&
               same_value(comparison, keys[i] + 1, other[i] + 1);
    return same;
}

static bool same_array(const struct comparison *comparison, const struct node *a,
                       const struct node *b)
{
    const struct nodes *expected = &comparison->expected, *value = &comparison->value;
    const struct node *one = a + 1, *other = b + 1;
    const struct node *end = expected->node + a->past, *other_end = value->node + b->past;
    while (one < end && other < other_end && same_value(comparison, one, other)) {
        one = expected->node + one->past;
        other = value->node + other->past;
    }
    return one == end && other == other_end;
}

/* Nested as deep as the expected value at most. */
static bool same_value(const struct comparison *comparison, const struct node *a,
                       const struct node *b)
{
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case JSON_OBJECT:
        return same_object(comparison, a, b);
    case JSON_ARRAY:
        return same_array(comparison, a, b);
    case JSON_STRING:
        return compare_strings(a, b) == 0;
    case JSON_NUMBER:
        return same_number(a, b) ||
               (comparison->tolerance > 0 && near_number(a, b, comparison->tolerance));
    default:
        return a->size == b->size && a->text != NULL && b->text != NULL &&
               memcmp(a->text, b->text, a->size) == 0;
    }
}

bool grade_value(const char *expected, size_t expected_size, const char *value, size_t value_size,
                 double tolerance)
{
    struct comparison comparison = {.tolerance = tolerance};
    /* Each node but the first follows a bracket, a comma or a colon. Equal values have as many. */
    bool same = expected_size < UINT32_MAX && value_size < UINT32_MAX &&
                read_nodes(&comparison.expected, expected, expected_size, expected_size + 1) == 0 &&
                read_nodes(&comparison.value, value, value_size, comparison.expected.count) == 0 &&
                comparison.value.count == comparison.expected.count &&
                same_value(&comparison, comparison.expected.node, comparison.value.node);
    free(comparison.expected.node);
    free(comparison.value.node);
    return same;
}
