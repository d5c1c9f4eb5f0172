/* See multipart.h. The body is a line "--BOUNDARY", then parts with such a line after each; the
 * last one is "--BOUNDARY--". A part is a header, an empty line and the bytes. Nothing may stand
 * before the first boundary or after the last. */
#include "serve/contracts/multipart.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/error.h"
#include "common/util.h"

static const char type_form[] = "multipart/form-data", blanks[] = " \t";

static int malformed(struct sb_error *err, const char *what)
{
    return sb_fail_field(err, "request", "body",
                         "the form is malformed: %s; send it as curl -F does (RFC 7578)", what);
}

/* ── Parameters: ; name=value, or ; name="value" ────────────────────────────────────────────── */

struct parameter {
    char *name, *value;
};

/* The end of a quoted value, which begins at `text`, behind the quote. \" is a quote of the value;
 * any other backslash is a backslash, as in file names of old browsers. NULL: it has no end. */
static char *unquote(char *text)
{
    char *out = text;
    for (; *text != '"'; *out++ = *text++) {
        if (*text == '\0')
            return NULL;
        if (text[0] == '\\' && text[1] == '"')
            text++;
    }
    *out = '\0';
    return text + 1;
}

/* Goes behind the semicolon before the parameters. False: something else stands there. */
static bool begin_parameters(char **at)
{
    *at += strspn(*at, blanks);
    return **at == '\0' || *(*at)++ == ';';
}

/* Reads a parameter, and ends its texts with NULs in their place. 1; 0: there are no more; −1. */
static int next_parameter(char **at, struct parameter *parameter)
{
    char *text = *at + strspn(*at, blanks);
    if (*text == '\0')
        return 0;
    size_t name = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_*");
    if (name == 0 || text[name] != '=')
        return -1;
    *parameter = (struct parameter){text, text + name + 1};
    text[name] = '\0';
    bool quoted = *parameter->value == '"';
    char *end = quoted ? unquote(++parameter->value)
                       : parameter->value + strcspn(parameter->value, "; \t\"");
    if (end == NULL || (!quoted && (end == parameter->value || *end == '"')))
        return -1;
    char *rest = end + strspn(end, blanks);
    if (*rest != ';' && *rest != '\0')
        return -1;
    *at = *rest == ';' ? rest + 1 : rest;
    if (!quoted)
        *end = '\0';
    return 1;
}

/* ── The boundary ───────────────────────────────────────────────────────────────────────────── */

bool multipart_is_form(const char *content_type)
{
    size_t size = sizeof(type_form) - 1;
    return content_type != NULL && strncasecmp(content_type, type_form, size) == 0 &&
           (content_type[size] == '\0' || strchr("; \t", content_type[size]) != NULL);
}

static bool boundary_valid(const char *boundary)
{
    size_t size = strspn(boundary, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                   "'()+_,-./:=? ");
    return size > 0 && size < MULTIPART_BOUNDARY_SIZE && boundary[size] == '\0' &&
           boundary[size - 1] != ' ';
}

int multipart_boundary(char boundary[static MULTIPART_BOUNDARY_SIZE], const char *content_type,
                       struct sb_error *err)
{
    _cleanup_free_ char *copy = strdup(content_type + sizeof(type_form) - 1);
    if (copy == NULL)
        return sb_fail(err, "request", 0, "out of memory (the request)");
    struct parameter parameter;
    char *at = copy;
    size_t found = 0;
    int result = begin_parameters(&at) ? 1 : -1;
    while (result > 0 && (result = next_parameter(&at, &parameter)) > 0) {
        if (strcasecmp(parameter.name, "boundary") != 0)
            continue;
        found++;
        if (!boundary_valid(parameter.value))
            break;
        memcpy(boundary, parameter.value, strlen(parameter.value) + 1);
    }
    if (result == 0 && found == 1)
        return 0;
    return sb_fail_field(
        err, "request", "Content-Type",
        "the Content-Type of a form must name its boundary, once, with at "
        "most %d characters of those that RFC 2046 allows: leave the header to what "
        "makes the form, as with curl -F",
        MULTIPART_BOUNDARY_SIZE - 1);
}

/* ── The header of a part ───────────────────────────────────────────────────────────────────── */

enum { DISPOSITION, TYPE, ENCODING, HEADS };

static const char *const head_names[HEADS] = {
    [DISPOSITION] = "Content-Disposition",
    [TYPE] = "Content-Type",
    [ENCODING] = "Content-Transfer-Encoding",
};

/* The three bytes that browsers and curl escape in a name, and no others: a percent sign of the
 * name itself is not escaped. */
static void unescape(char *text)
{
    static const struct {
        const char *escaped;
        char byte;
    } escapes[] = {{"%22", '"'}, {"%0D", '\r'}, {"%0A", '\n'}};
    char *out = text;
    for (; *text != '\0'; out++) {
        *out = *text;
        size_t taken = 1;
        for (size_t i = 0; *text == '%' && i < ARRAY_LEN(escapes); i++)
            if (strncasecmp(text, escapes[i].escaped, 3) == 0) {
                *out = escapes[i].byte;
                taken = 3;
            }
        text += taken;
    }
    *out = '\0';
}

