/* The floor under every launch: vfork, chroot, chdir, execve, wait, and nothing else.
 *
 * floor ROOT PROGRAM: reads one command per line on stdin, answers one line on stdout:
 *
 *     COUNT                            launch /bin/true inside ROOT, COUNT times one after another
 *                                      (PROGRAM, with chdir alone, where chroot is refused: it takes root)
 *     COUNT <tab> PROGRAM <tab> ARG... launch that program instead (no chroot), with our environment
 *     -> NANOSECONDS WAIT_STATUS       of all COUNT together; the last status that was not 0
 *
 * Peers are started from here too, so that nobody is charged for the cost of spawning from Python.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_WORDS 64

static char *const bare_env[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
static char *const bare_argv[] = {"/bin/true", NULL};

static long long now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* The child borrows our memory until exec (vfork(2)): it only makes system calls. */
static int launch(const char *root, const char *program, char **argv)
{
    int status = 0;
    pid_t pid = vfork();
    if (pid == 0) {
        if (argv[0] == NULL) {
            if (chroot(root) == 0 && chdir("/") == 0)
                execve(bare_argv[0], bare_argv, bare_env);
            else if (errno == EPERM && chdir(root) == 0)
                execve(program, bare_argv, bare_env);
        } else {
            execv(argv[0], argv);
        }
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return 125 << 8;
    return status;
}

/* Cut the line at its tabs, in place. */
static void split(char *line, char **words)
{
    int count = 0;
    for (char *word = strtok(line, "\t\n"); word && count < MAX_WORDS - 1; word = strtok(NULL, "\t\n"))
        words[count++] = word;
    words[count] = NULL;
}

int main(int argc, char **argv)
{
    /* Commands and answers move to descriptors that close on exec; what we start gets /dev/null. */
    FILE *commands = fdopen(fcntl(0, F_DUPFD_CLOEXEC, 3), "r");
    FILE *answers = fdopen(fcntl(1, F_DUPFD_CLOEXEC, 3), "w");
    int null = open("/dev/null", O_RDWR);
    if (argc != 3 || !commands || !answers || null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0)
        return 2;
    close(null);

    char *line = NULL, *words[MAX_WORDS];
    size_t room = 0;
    while (getline(&line, &room, commands) > 0) {
        split(line, words);
        int count = words[0] ? atoi(words[0]) : 0, failed = 0;
        long long start = now();
        for (int i = 0; i < count; i++) {
            int status = launch(argv[1], argv[2], words + 1);
            failed = status ? status : failed;
        }
        fprintf(answers, "%lld %d\n", now() - start, failed);
        fflush(answers);
    }
    return 0;
}
