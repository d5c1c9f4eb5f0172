/* A binary heap. See heap.h. */
#include "serve/jobs/heap.h"

#include <stdlib.h>

/* Its index in `items`, plus one. */
static size_t *place_of(const struct heap *heap, void *item)
{
    return (size_t *)(void *)((char *)item + heap->place_at);
}

static void set(struct heap *heap, size_t place, void *item)
{
    heap->items[place - 1] = item;
    *place_of(heap, item) = place;
}

static void *get(const struct heap *heap, size_t place)
{
    return heap->items[place - 1];
}

/* Moves an item from this place up or down to where it belongs. */
static void settle(struct heap *heap, size_t place, void *item)
{
    while (place > 1 && heap->before(item, get(heap, place / 2))) {
        set(heap, place, get(heap, place / 2));
        place /= 2;
    }
    for (size_t next; (next = 2 * place) <= heap->count; place = next) {
        if (next < heap->count && heap->before(get(heap, next + 1), get(heap, next)))
            next++;
        if (!heap->before(get(heap, next), item))
            break;
        set(heap, place, get(heap, next));
    }
    set(heap, place, item);
}

static void take_out(struct heap *heap, void *item)
{
    size_t place = *place_of(heap, item);
    void *last = heap->items[--heap->count];
    *place_of(heap, item) = 0;
    if (last != item)
        settle(heap, place, last);
}

int heap_reserve(struct heap *heap, size_t count)
{
    if (count <= heap->room)
        return 0;
    size_t room = count > 2 * heap->room ? count : 2 * heap->room;
    void **items = reallocarray(heap->items, room, sizeof(*items));
    if (items == NULL)
        return -1;
    heap->items = items;
    heap->room = room;
    return 0;
}

void heap_free(struct heap *heap)
{
    free(heap->items);
    heap->items = NULL;
    heap->count = heap->room = 0;
}

void *heap_first(const struct heap *heap)
{
    return heap->count > 0 ? heap->items[0] : NULL;
}

void heap_keep(struct heap *heap, void *item, bool in)
{
    size_t place = *place_of(heap, item);
    if (in)
        settle(heap, place > 0 ? place : ++heap->count, item);
    else if (place > 0)
        take_out(heap, item);
}
