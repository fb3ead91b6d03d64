#define _GNU_SOURCE
#include "SQLiteSetup.h"

#ifdef __linux__

#include <errno.h>
#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

enum {
    /// Bytes that are written to a file before the disk is told to begin with them.
    PIECE = 256 * 1024,
    PAGE = 4096,
};

/// What a thread has written to a file, each write behind the one before: a journal, or the pages of a checkpoint.
static _Thread_local struct {
    int file;
    /// Bytes since the last piece was begun, and where they lie, with gaps.
    off64_t bytes, from, to;
    /// The last piece.
    off64_t begun_from, begun_to;
} written = {.file = -1};

// Whoever waits for writes is told of one that failed in place of the fdatasync that follows (sync_file_range(2)), and so has
// to pass it on.
static int has_failed(int code) { return code != 0 && (errno == EIO || errno == ENOSPC || errno == EDQUOT); }

static int begin_piece(void) {
    // The last page may go on.
    off64_t to = written.to / PAGE * PAGE;
    off64_t before = written.begun_to - written.begun_from;
    if (before > 0 && has_failed(sync_file_range(written.file, written.begun_from, before, SYNC_FILE_RANGE_WAIT_BEFORE))) return -1;
    if (has_failed(sync_file_range(written.file, written.from, to - written.from, SYNC_FILE_RANGE_WRITE))) return -1;
    written.begun_from = written.from;
    written.begun_to = written.from = to;
    written.bytes = 0;
    return 0;
}

static ssize_t write_in_pieces(int file, const void *bytes, size_t count, off64_t offset) {
    ssize_t done = pwrite64(file, bytes, count, offset);
    if (done <= 0) return done;
    if (file != written.file || offset < written.to) {
        written.file = file;
        written.from = offset / PAGE * PAGE;
        written.bytes = written.begun_from = written.begun_to = 0;
    }
    written.to = offset + done;
    written.bytes += done;
    return written.bytes >= PIECE && begin_piece() != 0 ? -1 : done;
}

static int set_up_writing(void) {
    sqlite3_vfs *system = sqlite3_vfs_find(NULL);
    if (!system || system->iVersion < 3) return SQLITE_ERROR;
    // Which of the two it calls depends on how it was built.
    int code = system->xSetSystemCall(system, "pwrite64", (sqlite3_syscall_ptr)write_in_pieces);
    return code != SQLITE_OK ? code : system->xSetSystemCall(system, "pwrite", (sqlite3_syscall_ptr)write_in_pieces);
}

#else

static int set_up_writing(void) { return SQLITE_OK; }

#endif

int hirewire_sqlite_setup(void) {
    // In C because sqlite3_config takes variable arguments.
    int counting = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0), writing = set_up_writing();
    return counting != SQLITE_OK ? counting : writing;
}
