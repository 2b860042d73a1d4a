#include "commands.h"

#include <stddef.h>

const struct cf_command cf_commands[] = {
    {"run", "", "Run cases in many configurations and judge every result.", CF_FOR_RUN,
     cf_command_run},
    {"list", "suites|ops|cases|configurations|backends|levels|scopes",
     "List what there is to choose from.", CF_FOR_LIST, cf_command_list},
    {"replay", "CASE CONFIGURATION...", "Run one case and show bits, exact answer and errors.",
     CF_FOR_REPLAY, cf_command_replay},
    {"env", "", "Show the environment that a run would record.", CF_FOR_ENV, cf_command_env},
    {"report", "STORE", "Judge the records of a store again and write reports.", CF_FOR_REPORT,
     cf_command_report},
    {"compare", "STORE STORE", "Say which cases of two runs are the same, changed or regressed.",
     CF_FOR_COMPARE, cf_command_compare},
    {"train", "CASE CONFIGURATION",
     "Runs one training case, with checkpoints from which it goes on bit for bit.", CF_FOR_TRAIN,
     cf_command_train},
    {"sources", "[LIBRARY]",
     "Releases one source of non-reproducibility of a training run at a time, and shows what stays "
     "the same.",
     CF_FOR_SOURCES, cf_command_sources},
    {"divergence", "CASE CONFIGURATION CONFIGURATION",
     "Finds the first operation in which two training runs differ, and judges it alone.",
     CF_FOR_DIVERGENCE, cf_command_divergence},
    {"qualify", "", "Test every core with answers that were not computed on it.", CF_FOR_QUALIFY,
     cf_command_qualify},
    {"golden", "make FILE | check FILE [CONFIGURATION...]",
     "Make or check a pack of cases with their only right answers.", CF_FOR_GOLDEN,
     cf_command_golden},
    {NULL, NULL, NULL, 0, NULL}};
