/* checkpoint: resumed at any step, in a new process, after any kill: the same bits; and whatever is
 * missing, cut off or altered is refused with a sentence. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <sodium.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "checkpoint.h"
#include "reference.h"
#include "safetensors.h"
#include "train.h"

#define WORKER CF_BINARY_DIR "/conform-worker"
#define MAIN   CF_BINARY_DIR "/helpers/train-main"
#define PLAIN  "plain kernel=pairwise"
/* Everything that has a state: both moments, a schedule, masks, shifts, accumulation, epochs. */
#define CASE                                                                                       \
    "train_mlp f32 steps=12 batch=64 hidden=8 optimizer=adam lr=0.01 schedule=cosine decay=0.01 "  \
    "clip=1 accumulate=3 dropout=30 augment=1 fill=digits seed=5"
#define STEPS 12

extern char **environ;

static char folder[200];

static void make_folder(void)
{
    const char *base = getenv("TMPDIR");

    snprintf(folder, sizeof folder, "%s/cf-checkpoint-XXXXXX", base ? base : "/tmp");
    cr_assert(mkdtemp(folder) != NULL);
}

static void run_shell(const char *format, const char *a, const char *b)
{
    char *command = cf_format(format, a, b);

    cr_assert_eq(system(command), 0, "%s", command);
    free(command);
}

static void remove_folder(void)
{
    run_shell("rm -rf -- '%s%s'", folder, "");
}

TestSuite(checkpoint, .init = make_folder, .fini = remove_folder, .timeout = 60);

static void train(struct cf_train_result *result, const char *line, const char *where,
                  int64_t every, void (*progress)(void *, int64_t, int64_t))
{
    const struct cf_train_options options = {
        .worker = WORKER, .folder = where, .every = every, .progress = progress};
    struct cf_error err = {{0}, 0};

    cr_assert_eq(cf_train(line, PLAIN, &options, result, &err), 0, "%s", err.text);
}

static int64_t last_link(const struct cf_train_result *r, int64_t steps)
{
    return ((int64_t *)r->out[CF_OUT_HASHES].bits)[steps * CF_N_STAGES - 1];
}

static int same(const struct cf_train_result *a, const struct cf_train_result *b, int o)
{
    return memcmp(a->out[o].bits, b->out[o].bits, cf_tensor_bytes(&a->out[o])) == 0;
}

/* Keeps a copy of the folder as it is after each step: folder.STEP. */
static void keep_copy(void *context, int64_t step, int64_t steps)
{
    char number[32];

    (void)context;
    (void)steps;
    snprintf(number, sizeof number, "%lld", (long long)step);
    run_shell("cp -r -- '%1$s/all' '%1$s/%2$s'", folder, number);
}

Test(checkpoint, any_step_resumes_with_the_same_bits)
{
    struct cf_train_result whole, resumed;
    char where[256];

    snprintf(where, sizeof where, "%s/all", folder);
    train(&whole, CASE, NULL, 0, NULL);
    train(&resumed, CASE, where, 1, keep_copy);
    cr_expect(same(&whole, &resumed, CF_OUT_HASHES), "parts of one step differ from the whole");
    cf_train_result_free(&resumed);
    for (int64_t k = 1; k <= STEPS; ++k) {
        snprintf(where, sizeof where, "%s/%lld", folder, (long long)k);
        train(&resumed, CASE, where, 5, NULL);
        cr_expect_eq(resumed.from, k);
        cr_expect_eq(resumed.same_configuration, 1);
        cr_expect(k == STEPS || last_link(&resumed, STEPS) == last_link(&whole, STEPS), "step %lld",
                  (long long)k);
        for (int o = CF_OUT_METRICS; o <= CF_OUT_STATE; ++o)
            cr_expect(same(&whole, &resumed, o), "step %lld output %d", (long long)k, o);
        cf_train_result_free(&resumed);
    }
    cf_train_result_free(&whole);
}

/* A component that was not saved: does the end of the run show it? Initialisation and the link are
 * proofs, not state; sampling shares its operand with shuffling. */
struct forgotten {
    int component, changes_weights, changes_link;
};

static struct forgotten forgotten[] = {
    {CF_PART_WEIGHTS, 1, 1},        {CF_PART_MOMENTUM, 1, 1},     {CF_PART_VARIANCE, 1, 1},
    {CF_PART_STEP, 1, 1},           {CF_PART_SCHEDULE, 1, 1},     {CF_PART_SHUFFLING, 1, 1},
    {CF_PART_DROPOUT, 1, 1},        {CF_PART_AUGMENTATION, 1, 1}, {CF_PART_SAMPLING, 1, 1},
    {CF_PART_INITIALISATION, 0, 0}, {CF_PART_LINK, 0, 1},
};

