/* See stream_form.h. Every event is one line of JSON, in which newlines are escaped, so no output
 * of a script can look like an event. */
#include "serve/jobs/stream_form.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/util.h"

struct stream_form {
    const char *type, *pulse;
    const char *before, *between, *after; /* around an event's name and its data */
    bool named_inside;                    /* the name is a member of the data */
};

static const struct stream_form forms[] = {
    {"text/event-stream", ": still here\n\n", "event: ", "\ndata: ", "\n\n", false},
    {"application/x-ndjson", "\n", "{\"event\":\"", "\",", "\n", true},
};

/* The q of "text/html;q=0.5, …", 1 if there is none (RFC 9110, 12.4.2). */
static double quality(const char *parameters, size_t size)
{
    for (const char *at = parameters; (at = memchr(at, ';', size - (size_t)(at - parameters)));) {
        at++;
        at += strspn(at, " \t");
        if ((size_t)(at - parameters) + 2 < size && strncasecmp(at, "q=", 2) == 0)
            return strtod(at + 2, NULL);
    }
    return 1;
}

/* Of the types that are named with the highest quality, the first one counts. A range stands for
 * JSON, and counts less than a name. */
const struct stream_form *stream_form_asked(const char *accept)
{
    const struct stream_form *best = NULL;
    double best_quality = 0, json_quality = -1;
    for (const char *item = accept; item != NULL && *item != '\0';) {
        item += strspn(item, " \t,");
        size_t size = strcspn(item, ","), name = strcspn(item, " \t,;");
        double wanted = quality(item + name, size - name);
        if (name == strlen("application/json") && strncasecmp(item, "application/json", name) == 0)
            json_quality = MAX(json_quality, wanted);
        for (size_t i = 0; i < ARRAY_LEN(forms); i++)
            if (name == strlen(forms[i].type) && strncasecmp(item, forms[i].type, name) == 0 &&
                wanted > best_quality && wanted > json_quality) {
                best = &forms[i];
                best_quality = wanted;
            }
        item += size;
    }
    return best_quality >= json_quality ? best : NULL;
}

const char *stream_form_type(const struct stream_form *form)
{
    return form->type;
}

bool stream_form_send(const struct stream_form *form, struct exchange *exchange, const char *name,
                      const char *data, size_t size)
{
    exchange_send(exchange, form->before, strlen(form->before));
    exchange_send(exchange, name, strlen(name));
    exchange_send(exchange, form->between, strlen(form->between));
    exchange_send(exchange, data + form->named_inside, size - form->named_inside);
    return exchange_send(exchange, form->after, strlen(form->after));
}

int stream_form_begin(const struct stream_form *form, struct exchange *exchange,
                      void (*drained)(struct exchange *exchange))
{
    return exchange_begin(exchange, form->type, form->pulse, drained);
}

int64_t stream_form_size(const struct stream_form *form, const char *name, size_t data)
{
    return (int64_t)(strlen(form->before) + strlen(name) + strlen(form->between) + data -
                     form->named_inside + strlen(form->after));
}
