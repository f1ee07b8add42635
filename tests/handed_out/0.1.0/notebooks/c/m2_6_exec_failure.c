/* How the parent learns that execve failed, as in lesson m2_6_exec_failure: a close-on-exec pipe. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* Run a program; true if execve failed. *code becomes its exit code, *why the child's errno. */
static bool launch(const char *path, char *const argv[], int *code, int *why)
{
    char *const envp[] = {"PATH=/usr/bin:/bin", NULL};
    int fd[2], error = 0, status;
    pipe2(fd, O_CLOEXEC);
    pid_t pid = fork();
    if (pid == 0) {
        execve(path, argv, envp);
        error = errno;                       /* reached only if execve failed */
        perror(path);
        write(fd[1], &error, sizeof error);
        _exit(error == ENOENT ? 127 : 126);
    }
    close(fd[1]);                            /* or read waits for ever */
    bool failed = read(fd[0], &error, sizeof error) > 0;
    waitpid(pid, &status, 0);
    close(fd[0]);
    *code = WEXITSTATUS(status);
    *why = error;
    return failed;
}

int main(void)
{
    char *const missing[] = {"nosuch", NULL}, *const liar[] = {"sh", "-c", "exit 127", NULL};
    char *const folder[] = {"folder", NULL};
    int code, why;
    bool right = launch("/bin/nosuch", missing, &code, &why) && code == 127 && why == ENOENT;
    right = !launch("/bin/sh", liar, &code, &why) && code == 127 && right;
    right = launch("/", folder, &code, &why) && code == 126 && why == EACCES && right;
    puts(right ? "127 twice, and only once did execve fail" : "this is not what execve(2) says");
    return right ? 0 : 1;
}
