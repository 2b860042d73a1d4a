/* What a lock says without running a subject. */
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "environment.h"
#include "files.h"
#include "git.h"
#include "lock.h"

/* Sections by the first part of an environment's key. What a run's results may depend on and a
 * user can pin is a section of its own; the rest of the machine is noted. */
static const struct {
    const char *prefix, *section;
} parts[] = {{"tool.", "tool"},     {"variable.", "variables"}, {"cpu.", "machine"},
             {"os.", "machine"},    {"machine.", "machine"},    {"memory.", "machine"},
             {"cgroup.", "machine"}};

static void put(void *context, const char *key, const char *value)
{
    for (int i = 0; i < CF_COUNT(parts); ++i) {
        const size_t n = strlen(parts[i].prefix);

        if (strncmp(key, parts[i].prefix, n) == 0)
            json_object_set_new(cf_lock_section(context, parts[i].section),
                                strcmp(parts[i].section, "machine") == 0 ? key : key + n,
                                cf_lock_text(value));
    }
}

static const char *of_machine(json_t *machine, const char *key)
{
    const char *value = json_string_value(json_object_get(machine, key));

    return value ? value : "unknown";
}

/* What bits may be compared across: processors of one kind, instruction set and C library. What is
 * said here is not said again of the machine. */
static void add_platform(json_t *document)
{
    static const char *const moved[] = {"cpu.vendor", "cpu.family",   "cpu.model",
                                        "cpu.isa",    "machine.arch", "os.libc"};
    json_t *machine = cf_lock_section(document, "machine"),
           *platform = cf_lock_section(document, "platform");
    char *cpu = cf_format("%s/%s/%s", of_machine(machine, "cpu.vendor"),
                          of_machine(machine, "cpu.family"), of_machine(machine, "cpu.model"));

    json_object_set_new(platform, "cpu", json_string(cpu));
    json_object_set_new(platform, "isa", json_string(of_machine(machine, "cpu.isa")));
    json_object_set_new(platform, "arch", json_string(of_machine(machine, "machine.arch")));
    json_object_set_new(platform, "libc", json_string(of_machine(machine, "os.libc")));
    for (int i = 0; i < CF_COUNT(moved); ++i)
        json_object_del(machine, moved[i]);
    free(cpu);
}

/* Podman names the image in /run/.containerenv; what other engines do not tell, the user may. */
static void add_container(json_t *document, const char *image)
{
    json_t *container = cf_lock_section(document, "container"),
           *kind = json_object_get(cf_lock_section(document, "machine"), "os.container");
    FILE *file = fopen("/run/.containerenv", "re");
    char line[512], id[256];

    if (kind)
        json_object_set(container, "kind", kind);
    json_object_del(cf_lock_section(document, "machine"), "os.container");
    while (!image && file && fgets(line, sizeof line, file))
        if (sscanf(line, "imageid=\"%255[0-9a-f]", id) == 1)
            json_object_set_new(container, "image", json_sprintf("sha256:%s", id));
    if (image)
        json_object_set_new(container, "image", cf_lock_text(image));
    if (file)
        fclose(file);
}

/* Each uncommitted path with what it is now; without a repository there is no such section. What
 * Python keeps of sources when it runs them says nothing that the sources do not say. */
static void add_git(json_t *document, const char *lock)
{
    struct cf_git_tree tree;
    json_t *git, *changes;
    char sha256[65], *text;

    if (cf_git_changes(&tree, lock, NULL) != 0)
        return;
    git = cf_lock_section(document, "git");
    changes = cf_lock_section(git, "uncommitted");
    for (int i = 0; i < tree.n; ++i) {
        json_t *path;

        if (strstr(tree.change[i].path, "__pycache__/"))
            continue;
        path = cf_lock_text(tree.change[i].path);
        json_object_set_new(changes, json_string_value(path),
                            json_sprintf("%s%s%s", tree.change[i].state,
                                         tree.change[i].sha256[0] ? " sha256:" : "",
                                         tree.change[i].sha256));
        json_decref(path);
    }
    text = json_dumps(changes, JSON_COMPACT | JSON_SORT_KEYS);
    CF_CHECK(text != NULL);
    cf_bytes_sha256(text, strlen(text), sha256);
    free(text);
    json_object_set_new(git, "commit", json_string(tree.commit));
    json_object_set_new(git, "top", cf_lock_text(tree.top));
    json_object_set_new(git, "uncommitted_sha256", json_string(sha256));
    cf_git_tree_free(&tree);
}

