#include "SQLiteSetup.h"

// In C because sqlite3_config takes variable arguments.
int hirewire_sqlite_setup(void) { return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }
