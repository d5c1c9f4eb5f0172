/* The state is small: what may come next, and for each open bracket the one that closes it. */
#include "common/json_scan.h"

#include <string.h>

#include "common/json_plain.h"
#include "common/utf8.h"

#define ESCAPE_SIZE 6 /* \uXXXX */
/* Where the halves of pairs begin, 0x400 of each. */
#define HIGH 0xd800u
#define LOW 0xdc00u

/* ── Strings ─────────────────────────────────────────────────────────────────────────────────── */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The number of the escape at `at`, or −1 when none stands there. */
static int32_t escape_number(const char *at, const char *end)
{
    int32_t number = 0;
    if (end - at < ESCAPE_SIZE || at[0] != '\\' || at[1] != 'u')
        return -1;
    for (int i = 2; i < ESCAPE_SIZE; i++) {
        char letter = (char)(at[i] | 0x20);
        if (!is_digit(at[i]) && (letter < 'a' || letter > 'f'))
            return -1;
        number = number << 4 | (is_digit(at[i]) ? at[i] - '0' : letter - 'a' + 10);
    }
    return number;
}

static bool is_surrogate(uint32_t number, uint32_t first)
{
    return number >= first && number < first + 0x400;
}

size_t json_unicode_escape(const char *at, const char *end, uint32_t *code)
{
    int32_t number = escape_number(at, end);
    *code = number < 0 ? 0 : (uint32_t)number;
    if (number < 0 || is_surrogate(*code, LOW))
        return 0;
    if (!is_surrogate(*code, HIGH))
        return ESCAPE_SIZE;
    uint32_t second = (uint32_t)escape_number(at + ESCAPE_SIZE, end);
    if (!is_surrogate(second, LOW))
        return 0;
    *code = 0x10000 + ((*code - HIGH) << 10) + (second - LOW);
    return (size_t)2 * ESCAPE_SIZE;
}

/* The size of the escape at `at`, a backslash; 0: it has no meaning. */
static size_t escape_size(const char *at, const char *end, enum json_fault *fault)
{
    static const bool named[0x80] = {['"'] = true, ['\\'] = true, ['/'] = true, ['b'] = true,
                                     ['f'] = true, ['n'] = true,  ['r'] = true, ['t'] = true};
    uint32_t code;
    *fault = end - at < 2 ? JSON_CUT : JSON_ESCAPE;
    if (end - at < 2)
        return 0;
    if (at[1] != 'u')
        return (unsigned char)at[1] < 0x80 && named[(unsigned char)at[1]] ? 2 : 0;
    size_t size = json_unicode_escape(at, end, &code);
    if (size == 0 && code != 0)
        *fault = JSON_SURROGATE;
    return size;
}

/* The size of the character at `at`, which does not stand for itself or is not ASCII; 0: it may not
 * stand in a string. */
static size_t character_size(const char *at, const char *end, enum json_fault *fault)
{
    bool valid;
    if (*at == '\\')
        return escape_size(at, end, fault);
    *fault = JSON_CONTROL;
    if ((unsigned char)*at < 0x20)
        return 0;
    *fault = JSON_BAD_UTF8;
    size_t size = utf8_next(at, (size_t)(end - at), &valid);
    return valid ? size : 0;
}

static enum json_token take_string(struct json_scan *scan, enum json_token token)
{
    const char *at = scan->at + 1, *end = scan->end;
    scan->escapes = false;
    while (at < end && *at != '"') {
        scan->escapes = scan->escapes || *at == '\\';
        size_t size = json_is_plain((unsigned char)*at) ? json_plain_run(at, (size_t)(end - at))
                                                        : character_size(at, end, &scan->fault);
        if (size == 0)
            break;
        at += size;
    }
    scan->place = at;
    if (at == end)
        scan->fault = JSON_CUT;
    if (at == end || *at != '"')
        return JSON_FAULT;
    scan->at = at + 1;
    scan->next = token == JSON_KEY ? JSON_COLON : JSON_BEHIND;
    return token;
}

/* ── Other scalars ───────────────────────────────────────────────────────────────────────────── */

/* Behind the digits at `at`, NULL when there is none. */
static const char *digits_end(const char *at, const char *end)
{
    const char *start = at;
    while (at < end && is_digit(*at))
        at++;
    return at > start ? at : NULL;
}

