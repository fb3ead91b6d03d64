#ifndef HIREWIRE_EMBEDDED_FILES_H
#define HIREWIRE_EMBEDDED_FILES_H
#include <stddef.h>

/// A file of the source tree, by its path there.
typedef struct {
    const char *path;
    const unsigned char *bytes;
    size_t size;
} HirewireFile;

/// The file of that path; size 0 and no bytes when there is none.
HirewireFile hirewire_file(const char *path);

#endif
