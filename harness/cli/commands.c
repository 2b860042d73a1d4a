#include "commands.h"

#include <stddef.h>

const struct cf_command cf_commands[] = {
    {"run", "",
     "Runs cases in many configurations, judges each result against the exact answer, and says "
     "which configurations reproduce, in which sense.",
     CF_FOR_RUN, cf_command_run},
    {"list", "suites|ops|cases|configurations|backends|levels|scopes",
     "Lists what there is to choose from.", CF_FOR_LIST, cf_command_list},
    {"replay", "CASE CONFIGURATION...",
     "Runs one case in some configurations and shows bits, exact answer and errors.", CF_FOR_REPLAY,
     cf_command_replay},
    {"env", "", "Shows the environment that a run would record.", CF_FOR_ENV, cf_command_env},
    {"report", "STORE", "Judges the records of a store again and writes reports.", CF_FOR_REPORT,
     cf_command_report},
    {"compare", "STORE STORE",
     "Compares two runs: which cases gave the same bits, which changed, improved or regressed.",
     CF_FOR_COMPARE, cf_command_compare},
    {NULL, NULL, NULL, 0, NULL}};
