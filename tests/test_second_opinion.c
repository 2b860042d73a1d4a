/* second_opinion: the MLP with Adam from NumPy on the same bytes, and from a worker: both as near
 * to the true trajectory as their type allows, and so to each other. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include <math.h>

#include "support_trajectory.h"
#include "training_client.h"

struct row {
    char line[120];
};

static struct row rows[] = {
    {"train_mlp f32 steps=4 batch=16 hidden=12 optimizer=adam lr=0.003 dropout=30 snapshots=3 "
     "fill=digits"},
    {"train_mlp f64 steps=8 batch=8 hidden=16 optimizer=adam lr=0.01 snapshots=4 fill=digits"},
};

ParameterizedTestParameters(second_opinion, agrees)
{
    return cr_make_param_array(struct row, rows, CF_COUNT(rows));
}

/* A Python that has NumPy, or NULL. */
static const char *find_python(void)
{
    static const char *const candidates[] = {"python3", "/usr/bin/python3"};

    for (int i = 0; i < CF_COUNT(candidates); ++i) {
        char *command = cf_format("%s -c 'import numpy' 2>/dev/null", candidates[i]);
        const int found = system(command) == 0;

        free(command);
        if (found)
            return candidates[i];
    }
    return NULL;
}

/* NumPy's snapshots of a drawn case; the caller closes the file. */
static const struct cf_tensor *ask_numpy(const char *python, const struct trained *r,
                                         struct cf_safetensors *file)
{
    struct cf_named_tensor named[CF_SAFETENSORS_MAX];
    char folder[200], in[220], out[220], *command;

    snprintf(folder, sizeof folder, "%s/cf-opinion-XXXXXX",
             getenv("TMPDIR") ? getenv("TMPDIR") : P_tmpdir);
    cr_assert(mkdtemp(folder) != NULL);
    snprintf(in, sizeof in, "%s/in", folder);
    snprintf(out, sizeof out, "%s/out", folder);
    for (int i = 0; i < r->op->n_inputs; ++i) {
        snprintf(named[i].name, sizeof named[i].name, "x%d", i);
        named[i].tensor = r->in[i];
    }
    cr_assert_eq(cf_safetensors_write(in, named, r->op->n_inputs, NULL), 0);
    command = cf_format("OPENBLAS_NUM_THREADS=1 %s '%s/tests/second_opinion.py' '%s' '%s'", python,
                        CF_SOURCE_DIR, in, out);
    cr_assert_eq(system(command), 0, "%s", command);
    cr_assert_eq(cf_safetensors_open(file, out, NULL), 0);
    unlink(in);
    unlink(out);
    rmdir(folder);
    free(command);
    return cf_safetensors_get(file, "weights");
}

ParameterizedTest(struct row *row, second_opinion, agrees)
{
    const char *python = find_python();
    struct cf_error err = {{0}, 0};
    double ours[8], theirs[8];
    struct cf_safetensors file;
    const struct cf_tensor *numpy;
    struct trained r;
    int64_t n;

    if (!python)
        cr_skip("no Python with NumPy is installed (python3-numpy)");
    train_in(&r, row->line, "plain kernel=pairwise");
    cr_assert_str_eq(r.message, "", "%s", r.message);
    numpy = ask_numpy(python, &r, &file);
    n = numpy->dim[0];
    cr_assert_eq(n, r.out[CF_OUT_SNAPSHOTS].dim[0]);
    cr_assert_eq(cf_trajectory_distances(theirs, CF_MLP, r.in, numpy, n, 192, &err), 0, "%s",
                 err.text);
    cr_assert_eq(
        cf_trajectory_distances(ours, CF_MLP, r.in, &r.out[CF_OUT_SNAPSHOTS], n, 192, &err), 0,
        "%s", err.text);
    for (int64_t k = 0; k < n; ++k) {
        cr_expect(theirs[k] <= 64 * cf_dtype_u(r.c.dtype), "NumPy, step %d: %a", 1 << k, theirs[k]);
        cr_expect(ours[k] <= 64 * cf_dtype_u(r.c.dtype), "worker, step %d: %a", 1 << k, ours[k]);
    }
    cf_safetensors_close(&file);
    trained_free(&r);
}