ParameterizedTestParameters(checkpoint, forgets)
{
    return cr_make_param_array(struct forgotten, forgotten, CF_COUNT(forgotten));
}

#include "talk.h"

static void run_from(struct cf_tensor in[], struct cf_tensor out[])
{
    struct cf_error err = {{0}, 0};
    struct cf_talk *talk = cf_talk_start(PLAIN, WORKER, 20000, &err);
    struct cf_told told;

    cr_assert(talk != NULL, "%s", err.text);
    cf_talk_run(talk, "train_mlp", NULL, in, CF_N_TRAINING_INPUTS, out, CF_N_TRAINING_OUTPUTS,
                &told);
    cr_assert_eq(told.fate, CF_RAN, "%s", told.reason);
    cf_talk_stop(talk);
}

ParameterizedTest(struct forgotten *row, checkpoint, forgets)
{
    struct cf_tensor drawn[CF_OPERANDS_MAX], in[CF_OPERANDS_MAX], shape[CF_OPERANDS_MAX];
    struct cf_tensor out[CF_OPERANDS_MAX];
    struct cf_error err = {{0}, 0};
    struct cf_train_result whole;
    struct cf_checkpoint k;
    struct cf_case c;
    char where[256];
    int same_configuration;

    snprintf(where, sizeof where, "%s/all", folder);
    train(&whole, CASE, where, 5, NULL); /* the checkpoint before the last is after step 10 */
    run_shell("rm -f -- '%s'/all/step-00000012.%s", folder, "*");
    cr_assert_eq(cf_checkpoint_read(&k, where, &err), 1, "%s", err.text);
    cr_assert_eq(cf_case_parse(&c, CASE, cf_op_grammar, &err), 0);
    cr_assert_eq(cf_case_draw(&c, cf_op_find(c.op), drawn, shape, &err), 0);
    cr_assert_eq(cf_case_draw(&c, cf_op_find(c.op), in, shape, &err), 0);
    cr_assert_eq(cf_checkpoint_resume(&k, &c, PLAIN, in, &same_configuration, &err), 0, "%s",
                 err.text);
    cf_checkpoint_forget((enum cf_component)row->component, drawn, in);
    memcpy(out, shape, sizeof out);
    run_from(in, out);
    cr_expect_eq(memcmp(out[CF_OUT_WEIGHTS].bits, whole.out[CF_OUT_WEIGHTS].bits,
                        cf_tensor_bytes(&out[CF_OUT_WEIGHTS])) != 0,
                 row->changes_weights, "%s", cf_component_name(row->component));
    cr_expect_eq(((int64_t *)out[CF_OUT_HASHES].bits)[STEPS * CF_N_STAGES - 1] !=
                     last_link(&whole, STEPS),
                 row->changes_link, "%s", cf_component_name(row->component));
}

/* A checkpoint after four steps of the case, for the tests that spoil it. */
static void write_one(const struct cf_case *c)
{
    const struct cf_op *op = cf_op_find(c->op);
    struct cf_tensor in[CF_OPERANDS_MAX], out[CF_OPERANDS_MAX];
    struct cf_error err = {{0}, 0};
    struct cf_checkpoint k;

    cr_assert_eq(cf_case_draw(c, op, in, out, &err), 0, "%s", err.text);
    cr_assert_eq(
        cf_checkpoint_make(&k, c, PLAIN, 4, 77, &in[CF_IN_WEIGHTS], &in[CF_IN_STATE], &err), 0,
        "%s", err.text);
    cr_assert_eq(cf_checkpoint_write(&k, folder, &err), 0, "%s", err.text);
    cf_checkpoint_free(&k);
    for (int o = 0; o < op->n_inputs; ++o)
        cf_tensor_free(&in[o]);
}

struct spoiled {
    char claim[60], command[160], sentence[60];
};

#define STEP "step-00000004"
static struct spoiled spoiled[] = {
    {"nothing was done", "true", ""},
    {"tensors cut off", "truncate -s -1 " STEP ".safetensors", "truncated or altered"},
    {"tensors emptied", "truncate -s 0 " STEP ".safetensors", "truncated or altered"},
    {"tensors gone", "rm " STEP ".safetensors", "cannot be read"},
    {"one bit of a weight",
     "printf '\\001' | dd of=" STEP ".safetensors bs=1 seek=900 "
     "conv=notrunc status=none",
     "truncated or altered"},
    {"a byte more", "printf x >> " STEP ".safetensors", "truncated or altered"},
    {"manifest cut off", "truncate -s -5 " STEP ".json", "truncated or altered"},
    {"manifest emptied", "truncate -s 0 " STEP ".json", "truncated or altered"},
    {"a step more in the manifest", "sed -i 's/\"step\": 4/\"step\": 5/' " STEP ".json",
     "its own SHA-256"},
    {"another link", "sed -i 's/000000000000004d/000000000000004e/' " STEP ".json",
     "its own SHA-256"},
    {"a key twice", "sed -i 's/\"step\": 4/\"step\": 4, \"step\": 4/' " STEP ".json",
     "truncated or altered"},
    {"another name", "for s in json safetensors; do mv " STEP ".$s step-00000005.$s; done",
     "under another name"},
    {"half-written files of a killed writer",
     "printf x > step-00000005.json.tmp; printf x > "
     "step-00000005.safetensors",
     ""},
};

