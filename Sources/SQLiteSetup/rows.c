#include "SQLiteSetup.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

int hirewire_bind(sqlite3_stmt *statement, int index, const hirewire_cell *cell) {
    double real;
    switch (cell->type) {
    case SQLITE_INTEGER: return sqlite3_bind_int64(statement, index, cell->bits);
    case SQLITE_FLOAT:
        memcpy(&real, &cell->bits, sizeof real);
        return sqlite3_bind_double(statement, index, real);
    case SQLITE_TEXT: return sqlite3_bind_text(statement, index, (const char *)(uintptr_t)cell->bits, cell->length, SQLITE_STATIC);
    case SQLITE_BLOB: return sqlite3_bind_blob(statement, index, (const void *)(uintptr_t)cell->bits, cell->length, SQLITE_STATIC);
    default: return sqlite3_bind_null(statement, index);
    }
}

// Rows in memory as a table: https://www.sqlite.org/vtab.html, eponymous and read only.

static _Thread_local struct {
    const hirewire_cell *cells;
    int64_t rows;
    int columns;
} given;

void hirewire_rows_give(const hirewire_cell *cells, int64_t rows, int columns) {
    given.cells = cells;
    given.rows = rows;
    given.columns = columns;
}

typedef struct {
    sqlite3_vtab_cursor base;
    const hirewire_cell *row;
    int64_t index;
} cursor;

static int connect(sqlite3 *connection, void *context, int count, const char *const *arguments, sqlite3_vtab **table, char **error) {
    (void)context, (void)count, (void)arguments, (void)error;
    char sql[16 + 8 * HIREWIRE_MOST_COLUMNS];
    size_t length = (size_t)snprintf(sql, sizeof sql, "CREATE TABLE x (c0");
    for (int column = 1; column < HIREWIRE_MOST_COLUMNS; column++)
        length += (size_t)snprintf(sql + length, sizeof sql - length, ", c%d", column);
    snprintf(sql + length, sizeof sql - length, ")");
    int code = sqlite3_declare_vtab(connection, sql);
    if (code != SQLITE_OK) return code;
    *table = sqlite3_malloc(sizeof **table);
    if (!*table) return SQLITE_NOMEM;
    memset(*table, 0, sizeof **table);
    return SQLITE_OK;
}

static int disconnect(sqlite3_vtab *table) {
    sqlite3_free(table);
    return SQLITE_OK;
}

static int best_index(sqlite3_vtab *table, sqlite3_index_info *info) {
    (void)table;
    info->estimatedCost = 1000;
    info->estimatedRows = 1000;
    return SQLITE_OK;
}

static int open_cursor(sqlite3_vtab *table, sqlite3_vtab_cursor **opened) {
    (void)table;
    cursor *made = sqlite3_malloc(sizeof *made);
    if (!made) return SQLITE_NOMEM;
    memset(made, 0, sizeof *made);
    *opened = &made->base;
    return SQLITE_OK;
}

static int close_cursor(sqlite3_vtab_cursor *opened) {
    sqlite3_free(opened);
    return SQLITE_OK;
}

static int filter(sqlite3_vtab_cursor *opened, int number, const char *text, int count, sqlite3_value **values) {
    (void)number, (void)text, (void)count, (void)values;
    cursor *at = (cursor *)opened;
    at->row = given.cells;
    at->index = 0;
    return SQLITE_OK;
}

static int next(sqlite3_vtab_cursor *opened) {
    cursor *at = (cursor *)opened;
    at->row += given.columns;
    at->index++;
    return SQLITE_OK;
}

static int at_end(sqlite3_vtab_cursor *opened) { return ((cursor *)opened)->index >= given.rows; }

static int column(sqlite3_vtab_cursor *opened, sqlite3_context *result, int index) {
    if (index >= given.columns) return SQLITE_OK;
    const hirewire_cell *cell = ((cursor *)opened)->row + index;
    double real;
    switch (cell->type) {
    case SQLITE_INTEGER: sqlite3_result_int64(result, cell->bits); break;
    case SQLITE_FLOAT:
        memcpy(&real, &cell->bits, sizeof real);
        sqlite3_result_double(result, real);
        break;
    case SQLITE_TEXT: sqlite3_result_text(result, (const char *)(uintptr_t)cell->bits, cell->length, SQLITE_STATIC); break;
    case SQLITE_BLOB: sqlite3_result_blob(result, (const void *)(uintptr_t)cell->bits, cell->length, SQLITE_STATIC); break;
    default: break;
    }
    return SQLITE_OK;
}

static int row_id(sqlite3_vtab_cursor *opened, sqlite3_int64 *id) {
    *id = ((cursor *)opened)->index;
    return SQLITE_OK;
}

static const sqlite3_module module = {
    .xConnect = connect, .xDisconnect = disconnect, .xBestIndex = best_index, .xOpen = open_cursor, .xClose = close_cursor,
    .xFilter = filter, .xNext = next, .xEof = at_end, .xColumn = column, .xRowid = row_id,
};

int hirewire_rows_register(sqlite3 *connection) { return sqlite3_create_module(connection, "hirewire_rows", &module, NULL); }
