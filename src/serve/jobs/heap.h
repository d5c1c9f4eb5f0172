/* A binary heap of the caller's structs: the one that comes first is found at once, and putting
 * one in, taking one out or moving one takes time that grows with the logarithm of their number. An
 * item may be in several heaps, since each heap keeps its place in a member of its own. */
#ifndef SERVE_HEAP_H
#define SERVE_HEAP_H

#include <stdbool.h>
#include <stddef.h>

struct heap {
    bool (*before)(const void *a, const void *b); /* whether a comes before b */
    size_t place_at; /* offset of the item's size_t for this heap; 0 in it: not in the heap */
    void **items;    /* the first one comes first; the others are in no particular order */
    size_t count, room;
};

/* Makes room for so many items: putting one in cannot fail then. −1: out of memory. */
int heap_reserve(struct heap *heap, size_t count);
/* Frees the heap's memory, not the items. */
void heap_free(struct heap *heap);

/* The item that comes first; NULL: the heap is empty. */
void *heap_first(const struct heap *heap);

/* Has the item in the heap, at its right place, or not in it, whatever was before. To be called
 * after each change of what `before` compares. */
void heap_keep(struct heap *heap, void *item, bool in);

#endif
