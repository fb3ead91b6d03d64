#ifndef HIREWIRE_PROCESS_SETUP_H
#define HIREWIRE_PROCESS_SETUP_H

/// Lets the process's threads share that many heaps (mallopt(3), M_ARENA_MAX), where the C library has several.
void hirewire_share_heaps(int count);

#endif