/* Where the number at `at` ends, NULL when none stands there. A zero in front ends it. */
static const char *number_end(const char *at, const char *end)
{
    at += at < end && *at == '-';
    at = at < end && *at == '0' ? at + 1 : digits_end(at, end);
    if (at != NULL && at < end && *at == '.')
        at = digits_end(at + 1, end);
    if (at == NULL || at == end || (*at | 0x20) != 'e')
        return at;
    at++;
    at += at < end && (*at == '+' || *at == '-');
    return digits_end(at, end);
}

static const char *word_end(const char *at, const char *end)
{
    size_t left = (size_t)(end - at);
    if (left >= 4 && (memcmp(at, "null", 4) == 0 || memcmp(at, "true", 4) == 0))
        return at + 4;
    return left >= 5 && memcmp(at, "false", 5) == 0 ? at + 5 : NULL;
}

/* ── The grammar ─────────────────────────────────────────────────────────────────────────────── */

void json_scan_begin(struct json_scan *scan, const char *text, size_t size, size_t depth)
{
    scan->at = scan->start = scan->place = text;
    scan->end = text + size;
    scan->fault = JSON_CUT;
    scan->depth = 0;
    scan->depth_max = depth < JSON_SCAN_DEPTH ? depth : JSON_SCAN_DEPTH;
    scan->next = JSON_NEXT_VALUE;
}

static enum json_token fault(struct json_scan *scan, enum json_fault what)
{
    scan->place = scan->at;
    scan->fault = scan->at == scan->end ? JSON_CUT : what;
    return JSON_FAULT;
}

static void skip_space(struct json_scan *scan)
{
    const char *at = scan->at, *end = scan->end;
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
        at++;
    scan->at = at;
}

static enum json_token open_bracket(struct json_scan *scan, bool object)
{
    scan->at++;
    if (scan->depth == scan->depth_max) {
        scan->place = scan->at;
        scan->fault = JSON_DEPTH;
        return JSON_FAULT;
    }
    scan->close[scan->depth++] = object ? '}' : ']';
    scan->next = JSON_FIRST;
    return object ? JSON_OBJECT : JSON_ARRAY;
}

static enum json_token take_value(struct json_scan *scan)
{
    char c = *scan->at;
    if (c == '"')
        return take_string(scan, JSON_STRING);
    if (c == '{' || c == '[')
        return open_bracket(scan, c == '{');
    bool word = c == 'n' || c == 't' || c == 'f';
    const char *behind = word ? word_end(scan->at, scan->end) : number_end(scan->at, scan->end);
    if (behind == NULL)
        return fault(scan, JSON_NO_VALUE);
    scan->at = behind;
    scan->next = JSON_BEHIND;
    return word ? JSON_WORD : JSON_NUMBER;
}

static bool take(struct json_scan *scan, char c)
{
    if (scan->at == scan->end || *scan->at != c)
        return false;
    scan->at++;
    return true;
}

enum json_token json_scan_next(struct json_scan *scan)
{
    skip_space(scan);
    scan->start = scan->at;
    if (scan->next == JSON_BEHIND && scan->depth == 0)
        return scan->at == scan->end ? JSON_END : fault(scan, JSON_MORE_TEXT);
    if (scan->next == JSON_BEHIND || scan->next == JSON_FIRST) {
        char close = scan->close[scan->depth - 1];
        if (take(scan, close)) {
            scan->depth--;
            scan->next = JSON_BEHIND;
            return JSON_CLOSE;
        }
        if (scan->next == JSON_BEHIND && !take(scan, ','))
            return fault(scan, JSON_NO_COMMA);
        scan->next = close == '}' ? JSON_NEXT_KEY : JSON_NEXT_VALUE;
    } else if (scan->next == JSON_COLON) {
        if (!take(scan, ':'))
            return fault(scan, JSON_NO_COLON);
        scan->next = JSON_NEXT_VALUE;
    }
    skip_space(scan);
    scan->start = scan->at;
    if (scan->at == scan->end)
        return fault(scan, JSON_CUT);
    if (scan->next == JSON_NEXT_VALUE)
        return take_value(scan);
    return *scan->at == '"' ? take_string(scan, JSON_KEY) : fault(scan, JSON_NO_KEY);
}

const char *json_scan_value(struct json_scan *scan, size_t *size)
{
    size_t depth = scan->depth;
    enum json_token token = json_scan_next(scan);
    const char *value = scan->start;
    if (token == JSON_CLOSE || token == JSON_END)
        return NULL;
    while (token != JSON_FAULT && scan->depth > depth)
        token = json_scan_next(scan);
    *size = (size_t)(scan->at - value);
    return token != JSON_FAULT ? value : NULL;
}
