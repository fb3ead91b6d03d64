// Files that the program carries inside itself, so that one binary is all there is to install.
// C23's #embed, which clang has in every mode; the compiler tracks the files as dependencies.
#include "EmbeddedFiles.h"

static const unsigned char public_yaml[] = {
#embed "../../openapi/public.yaml"
};

static const unsigned char seed_jobs[] = {
#embed "../../seed/jobs.ndjson"
};

static const unsigned char seed_candidates[] = {
#embed "../../seed/candidates.ndjson"
};

static const unsigned char seed_applications[] = {
#embed "../../seed/applications.ndjson"
};

static const unsigned char seed_interviews[] = {
#embed "../../seed/interviews.ndjson"
};

static const unsigned char seed_matches[] = {
#embed "../../seed/matches.ndjson"
};

static const unsigned char seed_calls[] = {
#embed "../../seed/calls.ndjson"
};

static const unsigned char seed_trainings[] = {
#embed "../../seed/trainings.ndjson"
};

static const unsigned char seed_broadcasts[] = {
#embed "../../seed/broadcasts.ndjson"
};

static const HirewireFile hirewire_files[] = {
    {"openapi/public.yaml", public_yaml, sizeof public_yaml},
    {"seed/jobs.ndjson", seed_jobs, sizeof seed_jobs},
    {"seed/candidates.ndjson", seed_candidates, sizeof seed_candidates},
    {"seed/applications.ndjson", seed_applications, sizeof seed_applications},
    {"seed/interviews.ndjson", seed_interviews, sizeof seed_interviews},
    {"seed/matches.ndjson", seed_matches, sizeof seed_matches},
    {"seed/calls.ndjson", seed_calls, sizeof seed_calls},
    {"seed/trainings.ndjson", seed_trainings, sizeof seed_trainings},
    {"seed/broadcasts.ndjson", seed_broadcasts, sizeof seed_broadcasts},
};
static const int hirewire_file_count = sizeof hirewire_files / sizeof hirewire_files[0];

HirewireFile hirewire_file(const char *path) {
    for (int index = 0; index < hirewire_file_count; index++) {
        if (__builtin_strcmp(hirewire_files[index].path, path) == 0) return hirewire_files[index];
    }
    return (HirewireFile){path, 0, 0};
}
