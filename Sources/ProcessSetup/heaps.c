#include "ProcessSetup.h"

#include <stdlib.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

void hirewire_share_heaps(int count) {
#ifdef __GLIBC__
    mallopt(M_ARENA_MAX, count);
#else
    (void)count;
#endif
}
