/* See head.h. Pointers are compared as numbers, since libmicrohttpd may have moved a part
 * elsewhere. */
#include "serve/http/head.h"

#include <stdint.h>
#include <string.h>

const char *head_target_wrong(const char *target)
{
    if (strchr(target, ' ') != NULL)
        return "the request target contains a space: encode it as %20";
    if (strchr(target, '#') != NULL)
        return "the request target contains '#': leave out the fragment, or encode it as %23";
    for (const char *at = target; *at != '\0'; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            return "the request target contains a control character: encode it as % and two "
                   "hexadecimal digits";
    return NULL;
}

static bool is_name(const char *text, size_t size)
{
    static const char characters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~";
    return size > 0 && strspn(text, characters) == size;
}

/* Takes the CRLF at the end of a line. libmicrohttpd has overwritten its first byte, or that of
 * white space before it, with NUL; version 0.9 the second byte, too. */
static void take_line_end(struct head *head)
{
    const char *at = head->at;
    size_t left = (size_t)(head->end - at);
    if (left >= 2 && at[0] == '\0' && at[1] == '\0') {
        head->at += 2;
        return;
    }
    size_t n = left > 0 && at[0] == '\0' ? 1 : left;
    while (n < left && (at[n] == ' ' || at[n] == '\t'))
        n++;
    if (n + 1 < left && at[n] == '\r')
        n++;
    if (n < left && at[n] == '\n')
        head->at += n + 1;
    else
        head->malformed = true;
}

struct head head_begin(const char *method, const char *target, size_t target_size,
                       const char *version, size_t size)
{
    struct head head = {.at = version + strlen(version), .end = method + size};
    const char *behind_method = method + strlen(method) + 1;
    head.malformed = !is_name(method, strlen(method)) || target != behind_method ||
                     version != target + target_size + 1 || head.at > head.end;
    if (!head.malformed)
        take_line_end(&head);
    return head;
}

void head_field(struct head *head, const char *name, size_t name_size, const char *value,
                size_t value_size)
{
    if (head->malformed)
        return;
    uintptr_t at = (uintptr_t)value, behind = (uintptr_t)name + name_size + 1;
    head->malformed = name != head->at || !is_name(name, name_size) || at < behind ||
                      at + value_size > (uintptr_t)head->end ||
                      strspn(name + name_size + 1, " \t") < at - behind ||
                      strpbrk(value, "\r\n") != NULL;
    if (head->malformed)
        return;
    head->at = value + value_size;
    take_line_end(head);
}

bool head_end(struct head *head)
{
    static const char crlf[2] = "\r\n", taken[2] = "\0";
    return head->malformed || head->end - head->at != 2 ||
           (memcmp(head->at, crlf, 2) != 0 && memcmp(head->at, taken, 2) != 0);
}
