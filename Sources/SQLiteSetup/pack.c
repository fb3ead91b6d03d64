#include "SQLiteSetup.h"

#include <string.h>

// Nothing in it that RFC 8259, 7, has escaped.
static int is_clean(const uint8_t *text, size_t length) {
    for (size_t index = 0; index < length; index++)
        if (text[index] < 0x20 || text[index] == '"' || text[index] == '\\') return 0;
    return 1;
}

static size_t integer_length(int64_t integer) {
    if (integer < 0) return sizeof integer;
    size_t length = 0;
    while (length < sizeof integer && integer >> (8 * length)) length++;
    return length;
}

size_t hirewire_pack(sqlite3_stmt *statement, int columns, uint8_t *row, size_t capacity) {
    size_t heading = (size_t)columns * sizeof(uint16_t), end = 0;
    if (heading > capacity) return 0;
    size_t room = capacity - heading;
    if (room > HIREWIRE_PACKED_MOST) room = HIREWIRE_PACKED_MOST;
    uint8_t *bytes = row + heading;
    for (int column = 0; column < columns; column++) {
        // Found once: a value of a row is for the thread that steps, as all of a statement is.
        sqlite3_value *value = sqlite3_column_value(statement, column);
        unsigned type = HIREWIRE_PACKED_NULL;
        const void *start = NULL;
        size_t length = 0;
        int64_t integer;
        double real;
        switch (sqlite3_value_type(value)) {
        case SQLITE_INTEGER:
            integer = sqlite3_value_int64(value);
            type = HIREWIRE_PACKED_INTEGER, start = &integer, length = integer_length(integer);
            break;
        case SQLITE_FLOAT:
            real = sqlite3_value_double(value);
            type = HIREWIRE_PACKED_REAL, start = &real, length = sizeof real;
            break;
        case SQLITE_TEXT:
            start = sqlite3_value_text(value);
            length = (size_t)sqlite3_value_bytes(value);
            type = start && is_clean(start, length) ? HIREWIRE_PACKED_CLEAN : HIREWIRE_PACKED_BYTES;
            break;
        case SQLITE_BLOB:
            start = sqlite3_value_blob(value);
            type = HIREWIRE_PACKED_BYTES, length = (size_t)sqlite3_value_bytes(value);
            break;
        default: break;
        }
        if (length > room - end) return 0;
        if (length) {
            if (!start) return 0;
            memcpy(bytes + end, start, length);
        }
        end += length;
        uint16_t word = (uint16_t)(type << HIREWIRE_PACKED_TYPE_SHIFT | end);
        memcpy(row + (size_t)column * sizeof word, &word, sizeof word);
    }
    return heading + end;
}
