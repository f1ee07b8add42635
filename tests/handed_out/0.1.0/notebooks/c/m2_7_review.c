/* The whole of `run`, as in lesson m2_7_review: look up, fork, record, open the gate, chroot, exec, wait, record. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>
static int lookup(const char *name, char *root)           /* images.db: name|rootfs|time */
{
    char line[512], found[65];
    FILE *db = fopen("images.db", "r");
    while (db && fgets(line, sizeof line, db))
        if (sscanf(line, "%64[^|]|%255[^|]|", found, root) == 2 && strcmp(found, name) == 0) return fclose(db), 1;
    return 0;
}
static int record(int id, pid_t pid, const char *image, const char *status, const char *code) /* id 0: the next one */
{
    char line[512];
    int n, highest = 0, lock = open("lock", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    flock(lock, LOCK_EX);                                 /* before the first read */
    FILE *old = fopen("containers.db", "r"), *new = fopen("containers.new", "w");
    while (old && fgets(line, sizeof line, old)) {
        if (sscanf(line, "c%d|", &n) != 1) n = -1;        /* not ours: kept */
        if (n > highest) highest = n;
        if (n != id) fputs(line, new);
    }
    if (id == 0) id = highest + 1;
    fprintf(new, "c%d|%d|%s|%s|||%s\n", id, pid, image, status, code);
    fclose(new);
    rename("containers.new", "containers.db");            /* a reader sees the old file or the new one */
    return close(lock), id;
}
static int run(const char *image, char **program)
{
    char root[256], code[12], go;
    int gate[2], status;
    if (!lookup(image, root)) return fprintf(stderr, "Image '%s' not found\n", image), 125;
    if (pipe(gate) != 0) return 125;
    pid_t pid = fork();
    if (pid == 0) {
        close(gate[1]);
        if (read(gate[0], &go, 1) != 1) _exit(125);       /* the record is written before the program starts */
        if (chdir(root) != 0) _exit(125);
        if (chroot(root) == 0 ? chdir("/") != 0 : errno != EPERM) _exit(125);    /* EPERM: go on with chdir only */
        execv(program[0], program);
        _exit(errno == ENOENT ? 127 : 126);
    }
    int id = record(0, pid, image, "running", "");        /* phase 1: the pid exists now */
    if (write(gate[1], "g", 1) != 1 || waitpid(pid, &status, 0) != pid) return 125;
    int ended = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    sprintf(code, "%d", ended);
    record(id, pid, image, "exited", code);               /* phase 2: the end exists now */
    return ended;
}
int main(int argc, char **argv)                           /* IMAGE PROGRAM ARGS..., in a folder with images.db */
{
    return argc > 2 ? run(argv[1], argv + 2) : fprintf(stderr, "usage: run IMAGE PROGRAM [ARGS...]\n") < 0;
}
