/* export: a lock in the words of other tools. Documents have local paths (lock.h). */
#ifndef CF_EXPORT_H
#define CF_EXPORT_H

#include <jansson.h>

#include "error.h"

/* requirements.txt: "NAME==VERSION --hash=sha256:..." for each Python package of the lock. Digests
 * of archives come from the pins of fetched wheels, else from the interpreter's own pip (dry run).
 * NULL and a sentence: no digest can be had (exit 3), a package in two versions, or no package
 * (exit 2). The caller frees. */
char *cf_export_requirements(const json_t *lock, struct cf_error *err);
/* environment.yml for conda: interpreter, the same packages through pip, variables. */
char *cf_export_conda(const json_t *lock, struct cf_error *err);
/* Lines to be put after FROM: Debian packages with their versions, Python packages, variables, and
 * a check of every locked file by its SHA-256. */
char *cf_export_docker(const json_t *lock, struct cf_error *err);

/* Bodies of MLflow's REST interface (docs "REST API", 2.0: runs/create, runs/log-batch with at most
 * 1000 metrics, 100 parameters and 100 tags, runs/update). The caller decrefs. */
json_t *cf_export_mlflow_create(const json_t *lock, json_int_t now_ms);
json_t *cf_export_mlflow_batches(const json_t *lock, json_int_t now_ms); /* an array of bodies */
json_t *cf_export_mlflow_update(json_int_t now_ms);
extern const char cf_export_mlflow_script[]; /* sends them, by curl and jq */

/* The .dvc file of one root of the data ("hash: md5"; a folder's digest is that of its listing and
 * ends in ".dir"). Text for ROOT.dvc; NULL and a sentence when the lock has no such root. The
 * caller frees. */
char *cf_export_dvc(const json_t *lock, const char *root, struct cf_error *err);

#endif