ParameterizedTestParameters(checkpoint, refuses)
{
    return cr_make_param_array(struct spoiled, spoiled, CF_COUNT(spoiled));
}

ParameterizedTest(struct spoiled *row, checkpoint, refuses)
{
    struct cf_error err = {{0}, 0};
    struct cf_checkpoint k;
    struct cf_case c;
    int found;

    cr_assert_eq(cf_case_parse(&c, CASE, cf_op_grammar, &err), 0);
    write_one(&c);
    run_shell("cd '%s' && { %s; }", folder, row->command);
    found = cf_checkpoint_read(&k, folder, &err);
    cr_expect_eq(found, row->sentence[0] ? -1 : 1, "%s: %s", row->claim, err.text);
    cr_expect(strstr(err.text, row->sentence), "%s: %s", row->claim, err.text);
    cr_expect(!row->sentence[0] || strstr(err.text, "remove it"), "%s: %s", row->claim, err.text);
}

/* Writes the manifest again, sealed, after `change`. */
static void reseal(void (*change)(json_t *checkpoint, const char *key), const char *key)
{
    char *path = cf_format("%s/" STEP ".json", folder), *compact, hex[65];
    unsigned char hash[32];
    json_t *whole = json_load_file(path, 0, NULL), *inner = json_object_get(whole, "checkpoint");

    change(inner, key);
    compact = json_dumps(inner, JSON_COMPACT | JSON_SORT_KEYS);
    crypto_hash_sha256(hash, (unsigned char *)compact, strlen(compact));
    sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
    json_object_set_new(whole, "sha256", json_string(hex));
    json_dump_file(whole, path, 0);
    json_decref(whole);
    free(compact);
    free(path);
}

static void leave_out(json_t *checkpoint, const char *key)
{
    if (strncmp(key, "rng.", 4) == 0)
        json_object_del(json_object_get(checkpoint, "rng"), key + 4);
    else
        json_object_del(checkpoint, key);
}

static void make_newer(json_t *checkpoint, const char *key)
{
    json_object_set_new(checkpoint, key, json_integer(CF_CHECKPOINT_VERSION + 1));
}

/* A tensor file without one of its tensors, and the manifest that belongs to it. */
static void leave_out_tensor(json_t *checkpoint, const char *key)
{
    char *path = cf_format("%s/" STEP ".safetensors", folder);
    struct cf_named_tensor kept[3];
    struct cf_safetensors file;
    unsigned char hash[32];
    char hex[65], *bytes = cf_alloc(1 << 20);
    int n = 0;
    FILE *stream;

    cr_assert_eq(cf_safetensors_open(&file, path, NULL), 0);
    for (int i = 0; i < file.n; ++i)
        if (strcmp(file.entry[i].name, key) != 0)
            kept[n++] = file.entry[i];
    cr_assert_eq(n, 2, "%s", key);
    cr_assert_eq(cf_safetensors_write(path, kept, n, NULL), 0);
    cf_safetensors_close(&file);
    stream = fopen(path, "rb");
    crypto_hash_sha256(hash, (unsigned char *)bytes, fread(bytes, 1, 1 << 20, stream));
    fclose(stream);
    sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
    json_object_set_new(checkpoint, "tensors", json_string(hex));
    free(bytes);
    free(path);
}

ParameterizedTestParameters(checkpoint, names_what_is_missing)
{
    return cr_make_param_array(struct forgotten, forgotten, CF_COUNT(forgotten));
}

ParameterizedTest(struct forgotten *row, checkpoint, names_what_is_missing)
{
    const char *name = cf_component_name(row->component);
    struct cf_error err = {{0}, 0};
    struct cf_checkpoint k;
    struct cf_case c;

    cr_assert_eq(cf_case_parse(&c, CASE, cf_op_grammar, &err), 0);
    write_one(&c);
    reseal(row->component <= CF_PART_VARIANCE ? leave_out_tensor : leave_out, name);
    cr_expect_eq(cf_checkpoint_read(&k, folder, &err), -1, "%s", name);
    cr_expect(strstr(err.text, name) && strstr(err.text, cf_component_cost(row->component)),
              "%s: %s", name, err.text);
}

