/* commands: one function a subcommand. Each returns the exit code, or -1 and a sentence. */
#ifndef CF_COMMANDS_H
#define CF_COMMANDS_H

#include "options.h"

int cf_command_run(struct cf_options *options, struct cf_error *err);
int cf_command_list(struct cf_options *options, struct cf_error *err);
int cf_command_replay(struct cf_options *options, struct cf_error *err);
int cf_command_env(struct cf_options *options, struct cf_error *err);
int cf_command_report(struct cf_options *options, struct cf_error *err);
int cf_command_bank(struct cf_options *options, struct cf_error *err);

int cf_command_compare(struct cf_options *options, struct cf_error *err);
int cf_command_train(struct cf_options *options, struct cf_error *err);
int cf_command_sources(struct cf_options *options, struct cf_error *err);
int cf_command_divergence(struct cf_options *options, struct cf_error *err);
int cf_command_qualify(struct cf_options *options, struct cf_error *err);
int cf_command_golden(struct cf_options *options, struct cf_error *err);
int cf_command_fetch(struct cf_options *options, struct cf_error *err);
int cf_command_gate(struct cf_options *options, struct cf_error *err);
int cf_command_diff(struct cf_options *options, struct cf_error *err);
int cf_command_whole(struct cf_options *options, struct cf_error *err);
int cf_command_sweep(struct cf_options *options, struct cf_error *err);
int cf_command_selftest(struct cf_options *options, struct cf_error *err);
int cf_command_merge(struct cf_options *options, struct cf_error *err);
int cf_command_adapter(struct cf_options *options, struct cf_error *err);
int cf_command_probe(struct cf_options *options, struct cf_error *err);
int cf_command_order(struct cf_options *options, struct cf_error *err);
int cf_command_manual(struct cf_options *options, struct cf_error *err);
int cf_command_lock(struct cf_options *options, struct cf_error *err);
int cf_command_verify(struct cf_options *options, struct cf_error *err);
int cf_command_export(struct cf_options *options, struct cf_error *err);

#endif
