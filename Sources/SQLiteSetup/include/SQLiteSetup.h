#ifndef HIREWIRE_SQLITE_SETUP_H
#define HIREWIRE_SQLITE_SETUP_H

/// Turns off SQLite's count of its own memory, which takes one lock of the whole process at each allocation.
/// Before the first connection; SQLITE_OK (0) when it took effect.
int hirewire_sqlite_setup(void);

#endif