/* form-data; name="…"; filename="…" */
static int take_disposition(struct multipart_part *part, char *value, struct sb_error *err)
{
    static const char form_data[] = "form-data";
    struct parameter parameter;
    int result;
    if (strncasecmp(value, form_data, sizeof(form_data) - 1) != 0)
        return malformed(err, "a part's Content-Disposition is not form-data");
    value += sizeof(form_data) - 1;
    if (!begin_parameters(&value))
        return malformed(err, "a part's Content-Disposition is not form-data");
    while ((result = next_parameter(&value, &parameter)) > 0) {
        const char **place = strcasecmp(parameter.name, "name") == 0       ? &part->name
                             : strcasecmp(parameter.name, "filename") == 0 ? &part->filename
                                                                           : NULL;
        if (strcasecmp(parameter.name, "filename*") == 0)
            return malformed(err, "a part has filename*, which RFC 7578 forbids, in place of "
                                  "filename in UTF-8");
        if (place == NULL)
            continue;
        if (*place != NULL)
            return malformed(err, "a part's name or filename is given twice");
        unescape(parameter.value);
        *place = parameter.value;
    }
    return result < 0 ? malformed(err, "a part's Content-Disposition can't be read") : 0;
}

static int take_head(struct multipart_part *part, int head, char *value, struct sb_error *err)
{
    static const char nested[] = "multipart/", *const plain[] = {"7bit", "8bit", "binary"};
    if (head == DISPOSITION)
        return take_disposition(part, value, err);
    if (head == TYPE)
        return strncasecmp(value, nested, sizeof(nested) - 1) != 0
                   ? 0
                   : malformed(err, "a part is a form itself: send each file as a part of its own");
    for (size_t i = 0; i < ARRAY_LEN(plain); i++)
        if (strcasecmp(value, plain[i]) == 0)
            return 0;
    return malformed(err, "a part has a Content-Transfer-Encoding other than 7bit, 8bit or binary: "
                          "send its bytes as they are");
}

/* A line of the header, which has been cut off at its end. */
static int take_line(struct multipart_part *part, bool seen[HEADS], char *line, size_t size,
                     struct sb_error *err)
{
    char *colon = strchr(line, ':');
    if (strlen(line) != size || strpbrk(line, "\r\n") != NULL)
        return malformed(err, "a part's header has a NUL or half of a line's end in it");
    if (colon == NULL || colon == line || strcspn(line, blanks) < (size_t)(colon - line))
        return malformed(err, "a line of a part's header is not of the form Name: value");
    *colon = '\0';
    char *value = colon + 1 + strspn(colon + 1, blanks);
    for (size_t left = strlen(value); left > 0 && strchr(blanks, value[left - 1]) != NULL;)
        value[--left] = '\0';
    for (int head = 0; head < HEADS; head++) {
        if (strcasecmp(line, head_names[head]) != 0)
            continue;
        if (seen[head])
            return malformed(err, "a header of a part came twice");
        seen[head] = true;
        return take_head(part, head, value, err);
    }
    return 0;
}

static int read_head(struct multipart *form, struct multipart_part *part, struct sb_error *err)
{
    bool seen[HEADS] = {false};
    size_t left = (size_t)(form->end - form->at);
    if (left > MULTIPART_HEAD_MAX)
        left = MULTIPART_HEAD_MAX;
    for (;;) {
        char *line = form->at, *end = memmem(line, left, "\r\n", 2);
        if (end == NULL && left < (size_t)(form->end - form->at))
            return sb_fail_field(err, "request", "body",
                                 "the header of a part has more than %d bytes: send less",
                                 MULTIPART_HEAD_MAX);
        if (end == NULL)
            return malformed(err, "it ends within the header of a part");
        form->at = end + 2;
        left -= (size_t)(form->at - line);
        if (end == line)
            break;
        *end = '\0';
        if (take_line(part, seen, line, (size_t)(end - line), err) < 0)
            return -1;
    }
    return part->name != NULL ? 0 : malformed(err, "a part has no name");
}

/* ── Parts ──────────────────────────────────────────────────────────────────────────────────── */

/* Behind a boundary: another part, or the end. */
static int after_boundary(struct multipart *form, struct sb_error *err)
{
    size_t left = (size_t)(form->end - form->at);
    if (left >= 2 && memcmp(form->at, "\r\n", 2) == 0) {
        form->at += 2;
        return 0;
    }
    form->over = left >= 2 && memcmp(form->at, "--", 2) == 0 &&
                 (left == 2 || (left == 4 && memcmp(form->at + 2, "\r\n", 2) == 0));
    return form->over ? 0
                      : malformed(err, "something else follows a boundary on its line, or the "
                                       "last boundary");
}

int multipart_begin(struct multipart *form, const char *boundary, char *body, size_t size,
                    struct sb_error *err)
{
    *form = (struct multipart){.at = body, .end = body + size};
    form->delimiter_size =
        (size_t)snprintf(form->delimiter, sizeof(form->delimiter), "\r\n--%s", boundary);
    size_t first = form->delimiter_size - 2;
    if (size < first || memcmp(body, form->delimiter + 2, first) != 0)
        return malformed(err, "it does not begin with its boundary");
    form->at += first;
    return after_boundary(form, err);
}

int multipart_next(struct multipart *form, struct multipart_part *part, struct sb_error *err)
{
    *part = (struct multipart_part){0};
    if (form->over)
        return 0;
    if (++form->parts > MULTIPART_PARTS_MAX)
        return sb_fail_field(err, "request", "body",
                             "the form has more than %d parts: send fewer, or many files as one "
                             "archive",
                             MULTIPART_PARTS_MAX);
    if (read_head(form, part, err) < 0)
        return -1;
    part->data = form->at;
    char *end =
        memmem(form->at, (size_t)(form->end - form->at), form->delimiter, form->delimiter_size);
    if (end == NULL)
        return malformed(err, "it ends before its last boundary");
    part->size = (size_t)(end - form->at);
    form->at = end + form->delimiter_size;
    return after_boundary(form, err) < 0 ? -1 : 1;
}
