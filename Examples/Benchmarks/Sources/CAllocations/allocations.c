// Counts what is asked of malloc, on glibc, by standing before it: a counter of each thread, and nothing else.
#include "allocations.h"
#include <stddef.h>
#include <stdlib.h>

static _Thread_local unsigned long count;

unsigned long allocations_of_this_thread(void) { return count; }

#if defined(__GLIBC__)
void *__libc_malloc(size_t size);
void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size) {
    count++;
    return __libc_malloc(size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    count++;
    return __libc_memalign(alignment, size);
}
#endif
