#ifndef HIREWIRE_SQLITE_SETUP_H
#define HIREWIRE_SQLITE_SETUP_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

/// Before the first connection; SQLITE_OK (0) when it took effect.
///
/// Turns off SQLite's count of its own memory, which takes one lock of the whole process at each allocation.
///
/// On Linux, has the disk begin with what a transaction writes while it is written, a quarter of a megabyte at a time and no more
/// than two pieces at once. A commit's fdatasync would hand over all of it together, and whoever reads from the disk,
/// in this process or another, would wait behind ten megabytes and more. What is durable, and when, stays as it was.
/// Source: sync_file_range(2); xSetSystemCall of https://www.sqlite.org/c3ref/vfs.html.
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

/// A packed row: for each value a 16-bit word, of which the upper three bits are its type and the others where it ends behind
/// the words, counted in bytes from their end; then the values, without gaps, in the machine's byte order. An integer below
/// zero and a double take eight bytes, any other integer its lowest ones as far as it has them (little-endian machines only,
/// as all are that this runs on).
enum {
    HIREWIRE_PACKED_NULL = 0,
    HIREWIRE_PACKED_INTEGER = 1,
    HIREWIRE_PACKED_REAL = 2,
    HIREWIRE_PACKED_BYTES = 3,
    /// A text that is a JSON string as it stands, between quotes.
    HIREWIRE_PACKED_CLEAN = 4,
    HIREWIRE_PACKED_TYPE_SHIFT = 13,
    HIREWIRE_PACKED_MOST = (1 << HIREWIRE_PACKED_TYPE_SHIFT) - 1,
};

/// Packs the first `columns` values of the row under a statement. Returns the bytes taken; 0 where they do not fit.
size_t hirewire_pack(sqlite3_stmt *statement, int columns, uint8_t *row, size_t capacity);

/// Asks the processor for bytes that will be read soon. Nothing happens where there is no such address.
static inline void hirewire_prefetch(const void *start, size_t length) {
    for (size_t line = 0; line < length; line += 64) __builtin_prefetch((const char *)start + line);
}

#endif
