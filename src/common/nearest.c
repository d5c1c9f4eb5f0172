/* See nearest.h. */
#include "common/nearest.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/util.h"

enum { MOST_LETTERS = 32 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The edit distance with exchanges of neighbours (optimal string alignment). Both have at most
 * MOST_LETTERS. */
static size_t distance(const char *a, size_t a_size, const char *b, size_t b_size)
{
    size_t rows[3][MOST_LETTERS + 1];
    for (size_t j = 0; j <= b_size; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_size; i++) {
        size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            bool same = a[i - 1] == b[j - 1];
            row[j] = least(above[j - 1] + (same ? 0 : 1), least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
    }
    return rows[a_size % 3][b_size];
}

static const char *nearest(const char *word, size_t size, const char *const *names, size_t count)
{
    const char *found = NULL;
    size_t best = size / 3 + 1; /* more than a third is another word */
    for (size_t i = 0; i < count && size <= MOST_LETTERS; i++) {
        size_t length = strlen(names[i]);
        size_t far = length <= MOST_LETTERS ? distance(word, size, names[i], length) : best;
        if (far < best) {
            best = far;
            found = names[i];
        }
    }
    return found;
}

const char *nearest_name(const char *word, const char *const *names, size_t count)
{
    return nearest(word, strlen(word), names, count);
}

/* "--memory, --meta": those that begin with the word. Returns how many there are. */
static size_t list_longer(char list[static NEAREST_TEXT_SIZE], const char *word, size_t size,
                          const char *const *names, size_t count)
{
    size_t found = 0, used = 0;
    for (size_t i = 0; i < count; i++) {
        if (strncmp(names[i], word, size) != 0)
            continue;
        if (used < NEAREST_TEXT_SIZE)
            used += (size_t)snprintf(list + used, NEAREST_TEXT_SIZE - used, "%s--%s",
                                     found > 0 ? ", " : "", names[i]);
        found++;
    }
    return found;
}

const char *nearest_option(char text[NEAREST_TEXT_SIZE], const char *option,
                           const char *const *names, size_t count)
{
    char list[NEAREST_TEXT_SIZE];
    const char *word = option + strspn(option, "-");
    size_t size = strcspn(word, "=");
    int shown = (int)least((size_t)(word - option) + size, 80);
    if (size > 0 && list_longer(list, word, size, names, count) > 1) {
        snprintf(text, NEAREST_TEXT_SIZE,
                 "%.*s is short for %.200s: write out the one that you "
                 "mean",
                 shown, option, list);
        return text;
    }
    const char *found = nearest(word, size, names, count);
    snprintf(text, NEAREST_TEXT_SIZE, "there is no option %.*s%s%s", shown, option,
             found != NULL ? ", but there is --" : "", found != NULL ? found : "");
    return text;
}
