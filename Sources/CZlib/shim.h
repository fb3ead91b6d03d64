#pragma once
#include <zlib.h>

/// deflateInit2 is a macro, which Swift does not see. 15 + 16: the gzip format (RFC 1952) with the largest window.
static inline int hirewire_gzip_begin(z_stream *stream, int level) {
    return deflateInit2(stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
}
