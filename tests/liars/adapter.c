/* adapter: an executable that speaks the worker's protocol and lies, one executable a lie:
 * build/liars/adapter_<lie>. All but garbage_hello answer hello well. What each must come to:
 *
 *   lie            what it does with run                        fate
 *   honest         computes dot f64 forward                     ran
 *   garbage        answers bytes that are no JSON               protocol
 *   garbage_hello  answers hello with bytes that are no JSON    protocol at hello
 *   half           answers half a line and exits                protocol or crashed
 *   huge           answers a line of 2 MiB                      protocol
 *   wrong_id       answers another request's id                 protocol
 *   twice          answers twice                                protocol, at the latest at the next
 *   words          answers "wall_ns":"soon"                     protocol
 *   no_file        says that it ran, writes nothing             protocol
 *   short_file     writes half of the output file               protocol
 *   wrong_shape    writes one element too many                  protocol
 *   exits          exits with code 7                            crashed
 *   sleeps         never answers                                timed-out
 *   eats           takes memory until it gets none              out-of-memory, by its limit
 *   escapes        leaves a process behind, in another group    ran; the process dies of its limit
 *   sided_old, sided_new   other last bits, but for the environment's CONFORM_KNOB=new; hello says
 * it sided_mute     the same as sided_new, but hello is silent of it once_silent    says that it
 * has a one-shot mode, and lies   ran not_offered, broke, out_of_memory   answer that error the
 * fate of that name
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef LIE
#define LIE "honest"
#endif

static int is(const char *lie)
{
    return strcmp(LIE, lie) == 0;
}

static FILE *replies;

/* The text of a member of the request, by looking for its name: this is no JSON parser. */
static void member(const char *line, const char *name, char *value, size_t size)
{
    char key[32];
    const char *at;
    size_t n = 0;

    snprintf(key, sizeof key, "\"%s\":", name);
    at = strstr(line, key);
    value[0] = '\0';
    if (!at)
        return;
    for (at += strlen(key); *at == ' ' || *at == '"';)
        ++at;
    while (n + 1 < size && *at && !strchr("\",}\n", *at))
        value[n++] = *at++;
    value[n] = '\0';
}

/* dot of x0 and x1, each of half the file's data: rows do not matter to a liar. */
static double compute(const char *path)
{
    FILE *in = fopen(path, "rb");
    uint64_t header;
    static double x[1 << 20];
    size_t n;
    double sum = 0;

    if (!in || fread(&header, sizeof header, 1, in) != 1 || fseek(in, (long)header, SEEK_CUR) != 0)
        exit(3);
    n = fread(x, sizeof x[0], sizeof x / sizeof x[0], in) / 2;
    fclose(in);
    for (size_t i = 0; i < n; ++i)
        sum += x[i] * x[n + i];
    return sum;
}

/* In units of the last place: what a setting makes of an answer, by the side. */
static int shift(void)
{
    const char *knob = getenv("CONFORM_KNOB");
    const int old = is("sided_old");

    if (strncmp(LIE, "sided", 5) != 0)
        return 0;
    if (!knob)
        return old ? 0 : 1;
    return strcmp(knob, "new") == 0 ? 2 : old ? 3 : 4;
}

static void write_output(const char *path, double value)
{
    const int elements = is("wrong_shape") ? 2 : 1;
    char header[128] = "";
    const double values[2] = {value * (1 + shift() * 0x1p-52), value};
    const uint64_t length = sizeof header;
    FILE *out = fopen(path, "wb");
    const int n = snprintf(header, sizeof header,
                           "{\"y0\":{\"dtype\":\"F64\",\"shape\":[%d],\"data_offsets\":[0,%d]}}",
                           elements, 8 * elements);

    memset(header + n, ' ', sizeof header - (size_t)n);
    if (!out)
        exit(3);
    fwrite(&length, sizeof length, 1, out);
    fwrite(header, 1, sizeof header / (is("short_file") ? 2 : 1), out);
    if (!is("short_file"))
        fwrite(values, sizeof values[0], (size_t)elements, out);
    fclose(out);
}

static void answer_error(const char *id)
{
    char code[] = LIE;

    for (char *at = code; *at; ++at)
        *at = *at == '_' ? '-' : *at;
    fprintf(replies, "{\"id\":%s,\"error\":{\"code\":\"%s\",\"message\":\"so it says\"}}\n", id,
            code);
}

static void refuse(const char *id, const char *code)
{
    fprintf(replies, "{\"id\":%s,\"error\":{\"code\":\"%s\",\"message\":\"so it is\"}}\n", id,
            code);
}

/* Bytes that the header of the file and one f64 per element of two operands need. */
static int is_whole(const char *path)
{
    FILE *in = fopen(path, "rb");
    uint64_t header = 0;
    int whole = in && fread(&header, sizeof header, 1, in) == 1 && header < 1 << 20 &&
                fseek(in, 0, SEEK_END) == 0 && ftell(in) >= (long)(sizeof header + header + 16);

    if (in)
        fclose(in);
    return whole;
}

