#ifndef HIREWIRE_SQLITE_SETUP_H
#define HIREWIRE_SQLITE_SETUP_H

#include <sqlite3.h>
#include <stdint.h>

/// Turns off SQLite's count of its own memory, which takes one lock of the whole process at each allocation.
/// Before the first connection; SQLITE_OK (0) when it took effect.
int hirewire_sqlite_setup(void);

/// One value of a row in memory.
typedef struct {
    /// An integer, the bits of a double, or the address of a text's or blob's bytes.
    int64_t bits;
    /// Of a text or blob, in bytes.
    int32_t length;
    /// SQLITE_INTEGER, SQLITE_FLOAT, SQLITE_TEXT, SQLITE_BLOB or SQLITE_NULL.
    int32_t type;
} hirewire_cell;

/// The most columns that a row in memory can have: c0, c1 and so on.
enum { HIREWIRE_MOST_COLUMNS = 64 };

/// Adds the table `hirewire_rows` to a connection: the rows that the thread has given by ``hirewire_rows_give``, so that
/// one `INSERT … SELECT` writes them all. Returns SQLite's code.
int hirewire_rows_register(sqlite3 *connection);

/// Gives the thread's next statements their rows, one after the other in `cells`, which stay where they are until they are
/// taken back (NULL and 0).
void hirewire_rows_give(const hirewire_cell *cells, int64_t rows, int columns);

/// Binds a value to a statement's parameter without a copy: its bytes stay where they are until the statement has run.
int hirewire_bind(sqlite3_stmt *statement, int index, const hirewire_cell *cell);

#endif