Test(checkpoint, another_version_is_refused)
{
    struct cf_error err = {{0}, 0};
    struct cf_checkpoint k;
    struct cf_case c;

    cr_assert_eq(cf_case_parse(&c, CASE, cf_op_grammar, &err), 0);
    write_one(&c);
    reseal(make_newer, "version");
    cr_expect_eq(cf_checkpoint_read(&k, folder, &err), -1);
    cr_expect(strstr(err.text, "no checkpoint of version"), "%s", err.text);
}

/* Sealed and whole, and yet not a checkpoint of this run. */
static void set_step_counter(json_t *checkpoint, const char *key)
{
    json_object_set_new(json_object_get(json_object_get(checkpoint, "rng"), "dropout"), key,
                        json_string("0000000000000000"));
}

static void set_rate(json_t *checkpoint, const char *key)
{
    json_object_set_new(checkpoint, key, json_string("0x1p-3"));
}

static void set_statistics(json_t *checkpoint, const char *key)
{
    const char *text = json_string_value(json_object_get(checkpoint, key));
    char *changed = cf_strdup(text);

    ++*(strstr(changed, "n=1") + 2);
    json_object_set_new(checkpoint, key, json_string(changed));
    free(changed);
}

static void expect_refused(const char *line, const char *word)
{
    struct cf_tensor in[CF_OPERANDS_MAX], out[CF_OPERANDS_MAX];
    struct cf_error err = {{0}, 0};
    struct cf_checkpoint k;
    struct cf_case c;
    int same_configuration;

    cr_assert_eq(cf_case_parse(&c, line, cf_op_grammar, &err), 0, "%s", err.text);
    cr_assert_eq(cf_case_draw(&c, cf_op_find(c.op), in, out, &err), 0, "%s", err.text);
    cr_assert_eq(cf_checkpoint_read(&k, folder, &err), 1, "%s", err.text);
    cr_expect_eq(cf_checkpoint_resume(&k, &c, PLAIN, in, &same_configuration, &err), -1, "%s",
                 line);
    cr_expect(strstr(err.text, word), "%s: %s", word, err.text);
    cf_checkpoint_free(&k);
}

Test(checkpoint, a_checkpoint_of_something_else_is_refused)
{
    struct cf_error err = {{0}, 0};
    struct cf_case c;

    cr_assert_eq(cf_case_parse(&c, CASE, cf_op_grammar, &err), 0);
    write_one(&c);
    expect_refused("train_mlp f32 steps=12 batch=64 fill=digits seed=5", "one of the case");
    reseal(set_step_counter, "counter");
    expect_refused(CASE, "rng.dropout stands at");
    write_one(&c);
    reseal(set_rate, "rate");
    expect_refused(CASE, "schedule");
    write_one(&c);
    reseal(set_statistics, "train");
    expect_refused(CASE, "training split");
}

/* Starts the program; its output goes to `out`. */
static pid_t start_main(const char *where, const char *out)
{
    const char *const argv[] = {MAIN, CASE, PLAIN, where, "1", NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    cr_assert_eq(posix_spawn(&pid, MAIN, &actions, NULL, (char *const *)argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

static void read_answer(const char *path, long long *from, char digest[64])
{
    FILE *stream = fopen(path, "r");

    cr_assert(stream != NULL);
    cr_assert_eq(fscanf(stream, "%lld %63s", from, digest), 2, "no answer in %s", path);
    fclose(stream);
}

Test(checkpoint, fifty_kills_leave_the_bits_alone, .timeout = 100)
{
    char where[256], out[256], whole[64], digest[64];
    int kills = 0, finished = 0, resumed = 0, status;
    unsigned random = 12345;
    long long from;

    snprintf(where, sizeof where, "%s/run", folder);
    snprintf(out, sizeof out, "%s/answer", folder);
    waitpid(start_main(where, out), &status, 0);
    read_answer(out, &from, whole);
    run_shell("rm -rf -- '%s%s'", where, "");
    while (kills < 50) {
        const pid_t pid = start_main(where, out);
        struct timespec wait = {0, 0};

        random = random * 1103515245 + 12345;
        wait.tv_nsec = (long)(random >> 16 & 0x7fff) * 7000; /* 0 .. 229 ms */
        nanosleep(&wait, NULL);
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
        if (WIFSIGNALED(status)) {
            ++kills;
            continue;
        }
        cr_assert_eq(WEXITSTATUS(status), 0, "the run after %d kills failed", kills);
        read_answer(out, &from, digest);
        cr_expect_str_eq(digest, whole, "after %d kills, from step %lld", kills, from);
        ++finished;
        resumed += from > 0;
        run_shell("rm -rf -- '%s%s'", where, "");
    }
    waitpid(start_main(where, out), &status, 0);
    read_answer(out, &from, digest);
    cr_expect_str_eq(digest, whole, "the last run");
    cr_expect(resumed > 0 || from > 0, "nothing was ever resumed in %d runs", finished);
}