json_t *cf_lock_file(const char *path)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    char sha256[65] = "", build_id[81] = "", version[32];
    json_t *entry = NULL;

    if (fd >= 0 && cf_file_sha256(fd, sha256) == 0) {
        entry = json_pack("{s:s}", "sha256", sha256);
        cf_file_build_id(fd, build_id);
        cf_path_version(path, version);
        if (*build_id)
            json_object_set_new(entry, "build_id", json_string(build_id));
        if (*version)
            json_object_set_new(entry, "version", json_string(version));
    }
    if (fd >= 0)
        close(fd);
    return entry;
}

/* Entries of the files that another document names. */
static void add_files(json_t *document, const json_t *names)
{
    json_t *files = cf_lock_section(document, "files"), *unused, *entry;
    const char *path;

    json_object_foreach((json_t *)names, path, unused)
    {
        if ((entry = cf_lock_file(path)) != NULL)
            json_object_set_new(files, path, entry);
    }
}

/* The words of a command line; the first is looked for in PATH by whoever runs it. */
static int split(char *line, const char *words[], int n_max)
{
    char *rest = NULL;
    int n = 0;

    for (char *w = strtok_r(line, " ", &rest); w && n < n_max; w = strtok_r(NULL, " ", &rest))
        words[n++] = w;
    return n;
}

static void add_path(json_t *files, const char *path)
{
    char *real = realpath(path, NULL);
    json_t *entry = real ? cf_lock_file(real) : NULL;

    if (entry)
        json_object_set_new(files, real, entry);
    free(real);
}

/* Asks the interpreter which packages the script imports; nothing of them is imported for that. */
static json_t *ask_packages(const char *python, const char *script, const char *python_path,
                            const char *lister)
{
    char *variable = cf_format("PYTHONPATH=%s", python_path ? python_path : ""), *text;
    const char *const argv[] = {"env", variable, python, "-B", lister, script, NULL};
    json_t *said;

    text = cf_command_output(argv, 120000, 64L << 20, NULL);
    said = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
    free(text);
    free(variable);
    return said;
}

void cf_lock_add_command(json_t *document, const char *command, const char *python_path,
                         const char *lister)
{
    json_t *files = cf_lock_section(document, "files"), *said, *path;
    char *line = cf_strdup(command);
    const char *words[16], *name;
    const int n = split(line, words, CF_COUNT(words));
    size_t i;

    name = n > 0 ? strrchr(words[0], '/') : NULL;
    name = name ? name + 1 : n > 0 ? words[0] : "";
    for (int k = 0; k < n; ++k)
        if (strchr(words[k], '/') || k > 0)
            add_path(files, words[k]);
    if (n > 1 && strncmp(name, "python", 6) == 0) {
        said = ask_packages(words[0], words[1], python_path, lister);
        if (!said)
            said = json_pack("{s:s,s:{}}", "interpreter", CF_LOCK_NO_PACKAGES, "packages");
        json_array_foreach(json_object_get(said, "files"), i, path)
        {
            add_path(files, json_string_value(path) ? json_string_value(path) : "");
        }
        json_object_del(said, "files");
        if (python_path)
            json_object_set_new(said, "path", json_string(python_path));
        json_object_set_new(cf_lock_section(document, "python"), command, said);
    }
    free(line);
}

static void add_commands(json_t *document, const json_t *python, const char *lister)
{
    const char *command;
    json_t *entry;

    json_object_foreach((json_t *)python, command, entry)
    {
        cf_lock_add_command(document, command, json_string_value(json_object_get(entry, "path")),
                            lister);
    }
}

static void add_matrix(json_t *document, const char *path)
{
    char *real = path ? realpath(path, NULL) : NULL;
    json_t *entry = real ? cf_lock_file(real) : NULL;

    if (entry)
        json_object_set_new(cf_lock_section(document, "matrix"), real, entry);
    free(real);
}

json_t *cf_lock_collect(const struct cf_lock_request *request, struct cf_error *err)
{
    json_t *document = json_pack("{s:i,s:{}}", "lock_version", CF_LOCK_VERSION, "variables");
    char sha256[65];

    cf_environment_collect(put, document);
    if (cf_path_sha256(request->worker, sha256) == 0)
        json_object_set_new(cf_lock_section(document, "tool"), "worker_sha256",
                            json_string(sha256));
    add_platform(document);
    add_container(document, request->image);
    add_git(document, request->path);
    add_matrix(document, request->matrix);
    for (int i = 0; i < request->n_data; ++i)
        if (cf_lock_add_data(document, request->data[i], request->may_be_gone, err) != 0) {
            json_decref(document);
            return NULL;
        }
    if (request->files)
        add_files(document, request->files);
    if (request->commands)
        add_commands(document, request->commands, request->lister);
    return document;
}
