// Files that the program carries inside itself, so that one binary is all there is to install.
// C23's #embed, which clang has in every mode; the compiler tracks the files as dependencies.
#include "EmbeddedFiles.h"

static const unsigned char public_yaml[] = {
#embed "../../openapi/public.yaml"
};

static const unsigned char operator_yaml[] = {
#embed "../../openapi/operator.yaml"
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

static const unsigned char tools_ago[] = {
#embed "../DeveloperTools/Files/ago.mustache"
};

static const unsigned char tools_bare[] = {
#embed "../DeveloperTools/Files/bare.mustache"
};

static const unsigned char tools_chart[] = {
#embed "../DeveloperTools/Files/chart.mustache"
};

static const unsigned char tools_deliveries[] = {
#embed "../DeveloperTools/Files/deliveries.mustache"
};

static const unsigned char tools_delivery_rows[] = {
#embed "../DeveloperTools/Files/delivery-rows.mustache"
};

static const unsigned char tools_delivery_table[] = {
#embed "../DeveloperTools/Files/delivery-table.mustache"
};

static const unsigned char tools_delivery[] = {
#embed "../DeveloperTools/Files/delivery.mustache"
};

static const unsigned char tools_docs[] = {
#embed "../DeveloperTools/Files/docs.mustache"
};

static const unsigned char tools_endpoint_form[] = {
#embed "../DeveloperTools/Files/endpoint-form.mustache"
};

static const unsigned char tools_endpoint[] = {
#embed "../DeveloperTools/Files/endpoint.mustache"
};

static const unsigned char tools_endpoints[] = {
#embed "../DeveloperTools/Files/endpoints.mustache"
};

static const unsigned char tools_error[] = {
#embed "../DeveloperTools/Files/error.mustache"
};

static const unsigned char tools_event_rows[] = {
#embed "../DeveloperTools/Files/event-rows.mustache"
};

static const unsigned char tools_event_table[] = {
#embed "../DeveloperTools/Files/event-table.mustache"
};

static const unsigned char tools_event[] = {
#embed "../DeveloperTools/Files/event.mustache"
};

static const unsigned char tools_events[] = {
#embed "../DeveloperTools/Files/events.mustache"
};

static const unsigned char tools_faults[] = {
#embed "../DeveloperTools/Files/faults.mustache"
};

static const unsigned char tools_icon_svg[] = {
#embed "../DeveloperTools/Files/icon.svg"
};

static const unsigned char tools_key_confirm[] = {
#embed "../DeveloperTools/Files/key-confirm.mustache"
};

static const unsigned char tools_key_new[] = {
#embed "../DeveloperTools/Files/key-new.mustache"
};

static const unsigned char tools_keys[] = {
#embed "../DeveloperTools/Files/keys.mustache"
};

static const unsigned char tools_layout[] = {
#embed "../DeveloperTools/Files/layout.mustache"
};

static const unsigned char tools_list[] = {
#embed "../DeveloperTools/Files/list.mustache"
};

static const unsigned char tools_navigation[] = {
#embed "../DeveloperTools/Files/navigation.mustache"
};

static const unsigned char tools_organization[] = {
#embed "../DeveloperTools/Files/organization.mustache"
};

static const unsigned char tools_organizations[] = {
#embed "../DeveloperTools/Files/organizations.mustache"
};

static const unsigned char tools_overview[] = {
#embed "../DeveloperTools/Files/overview.mustache"
};

static const unsigned char tools_record[] = {
#embed "../DeveloperTools/Files/record.mustache"
};

static const unsigned char tools_remove[] = {
#embed "../DeveloperTools/Files/remove.mustache"
};

static const unsigned char tools_replay[] = {
#embed "../DeveloperTools/Files/replay.mustache"
};

static const unsigned char tools_script_js[] = {
#embed "../DeveloperTools/Files/script.js"
};

static const unsigned char tools_secret_form[] = {
#embed "../DeveloperTools/Files/secret-form.mustache"
};

static const unsigned char tools_secret[] = {
#embed "../DeveloperTools/Files/secret.mustache"
};

static const unsigned char tools_sign_in[] = {
#embed "../DeveloperTools/Files/sign-in.mustache"
};

static const unsigned char tools_style_css[] = {
#embed "../DeveloperTools/Files/style.css"
};

static const unsigned char tools_time[] = {
#embed "../DeveloperTools/Files/time.mustache"
};

static const HirewireFile hirewire_files[] = {
    {"openapi/public.yaml", public_yaml, sizeof public_yaml},
    {"openapi/operator.yaml", operator_yaml, sizeof operator_yaml},
    {"seed/jobs.ndjson", seed_jobs, sizeof seed_jobs},
    {"seed/candidates.ndjson", seed_candidates, sizeof seed_candidates},
    {"seed/applications.ndjson", seed_applications, sizeof seed_applications},
    {"seed/interviews.ndjson", seed_interviews, sizeof seed_interviews},
    {"seed/matches.ndjson", seed_matches, sizeof seed_matches},
    {"seed/calls.ndjson", seed_calls, sizeof seed_calls},
    {"seed/trainings.ndjson", seed_trainings, sizeof seed_trainings},
    {"seed/broadcasts.ndjson", seed_broadcasts, sizeof seed_broadcasts},
    {"Sources/DeveloperTools/Files/ago.mustache", tools_ago, sizeof tools_ago},
    {"Sources/DeveloperTools/Files/bare.mustache", tools_bare, sizeof tools_bare},
    {"Sources/DeveloperTools/Files/chart.mustache", tools_chart, sizeof tools_chart},
    {"Sources/DeveloperTools/Files/deliveries.mustache", tools_deliveries, sizeof tools_deliveries},
    {"Sources/DeveloperTools/Files/delivery-rows.mustache", tools_delivery_rows, sizeof tools_delivery_rows},
    {"Sources/DeveloperTools/Files/delivery-table.mustache", tools_delivery_table, sizeof tools_delivery_table},
    {"Sources/DeveloperTools/Files/delivery.mustache", tools_delivery, sizeof tools_delivery},
    {"Sources/DeveloperTools/Files/docs.mustache", tools_docs, sizeof tools_docs},
    {"Sources/DeveloperTools/Files/endpoint-form.mustache", tools_endpoint_form, sizeof tools_endpoint_form},
    {"Sources/DeveloperTools/Files/endpoint.mustache", tools_endpoint, sizeof tools_endpoint},
    {"Sources/DeveloperTools/Files/endpoints.mustache", tools_endpoints, sizeof tools_endpoints},
    {"Sources/DeveloperTools/Files/error.mustache", tools_error, sizeof tools_error},
    {"Sources/DeveloperTools/Files/event-rows.mustache", tools_event_rows, sizeof tools_event_rows},
    {"Sources/DeveloperTools/Files/event-table.mustache", tools_event_table, sizeof tools_event_table},
    {"Sources/DeveloperTools/Files/event.mustache", tools_event, sizeof tools_event},
    {"Sources/DeveloperTools/Files/events.mustache", tools_events, sizeof tools_events},
    {"Sources/DeveloperTools/Files/faults.mustache", tools_faults, sizeof tools_faults},
    {"Sources/DeveloperTools/Files/icon.svg", tools_icon_svg, sizeof tools_icon_svg},
    {"Sources/DeveloperTools/Files/key-confirm.mustache", tools_key_confirm, sizeof tools_key_confirm},
    {"Sources/DeveloperTools/Files/key-new.mustache", tools_key_new, sizeof tools_key_new},
    {"Sources/DeveloperTools/Files/keys.mustache", tools_keys, sizeof tools_keys},
    {"Sources/DeveloperTools/Files/layout.mustache", tools_layout, sizeof tools_layout},
    {"Sources/DeveloperTools/Files/list.mustache", tools_list, sizeof tools_list},
    {"Sources/DeveloperTools/Files/navigation.mustache", tools_navigation, sizeof tools_navigation},
    {"Sources/DeveloperTools/Files/organization.mustache", tools_organization, sizeof tools_organization},
    {"Sources/DeveloperTools/Files/organizations.mustache", tools_organizations, sizeof tools_organizations},
    {"Sources/DeveloperTools/Files/overview.mustache", tools_overview, sizeof tools_overview},
    {"Sources/DeveloperTools/Files/record.mustache", tools_record, sizeof tools_record},
    {"Sources/DeveloperTools/Files/remove.mustache", tools_remove, sizeof tools_remove},
    {"Sources/DeveloperTools/Files/replay.mustache", tools_replay, sizeof tools_replay},
    {"Sources/DeveloperTools/Files/script.js", tools_script_js, sizeof tools_script_js},
    {"Sources/DeveloperTools/Files/secret-form.mustache", tools_secret_form, sizeof tools_secret_form},
    {"Sources/DeveloperTools/Files/secret.mustache", tools_secret, sizeof tools_secret},
    {"Sources/DeveloperTools/Files/sign-in.mustache", tools_sign_in, sizeof tools_sign_in},
    {"Sources/DeveloperTools/Files/style.css", tools_style_css, sizeof tools_style_css},
    {"Sources/DeveloperTools/Files/time.mustache", tools_time, sizeof tools_time},
};
static const int hirewire_file_count = sizeof hirewire_files / sizeof hirewire_files[0];

HirewireFile hirewire_file(const char *path) {
    for (int index = 0; index < hirewire_file_count; index++) {
        if (__builtin_strcmp(hirewire_files[index].path, path) == 0) return hirewire_files[index];
    }
    return (HirewireFile){path, 0, 0};
}