static void answer_run(const char *id, const char *line)
{
    char in[4096], out[4096], op[64];

    member(line, "in", in, sizeof in);
    member(line, "out", out, sizeof out);
    member(line, "op", op, sizeof op);
    if (strcmp(op, "dot") != 0 || !is_whole(in) || !strstr(line, "\"shape\":[1]")) {
        refuse(id, strcmp(op, "dot") != 0 ? "not-offered" : "protocol");
        return;
    }
    if (!is("no_file"))
        write_output(out, compute(in));
    fprintf(replies,
            "{\"id\":%s,\"result\":{\"outputs\":[\"y0\"],\"wall_ns\":%s,\"state\":{\"mxcsr\":"
            "\"0x1f80\",\"changed\":[]}}}\n",
            is("wrong_id") ? "123456" : id, is("words") ? "\"soon\"" : "1000");
}

/* 64 GiB are more than any limit that a test has; what is not touched costs nobody anything. */
static int eat(void)
{
    for (int i = 0; i < 1024; ++i) {
        volatile char *bite = malloc(64 << 20);

        if (!bite)
            return 0;
        *bite = 1;
    }
    return 1;
}

/* A grandchild in a session of its own, which nobody kills; its number in the folder TMPDIR, where
 * one is enough. */
static void escape(void)
{
    const char *folder = getenv("TMPDIR");
    char path[4096];
    FILE *file;
    pid_t child;

    snprintf(path, sizeof path, "%s/escaped", folder ? folder : ".");
    file = fopen(path, "wx");
    child = file ? fork() : -1;
    if (child > 0)
        waitpid(child, NULL, 0);
    if (child != 0 && file)
        fclose(file);
    if (child != 0)
        return;
    setsid();
    child = fork();
    if (child > 0)
        _exit(0);
    fprintf(file, "%d\n", (int)getpid());
    fclose(file);
    for (int fd = 0; fd < 64; ++fd)
        close(fd);
    for (volatile int x = 0;; x = !x)
        continue;
}

/* --conform-case FOLDER: case.json and in.safetensors give result.json and out.safetensors. */
static int answer_once(const char *folder)
{
    char path[3][4096], op[64];
    static char line[1 << 20];
    static const char *const names[] = {"case.json", "result.json", "out.safetensors"};
    FILE *in;

    if (is("once_silent"))
        return 0;
    for (int i = 0; i < 3; ++i)
        snprintf(path[i], sizeof path[i], "%s/%s", folder, names[i]);
    in = fopen(path[0], "r");
    replies = fopen(path[1], "w");
    if (!in || !fgets(line, sizeof line, in) || !replies)
        return 1;
    member(line, "op", op, sizeof op);
    if (strcmp(op, "dot") != 0)
        return fputs("{\"error\":{\"code\":\"not-offered\",\"message\":\"so it is\"}}\n", replies),
               1;
    snprintf(path[0], sizeof path[0], "%s/in.safetensors", folder);
    write_output(path[2], compute(path[0]));
    fputs("{\"result\":{\"outputs\":[\"y0\"],\"wall_ns\":1000,\"state\":{\"mxcsr\":\"0x1f80\","
          "\"changed\":[]}}}\n",
          replies);
    return 0;
}

static void lie(const char *id, const char *line)
{
    if (is("garbage"))
        fputs("\x80\xff{{{ nothing of the kind\n", replies);
    else if (is("half")) {
        fprintf(replies, "{\"id\":%s,\"resu", id);
        fflush(replies);
        _exit(0);
    } else if (is("huge")) {
        for (int i = 0; i < 1 << 21; ++i)
            fputc('x', replies);
        fputc('\n', replies);
    } else if (is("exits"))
        _exit(7);
    else if (is("sleeps"))
        for (;;)
            pause();
    else if (is("eats") && !eat())
        refuse(id, "out-of-memory");
    else if (is("not_offered") || is("broke") || is("out_of_memory"))
        answer_error(id);
    else
        answer_run(id, line);
    if (is("escapes"))
        escape();
    if (is("twice"))
        answer_run(id, line);
}

int main(int argc, char **argv)
{
    const char *fd = getenv("CONFORM_FD");
    static char line[1 << 20];
    char id[32];
    const char *knob = is("sided_old") || is("sided_new") ? getenv("CONFORM_KNOB") : NULL;

    if (is("sided_old") || is("sided_new"))
        knob = knob ? knob : "none";
    if (argc == 3 && strcmp(argv[1], "--conform-case") == 0)
        exit(answer_once(argv[2])); /* flushes */
    replies = fdopen(fd ? atoi(fd) : 3, "w");
    while (replies && fgets(line, sizeof line, stdin)) {
        member(line, "id", id, sizeof id);
        if (!strchr(line, '\n') || line[0] != '{') {
            while (!strchr(line, '\n') && fgets(line, sizeof line, stdin))
                continue;
            refuse("null", "protocol");
            fflush(replies);
            continue;
        }
        if (strstr(line, "\"bye\""))
            return 0;
        if (strstr(line, "\"hello\"") && is("garbage_hello"))
            fputs("good day\n", replies);
        else if (strstr(line, "\"hello\""))
            fprintf(
                replies,
                "{\"id\":%s,\"result\":{\"protocol\":1,\"name\":\"liar\",\"version\":\"1\",%s"
                "\"kernels\":{\"dot\":[\"adapter\"]},\"effective\":{%s%s%s\"version\":\"1\"}}}\n",
                id, is("honest") || is("once_silent") ? "\"one_shot\":true," : "",
                knob ? "\"knob\":\"" : "", knob ? knob : "", knob ? "\"," : "");
        else if (strstr(line, "\"run\""))
            lie(id, line);
        else
            refuse(id, "protocol");
        fflush(replies);
    }
    return replies ? 0 : 1;
}
